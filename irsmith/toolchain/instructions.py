"""Instructions, types and metadata, read and made through LLVM-C.

Beside :mod:`irsmith.toolchain.llvm` because only what takes IR apart or writes into it
needs it. Names and numbers follow LLVM-C: https://llvm.org/doxygen/group__LLVMC.html
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator, Sequence
from ctypes import POINTER, c_char_p, c_int, c_size_t, c_uint, c_uint64, c_void_p
from typing import Any

from irsmith.toolchain.llvm import LLVM, IRModule

RET, BR, SWITCH, INVOKE, UNREACHABLE = 1, 2, 3, 5, 7
ADD, FADD, SUB, FSUB, MUL, FMUL, UDIV, SDIV, FDIV, UREM, SREM, FREM = range(8, 20)
SHL, LSHR, ASHR, AND, OR, XOR, ALLOCA, LOAD, STORE, GEP = range(20, 30)
TRUNC, ZEXT, SEXT, FPTOUI, FPTOSI, UITOFP, SITOFP, FPTRUNC, FPEXT = range(30, 39)
PTRTOINT, INTTOPTR, BITCAST, ICMP, FCMP, PHI, CALL, SELECT = range(39, 47)
CMPXCHG, RMW, LANDINGPAD, FNEG, CALLBR = 56, 57, 59, 66, 67
"""Values of LLVMOpcode."""

VOID_TYPE, HALF_TYPE, FLOAT_TYPE, DOUBLE_TYPE, FP80_TYPE = 0, 1, 2, 3, 4
INTEGER_TYPE, FUNCTION_TYPE, STRUCT_TYPE, ARRAY_TYPE, POINTER_TYPE, VECTOR_TYPE = (
    8,
    9,
    10,
    11,
    12,
    13,
)
"""Values of LLVMTypeKind."""

FUNCTION_INDEX, RETURN_INDEX = 0xFFFFFFFF, 0
"""LLVMAttributeIndex; parameters are counted from 1."""
INBOUNDS, NUSW, NUW = 1, 2, 4
"""LLVMGEPNoWrapFlags."""


class Instructions:
    """The bindings; use :func:`instructions_of`, which binds once."""

    def __init__(self, llvm: LLVM) -> None:
        self.llvm = llvm
        p = c_void_p

        def bind(name: str, result: Any, *args: Any) -> Any:
            function = getattr(llvm.lib, name)
            function.restype, function.argtypes = result, args
            return function

        self.opcode = bind("LLVMGetInstructionOpcode", c_int, p)
        self.operand = bind("LLVMGetOperand", p, p, c_uint)
        self.operand_count = bind("LLVMGetNumOperands", c_int, p)
        self.set_operand = bind("LLVMSetOperand", None, p, c_uint, p)
        self.type_of = bind("LLVMTypeOf", p, p)
        self.kind = bind("LLVMGetTypeKind", c_int, p)
        self.int_width = bind("LLVMGetIntTypeWidth", c_uint, p)
        self.element_count = bind("LLVMCountStructElementTypes", c_uint, p)
        self.element_at = bind("LLVMStructGetTypeAtIndex", p, p, c_uint)
        self.is_opaque = bind("LLVMIsOpaqueStruct", c_int, p)
        self.is_packed = bind("LLVMIsPackedStruct", c_int, p)
        self.element_type = bind("LLVMGetElementType", p, p)
        self.array_length = bind("LLVMGetArrayLength2", c_uint64, p)
        self.vector_length = bind("LLVMGetVectorSize", c_uint, p)
        self.is_sized = bind("LLVMTypeIsSized", c_int, p)
        self.value_type = bind("LLVMGlobalGetValueType", p, p)
        self.return_type = bind("LLVMGetReturnType", p, p)
        self.is_var_arg = bind("LLVMIsFunctionVarArg", c_int, p)
        self.parameter_count = bind("LLVMCountParamTypes", c_uint, p)
        self._parameter_types = bind("LLVMGetParamTypes", None, p, POINTER(p))
        self.parameter = bind("LLVMGetParam", p, p, c_uint)
        self.function_parameters = bind("LLVMCountParams", c_uint, p)
        self.print_type = bind("LLVMPrintTypeToString", p, p)
        self.print_value = bind("LLVMPrintValueToString", p, p)
        self.layout = bind("LLVMGetModuleDataLayout", p, p)
        self._store_size = bind("LLVMStoreSizeOfType", c_uint64, p, p)
        self._abi_size = bind("LLVMABISizeOfType", c_uint64, p, p)
        self.nsw = bind("LLVMGetNSW", c_int, p)
        self.nuw = bind("LLVMGetNUW", c_int, p)
        self.exact = bind("LLVMGetExact", c_int, p)
        self.set_nsw = bind("LLVMSetNSW", None, p, c_int)
        self.fast_flags = bind("LLVMGetFastMathFlags", c_uint, p)
        self.can_be_fast = bind("LLVMCanValueUseFastMathFlags", c_int, p)
        self.gep_flags = bind("LLVMGEPGetNoWrapFlags", c_uint, p)
        self.predicate = bind("LLVMGetICmpPredicate", c_int, p)
        self.fcmp_predicate = bind("LLVMGetFCmpPredicate", c_int, p)
        self.alignment = bind("LLVMGetAlignment", c_uint, p)
        self.set_alignment = bind("LLVMSetAlignment", None, p, c_uint)
        self.is_volatile = bind("LLVMGetVolatile", c_int, p)
        self.allocated_type = bind("LLVMGetAllocatedType", p, p)
        self.called = bind("LLVMGetCalledValue", p, p)
        self.called_type = bind("LLVMGetCalledFunctionType", p, p)
        self.argument_count = bind("LLVMGetNumArgOperands", c_uint, p)
        self.is_function = bind("LLVMIsAFunction", p, p)
        self.is_inline_asm = bind("LLVMIsAInlineAsm", p, p)
        self.is_constant_int = bind("LLVMIsAConstantInt", p, p)
        self.is_constant = bind("LLVMIsConstant", c_int, p)
        self.constant_signed = bind("LLVMConstIntGetSExtValue", ctypes.c_longlong, p)
        self.constant_value = bind("LLVMConstIntGetZExtValue", c_uint64, p)
        self._metadata = bind("LLVMGetMetadata", p, p, c_uint)
        self._metadata_kind = bind("LLVMGetMDKindIDInContext", c_uint, p, c_char_p, c_uint)
        self._node_count = bind("LLVMGetMDNodeNumOperands", c_uint, p)
        self._node_operands = bind("LLVMGetMDNodeOperands", None, p, POINTER(p))
        self.is_node = bind("LLVMIsAMDNode", p, p)
        self._attribute_kind = bind("LLVMGetEnumAttributeKindForName", c_uint, c_char_p, c_size_t)
        self._attribute = bind("LLVMGetEnumAttributeAtIndex", p, p, c_uint, c_uint)
        self._call_attribute = bind("LLVMGetCallSiteEnumAttribute", p, p, c_uint, c_uint)
        self._attribute_value = bind("LLVMGetEnumAttributeValue", c_uint64, p)
        self._attribute_type = bind("LLVMGetTypeAttributeValue", p, p)
        self.first_use = bind("LLVMGetFirstUse", p, p)
        self.next_use = bind("LLVMGetNextUse", p, p)
        self.user = bind("LLVMGetUser", p, p)
        self.terminator = bind("LLVMGetBasicBlockTerminator", p, p)
        self.successor_count = bind("LLVMGetNumSuccessors", c_uint, p)
        self.successor = bind("LLVMGetSuccessor", p, p, c_uint)
        self.set_successor = bind("LLVMSetSuccessor", None, p, c_uint, p)
        self.is_conditional = bind("LLVMIsConditional", c_int, p)
        self.erase = bind("LLVMInstructionEraseFromParent", None, p)
        self.replace = bind("LLVMReplaceAllUsesWith", None, p, p)
        self.builder_create = bind("LLVMCreateBuilderInContext", p, p)
        self.builder_dispose = bind("LLVMDisposeBuilder", None, p)
        self.before = bind("LLVMPositionBuilderBefore", None, p, p)
        self.next_instruction = llvm.next_instruction
        self.build_call = bind("LLVMBuildCall2", p, p, p, p, POINTER(p), c_uint, c_char_p)
        self.build_zext = bind("LLVMBuildZExt", p, p, p, p, c_char_p)
        self.build_sext = bind("LLVMBuildSExt", p, p, p, p, c_char_p)
        self.build_ptrtoint = bind("LLVMBuildPtrToInt", p, p, p, p, c_char_p)
        self.is_instruction = bind("LLVMIsAInstruction", p, p)
        self.build_trunc = bind("LLVMBuildTrunc", p, p, p, p, c_char_p)
        self.build_binary = bind("LLVMBuildBinOp", p, p, c_int, p, p, c_char_p)
        self.build_icmp = bind("LLVMBuildICmp", p, p, c_int, p, p, c_char_p)
        self.build_fcmp = bind("LLVMBuildFCmp", p, p, c_int, p, p, c_char_p)
        self.build_fpext = bind("LLVMBuildFPExt", p, p, p, p, c_char_p)
        self.build_fptrunc = bind("LLVMBuildFPTrunc", p, p, p, p, c_char_p)
        self.build_extract = bind("LLVMBuildExtractElement", p, p, p, p, c_char_p)
        self.int_type = bind("LLVMIntTypeInContext", p, p, c_uint)
        self.pointer_type = bind("LLVMPointerTypeInContext", p, p, c_uint)
        self.void_type = bind("LLVMVoidTypeInContext", p, p)
        self.double_type = bind("LLVMDoubleTypeInContext", p, p)
        self.array_type = bind("LLVMArrayType2", p, p, c_uint64)
        self.function_type = bind("LLVMFunctionType", p, p, POINTER(p), c_uint, c_int)
        self.const_int = bind("LLVMConstInt", p, p, c_uint64, c_int)
        self.const_null = bind("LLVMConstNull", p, p)
        self.const_struct = bind("LLVMConstStructInContext", p, p, POINTER(p), c_uint, c_int)
        self.const_array = bind("LLVMConstArray2", p, p, POINTER(p), c_uint64)
        self.undef = bind("LLVMGetUndef", p, p)
        self.add_function = bind("LLVMAddFunction", p, p, c_char_p, p)
        self.named_function = bind("LLVMGetNamedFunction", p, p, c_char_p)
        self.add_global = bind("LLVMAddGlobal", p, p, p, c_char_p)
        self.named_global = bind("LLVMGetNamedGlobal", p, p, c_char_p)
        self.initializer = bind("LLVMGetInitializer", p, p)
        self.set_initializer = bind("LLVMSetInitializer", None, p, p)
        self.is_null = bind("LLVMIsNull", c_int, p)
        self.set_thread_local = bind("LLVMSetThreadLocal", None, p, c_int)
        self.is_thread_local = bind("LLVMIsThreadLocal", c_int, p)
        self._section = bind("LLVMGetSection", c_char_p, p)
        self.set_section = bind("LLVMSetSection", None, p, c_char_p)
        self.set_externally_initialized = bind("LLVMSetExternallyInitialized", None, p, c_int)
        self.set_global_constant = bind("LLVMSetGlobalConstant", None, p, c_int)
        self._asm = bind("LLVMGetInlineAsmAsmString", p, p, POINTER(c_size_t))
        self._kinds: dict[str, int] = {}

    def attribute_kind(self, name: str) -> int:
        """The number of an attribute."""
        if name not in self._kinds:
            self._kinds[name] = self._attribute_kind(name.encode(), len(name))
        return self._kinds[name]

    def attribute(self, function: int, index: int, name: str) -> int:
        """Handle of an attribute of a function, 0 if it is not there."""
        return self._attribute(function, index, self.attribute_kind(name)) or 0

    def call_attribute(self, call: int, index: int, name: str) -> int:
        """Handle of an attribute at a call, 0 if it is not there."""
        return self._call_attribute(call, index, self.attribute_kind(name)) or 0

    def attribute_value(self, attribute: int) -> int:
        """The number in an attribute such as ``align``."""
        return int(self._attribute_value(attribute))

    def attribute_type(self, attribute: int) -> int:
        """The type in an attribute such as ``byval``."""
        return int(self._attribute_type(attribute))

    def parameter_types(self, function_type: int) -> list[int]:
        """Types of the fixed parameters."""
        count = self.parameter_count(function_type)
        types = (c_void_p * max(count, 1))()
        self._parameter_types(function_type, types)
        return [types[k] or 0 for k in range(count)]

    def store_size(self, layout: int, kind: int) -> int:
        """Bytes that a store of the type writes."""
        return int(self._store_size(layout, kind))

    def abi_size(self, layout: int, kind: int) -> int:
        """Bytes between two of the type in an array."""
        return int(self._abi_size(layout, kind))

    def type_text(self, kind: int) -> str:
        """The type as textual IR writes it."""
        return self.llvm.take_string(self.print_type(kind))

    def section(self, handle: int) -> bytes:
        """The section that a global asks for, or an empty string."""
        return self._section(handle) or b""

    def asm_text(self, handle: int) -> bytes:
        """The text of inline assembly."""
        length = c_size_t()
        return ctypes.string_at(self._asm(handle, ctypes.byref(length)), length.value)

    def metadata(self, module: IRModule, instruction: int, name: str) -> int:
        """A node that an instruction carries, 0 if there is none."""
        kind = self._metadata_kind(module.context.handle, name.encode(), len(name))
        return self._metadata(instruction, kind) or 0

    def node_operands(self, node: int) -> list[int]:
        """Operands of a metadata node (0 for none)."""
        count = self._node_count(node)
        operands = (c_void_p * max(count, 1))()
        self._node_operands(node, operands)
        return [operands[k] or 0 for k in range(count)]

    def blocks(self, function: int) -> list[int]:
        """Basic blocks in order."""
        return list(_walk(function, self.llvm.first_block, self.llvm.next_block))

    def of_block(self, block: int) -> list[int]:
        """Instructions of a block in order."""
        return list(_walk(block, self.llvm.first_instruction, self.llvm.next_instruction))

    def of_function(self, function: int) -> Iterator[int]:
        """Instructions of a function in order."""
        for block in self.blocks(function):
            yield from self.of_block(block)

    def users(self, value: int) -> Iterator[int]:
        """What uses a value."""
        use = self.first_use(value)
        while use:
            yield self.user(use)
            use = self.next_use(use)


def _walk(start: int, first: Any, following: Any) -> Iterator[int]:
    handle = first(start)
    while handle:
        yield handle
        handle = following(handle)


def handles(values: Sequence[int]) -> Any:
    """Handles as an array for LLVM-C."""
    return (c_void_p * max(len(values), 1))(*values)


@functools.cache
def instructions_of(llvm: LLVM) -> Instructions:
    """The bindings for a loaded library, made once."""
    return Instructions(llvm)

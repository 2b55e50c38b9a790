"""Normalised text is still the same program: it parses, and compiles to the same bytes."""

import re
import subprocess

import pytest

from irsmith.corpus.assembly import asm_text, restore_asm
from irsmith.corpus.cut import cut_each
from irsmith.corpus.header import Header
from irsmith.corpus.normalise import ir_text, normalise_module, parse_ir_text
from irsmith.records import IrsmithError
from irsmith.sandbox.worker import Worker
from irsmith.toolchain.clang import DEFAULT_TARGETS, run_clang, to_bitcode
from irsmith.toolchain.elf import sections
from irsmith.toolchain.llvm import LLVMError, load
from irsmith.toolchain.pipelines import clang_pipeline

ARCHES = ("X86", "AArch64")
NO_LOSS = ["-w", "-fno-strict-aliasing", "-fno-finite-loops"]
"""With these clang leaves no metadata that normalising drops and that changes code."""
C = rb"""
typedef unsigned long size_t;
typedef struct item item;
struct item { int key; char tag[5]; item *next; double weight; _Bool live; };
void *malloc(size_t); void free(void *); void abort(void) __attribute__((noreturn));
int printf(const char *, ...) __attribute__((format(printf, 1, 2)));
size_t strlen(const char *);
extern int errors; extern __thread int depth;
static const char *const names[] = {"zero", "one #2 ; @not %a", "two \"quoted\"\t!x !3"};
static int helper(item *i, int n) { return i->key * n + (i->live ? 1 : -1); }
item *insert(item *list, item *made) {
    item **at = &list;
    while (*at && (*at)->key < made->key) at = &(*at)->next;
    made->next = *at; *at = made;
    return list;
}
int act(item *i, int op, const char *text) {
    switch (op) {
    case 0: return helper(i, 3);
    case 1: errors++; return (int)strlen(text);
    case 2: printf("%s: %d\n", names[i->key & 1], op); return depth;
    case 7: free(i); return 0;
    case 9: if (!i) abort(); return (int)i->weight;
    default: return __builtin_expect(op > 40, 0) ? printf("%f", i->weight) : op / 10;
    }
}
__attribute__((noinline, cold)) void *make(size_t n) {
    item *i = malloc(n * sizeof *i); if (i) *i = (item){1, "ab", 0, .5, 1}; return i;
}
__attribute__((optnone, noinline)) int slow(int x) { int y = x + 1; return y * 2; }
int vla(int n) { int a[n]; for (int i = 0; i < n; i++) a[i] = i; return a[n / 2]; }
long atomic(long *p) { return __atomic_fetch_add(p, 1, 5) + __atomic_load_n(p, 2); }
short mixed(short a, volatile short *b, float c) { *b = a; return (short)(c * *b); }
__int128 wide(__int128 a, __int128 b) { return a * b; }
__attribute__((aligned(64), section(".text.special"))) int placed(int x) { return x; }
int inline_asm(int x) { __asm__ volatile("nop /* !1 #2 %0 */" : "+r"(x)); return x; }
"""
CPP = rb"""
struct base { virtual ~base(); virtual int get() const { return 4; } };
base::~base() {}
struct guard { int n; ~guard(); };
template <class T> T twice(T x) { return x + x; }
int work(base &b); void *operator new(unsigned long);
int tried(base &b) {
    guard g{1};
    try { return work(b) + twice(b.get()); } catch (int e) { return e; } catch (...) { throw; }
}
inline int counted() { static int n = work(*new base); return ++n; }
int uses() { return counted() + twice(4L); }
namespace { struct local { const char *s = "text"; int f() { return s[1]; } }; }
int anonymous() { return local().f(); }
"""


def _allocated(data, without=()):
    """Sections that are loaded, with their bytes."""
    return [
        (s.name, data[s.offset : s.offset + s.size] if s.type != 8 else s.size)
        for s in sections(data)
        if s.flags & 2 and s.size and s.name not in without
    ]


def _prepare(library):
    """A worker that runs a function on a library: items are (function, arguments)."""

    def prepare(_):
        llvm = load(library)
        return lambda item: item[0](llvm, *item[1:])

    return prepare


@pytest.fixture(scope="module")
def ask(toolchain):
    """Calls ``function(llvm, *arguments)`` in a worker with the checked library."""
    with Worker(_prepare(toolchain.checked_library("AArch64").path)) as worker:

        def call(function, *arguments):
            outcome = worker.call((function, *arguments))
            if outcome.failure == "refused":
                raise LLVMError(outcome.detail)
            assert not outcome.failure, outcome.detail
            return outcome.value

        yield call


def _object(llvm, bitcode, pipeline):
    with llvm.context() as context:
        module = context.parse(bitcode)
        module.run_passes(pipeline)
        return module.emit(2)


def _text(llvm, bitcode):
    with llvm.context() as context:
        header, text = ir_text(context.parse(bitcode))
        return header.line(), text


def _restored(llvm, text, line):
    with llvm.context() as context:
        module = parse_ir_text(context, text, Header.from_line(line))
        return module.bitcode(), module.verify()


def _functions(llvm, bitcode):
    with llvm.context() as context:
        return [cut.bitcode() for _, _, cut in cut_each(context.parse(bitcode))]


def _everything(toolchain, ask):
    """Units of both languages and targets and several levels, and all functions in them."""
    for arch in ARCHES:
        triple = DEFAULT_TARGETS[arch]
        for source, language, flags in (
            (C, "c", ["-Oz"]),
            (CPP, "c++", ["-Oz", "-nostdinc++"]),
            (C, "c", ["-Os", "-fPIC", "-fno-asynchronous-unwind-tables"]),
            (C, "c", ["-O2", "-fno-pic", "-fno-omit-frame-pointer"]),
        ):
            command = [f"--target={triple}", *NO_LOSS, *flags, "-Xclang", "-disable-llvm-passes"]
            command += ["-emit-llvm", "-c", "-o", "-", "-x", language, "-"]
            unit = run_clang(toolchain, command, source)
            yield triple, unit
            if flags[0] == "-Oz":
                for function in ask(_functions, unit):
                    yield triple, function


def test_it_parses_and_compiles_to_the_same_bytes(toolchain, ask):
    count = 0
    for triple, bitcode in _everything(toolchain, ask):
        line, text = ask(_text, bitcode)
        restored, broken = ask(_restored, text, line)
        assert not broken
        assert ask(_text, restored) == (line, text)
        for pipeline in ("", clang_pipeline("22.1.8", triple)):
            before, after = (ask(_object, b, pipeline) for b in (bitcode, restored))
            assert _allocated(before) == _allocated(after), text
        count += 1
    assert count > 40


def test_what_every_function_shares_is_in_the_header(toolchain, ask):
    for arch in ARCHES:
        triple = DEFAULT_TARGETS[arch]
        unit = to_bitcode(toolchain, C.replace(b"optnone, ", b""), "c", triple, ["-w"])
        line, text = ask(_text, unit)
        header = Header.from_line(line)
        assert (header.triple, header.level) == (triple, "Oz")
        assert "wchar_size=4@1" in header.flags and header.line() == line
        for gone in ("target-cpu", "minsize", "datalayout", "tbaa", "attributes #", "declare void "
                     "@llvm.", "no-trapping-math", " = !{", "llvm.loop", "srcloc"):  # fmt: skip
            assert gone not in text, gone
        for kept in (
            "noreturn",
            "cold",
            "!range !{i8 0, i8 2}",
            '"nop /* !1 #2 $0 */"',
            "one #2 ; @not %a",
        ):
            assert kept in text, kept
        assert "\n\n" not in text and "\n " not in text
        assert not re.search(r"(load|store) ptr.*, align 8\n", text)


def test_what_deviates_is_in_the_text(toolchain, ask):
    source = b"""__attribute__((target("avx2"))) int f(int x) { return x; }
    int g(int x) { return x; }"""
    command = ["--target=x86_64-unknown-linux-gnu", "-O1", "-Xclang", "-disable-llvm-passes"]
    unit = run_clang(toolchain, [*command, "-emit-llvm", "-c", "-o", "-", "-x", "c", "-"], source)
    line, text = ask(_text, unit)
    assert Header.from_line(line).level == ""
    assert text.count("target-features") == 1 and "+avx2" in text
    restored, _ = ask(_restored, text, line)
    assert _allocated(ask(_object, restored, "")) == _allocated(ask(_object, unit, ""))


def test_equal_code_is_equal_text(ask):
    text = b"""target triple = "x86_64-unknown-linux-gnu"
    %%b = type { i8 }
    %%a = type { i32 }
    %s
    define i32 @f(ptr %%named) { start: %%v = call i32 @second(ptr %%named)
      %%w = getelementptr %%a, ptr @first, i64 1
      ret i32 %%v }
    """
    one = b"declare i32 @second(ptr)\n@first = external global i32"
    other = (
        b"@unused = external global i32\n@first = external global i32\n\ndeclare i32 @second(ptr)"
    )
    line, plain = ask(_text, text % one)
    assert ask(_text, text % other)[1].replace("@unused = external global i32\n", "") == plain
    assert plain.index("@second") < plain.index("@first")
    assert "%named" not in plain and "%b" not in plain and "start" not in plain
    assert line == "x86_64-unknown-linux-gnu, -, -"


def test_debug_info_leaves_no_trace(toolchain, ask):
    plain, debug = (to_bitcode(toolchain, CPP, "c++", DEFAULT_TARGETS["X86"], ["-w", *flags])
                    for flags in ((), ("-g",)))  # fmt: skip
    assert len(debug) > 1.2 * len(plain) and ask(_text, debug) == ask(_text, plain)


def _optimised(llvm, bitcode, pipeline):
    with llvm.context() as context:
        module = context.parse(bitcode)
        module.run_passes(pipeline)
        return module.bitcode()


def test_optimised_code_has_a_text_too(toolchain, ask):
    source = b"""int use(int *);
    static int add(int *restrict a, int *restrict b) { *a += *b; use(a); return *b; }
    int f(int *a, int *b) { return add(a, b) + add(b, a + 1); }"""
    for arch in ARCHES:
        triple = DEFAULT_TARGETS[arch]
        for code, language in ((source, "c"), (C, "c"), (CPP, "c++")):
            unit = to_bitcode(toolchain, code, language, triple, NO_LOSS)
            unit = ask(_optimised, unit, clang_pipeline("22.1.8", triple, "O2"))
            line, text = ask(_text, unit)
            assert "scope.decl" not in text and "noalias !" not in text
            restored, broken = ask(_restored, text, line)
            assert not broken and ask(_text, restored) == (line, text)
            assert _allocated(ask(_object, restored, "")) == _allocated(ask(_object, unit, ""))


def test_what_has_no_name_keeps_its_place(ask):
    text = b"""target triple = "x86_64-unknown-linux-gnu"
    %0 = type { i8, %1 }
    %1 = type { i64 }
    @0 = private constant i32 4
    @1 = private global %0 zeroinitializer
    define ptr @f(i1 %0) {
      %2 = select i1 %0, ptr @1, ptr @0
      %3 = getelementptr %0, ptr %2, i32 1
      ret ptr %3 }
    """
    line, plain = ask(_text, text)
    restored, broken = ask(_restored, plain, line)
    assert not broken and ask(_text, restored) == (line, plain)
    (cut,) = ask(_functions, restored)
    assert "@unnamed = external hidden global %0" in ask(_text, cut)[1]


def test_metadata_that_is_a_fact_or_an_operand_stays(ask):
    text = b"""target triple = "x86_64-unknown-linux-gnu"
    declare i64 @llvm.read_register.i64(metadata)
    define i64 @f(ptr %0) !prof !4 {
      %2 = load i8, ptr %0, align 1, !range !1, !noundef !2, !tbaa !9
      %3 = call i64 @llvm.read_register.i64(metadata !3)
      %4 = load ptr, ptr %0, align 2
      ret i64 %3, !annotation !2 }
    !1 = !{i8 0, i8 2}
    !2 = !{}
    !3 = !{!"rsp"}
    !4 = !{!"function_entry_count", i64 3}
    !9 = distinct !{!9, i64 0}
    """
    line, plain = ask(_text, text)
    assert "%2 = load i8, ptr %0, !range !{i8 0, i8 2}, !noundef !{}\n" in plain
    assert 'call i64 @llvm.read_register.i64(metadata !{!"rsp"})\n' in plain
    assert "%4 = load ptr, ptr %0, align 2\n" in plain and "declare" not in plain
    assert plain.endswith("ret i64 %3\n}\n")
    restored, broken = ask(_restored, plain, line)
    assert not broken and ask(_text, restored) == (line, plain)


def test_the_normalised_module_is_its_own_normal_form(ask, bitcode):
    once = ask(normalise_module, bitcode)
    assert ask(normalise_module, once) == once != bitcode


def test_bad_text_and_bad_headers_are_refused(ask):
    with pytest.raises(LLVMError, match="expected"):
        ask(_restored, "define i32 @f( {", "x86_64-unknown-linux-gnu, Oz, -")
    for line in ("", "x86_64, O9, -", "x86_64, Oz, no", "x86_64, Oz, -, odd", "sparc, Oz, -"):
        with pytest.raises(IrsmithError):
            Header.from_line(line)


def _assembly(llvm, bitcode, pipeline):
    with llvm.context() as context:
        module = context.parse(bitcode)
        module.run_passes(pipeline)
        return module.emit(2, assembly=True).decode()


def test_assembly_makes_the_same_sections(toolchain, ask):
    assemble = [toolchain.tool("llvm-mc"), "-filetype=obj", "-o", "-"]
    before_chars = after_chars = 0
    for arch in ARCHES:
        triple = DEFAULT_TARGETS[arch]
        for source, language in ((C, "c"), (CPP, "c++")):
            unit = to_bitcode(toolchain, source, language, triple, ["-w", "-nostdinc++"])
            texts = [ask(_assembly, unit, clang_pipeline("22.1.8", triple))]
            if arch == "X86":  # the clang wheel generates code for no other
                command = [f"--target={triple}", "-w", "-Oz", "-S", "-o", "-", "-x", language]
                texts.append(run_clang(toolchain, [*command, "-"], source).decode())
            for text in texts:
                plain = asm_text(text, triple)
                made = [
                    subprocess.run(
                        [*assemble, f"-triple={triple}"], input=t.encode(), capture_output=True,
                        check=True,
                    ).stdout
                    for t in (text, restore_asm(plain))
                ]  # fmt: skip
                before, after = (_allocated(data, (".eh_frame",)) for data in made)
                assert before == after
                assert asm_text(restore_asm(plain), triple) == plain
                for gone in (".cfi", ".file", ".size", "\t", ".LBB", "# %bb", "// %bb", "  "):
                    assert gone not in plain, gone
                before_chars += len(text)
                after_chars += len(plain)
    assert after_chars < 0.6 * before_chars


def test_assembly_keeps_who_is_local():
    text = """\t.text
\t.globl\tshown
\t.type\tshown,@function
shown:                                  # @shown
\tcallq\thidden
.LBB0_7:
\tjmp\t.LBB0_3                        # "tail"
.LBB0_3:
\tleaq\t.L.str.1(%rip), %rax
\t.ascii\t"a # b\\t"
hidden:
\tretq
.L.str.1:
\t.weak\tsoft
soft:
"""
    plain = asm_text(text, "x86_64-unknown-linux-gnu")
    assert plain == (
        "shown:\ncallq hidden\njmp .L0\n.L0:\nleaq .L1(%rip), %rax\n"
        '.ascii "a # b\\t"\n.local hidden\nhidden:\nretq\n.L1:\n.weak soft\nsoft:\n'
    )
    restored = restore_asm(plain)
    assert ".globl shown\nshown:" in restored and restored.count(".globl") == 1

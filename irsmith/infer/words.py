"""Words that IR has in its lines of functions and calls (LLVM's language reference)."""


def listed(text: str) -> tuple[str, ...]:
    """Words with spaces between them."""
    return tuple(text.split())


FAST_MATH = listed(
    """
    nnan ninf nsz arcp contract afn reassoc fast
    """
)
CONVENTIONS = listed(
    """
    ccc fastcc coldcc tailcc preserve_mostcc preserve_allcc preserve_nonecc cxx_fast_tlscc swiftcc
    swifttailcc ghccc x86_stdcallcc x86_fastcallcc win64cc x86_64_sysvcc aarch64_vector_pcs cc
    """
)
POINTER_ONLY = frozenset(
    listed(
        """
        align allocptr byref byval captures dead_on_return dead_on_unwind dereferenceable
        dereferenceable_or_null elementtype inalloca initializes nest noalias nofree nonnull
        readnone readonly sret swifterror swiftself writable writeonly
        """
    )
)
_VALUE = listed(
    """
    immarg inreg nofpclass noundef range returned signext zeroext
    """
)
PARAM = frozenset({*POINTER_ONLY, *_VALUE, "allocalign"})
RESULT = listed(
    """
    noundef nonnull noalias zeroext signext inreg align dereferenceable dereferenceable_or_null
    range nofpclass
    """
)
LINKAGE = listed(
    """
    private internal available_externally linkonce weak common appending extern_weak linkonce_odr
    weak_odr external dso_local dso_preemptable hidden protected default dllimport dllexport
    """
)
FUNCTION = listed(
    """
    unnamed_addr local_unnamed_addr allockind allocsize alwaysinline cold convergent hot inlinehint
    memory minsize mustprogress nobuiltin nocallback nofree noinline nomerge nonlazybind norecurse
    noreturn nosync nounwind null_pointer_is_valid optnone optsize returns_twice speculatable
    strictfp willreturn align section comdat personality
    """
)
"""Those that optimised functions have, and no more: a rare one that is let through is what a
model stumbles over."""
MOST_PARAMS = 24
"""Of a function: a model may find no end."""
METADATA = listed(
    """
    align dereferenceable dereferenceable_or_null invariant.load nonnull noundef nontemporal range
    prof
    """
)
CALLED = (*FUNCTION, "builtin")
GLOBAL = (
    *LINKAGE,
    *listed("thread_local unnamed_addr local_unnamed_addr externally_initialized"),
)
BRACKETED = frozenset(
    listed(
        """
        allockind allocsize byref byval captures dereferenceable dereferenceable_or_null elementtype
        inalloca initializes memory nofpclass range sret syncscope vscale_range
        """
    )
)
"""Attributes that say something in brackets."""

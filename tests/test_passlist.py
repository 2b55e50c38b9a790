"""Pass lists: read, printed, made explicit, and held against LLVM's own parser."""

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irsmith.passlist import Element, PassList, PassListError
from irsmith.toolchain.find import find_toolchain
from irsmith.toolchain.passes import load_passes, search_space
from irsmith.toolchain.pipelines import LEVELS, clang_pipeline

TABLE = load_passes()
SPACE = search_space(inert=True)


def opt_reads(text):
    """What opt understands, printed by opt itself; None if it refuses the text."""
    done = subprocess.run(
        [
            *(find_toolchain().tool("opt"), f"-passes={text}", "-disable-verify"),
            # Some passes are only there with a target.
            *("-mtriple=x86_64-unknown-linux-gnu", "-print-pipeline-passes"),
            *("-disable-output", "/dev/null"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None


# Lists as syntax alone.

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
PARAMS = st.sampled_from(["", "<>", "<a>", "<a;b=1>", "<a;>", "<x><y=<z>>", "<cutoffs[1]=2>"])
LEAVES = st.builds(Element, NAMES, PARAMS)
ELEMENTS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Element, NAMES, PARAMS, st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=8,
)
LISTS = st.lists(ELEMENTS, max_size=5).map(lambda elements: PassList(tuple(elements)))


@given(LISTS)
def test_printed_lists_read_back(passes):
    assert PassList.parse(passes.text) == passes
    assert str(passes) == passes.text


@given(st.text() | st.text(alphabet="ab-<>(),; \n=1"))
def test_any_text_reads_or_is_refused(text):
    try:
        passes = PassList.parse(text)
    except PassListError as error:
        assert "column" in str(error)
        assert "\n" not in str(error)
    else:
        assert PassList.parse(passes.text) == passes
        assert passes.text == "".join(text.split())


@pytest.mark.parametrize("text", ["(" * 5000, "a(" * 5000, "<" * 5000, "a" + "<" * 5000])
def test_depth_is_refused_not_followed(text):
    with pytest.raises(PassListError):
        PassList.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("function(sroa", "column 9: '(' is never closed"),
        ("sroa)", "column 5: ')' without '('"),
        ("sroa,,adce", "column 6: a pass is missing"),
        ("sroa,", "column 6: a pass is missing"),
        (",sroa", "column 1: a pass is missing"),
        ("function()", "column 10: a pass is missing"),
        ("sroa adce", "column 6: stray 'a'"),
        ("$x", "column 1: stray '$'"),
        ("sroa>", "column 5: stray '>'"),
        ("gvn<pre", "column 4: '<' is never closed"),
        ("gvn<pre,adce>", "column 4: '<' is never closed"),
        ("function(a)b", "column 12: stray 'b'"),
    ],
)
def test_bad_syntax_names_the_column(text, message):
    with pytest.raises(PassListError, match="column") as caught:
        PassList.parse(text)
    assert str(caught.value) == f"bad pass list, {message}"


def test_an_element_that_would_not_read_back_cannot_be_made():
    for name, params in [("", ""), ("a,b", ""), ("a", "b"), ("a", "<b"), ("a b", ""), ("a", "<,>")]:
        with pytest.raises(PassListError):
            Element(name, params)


def test_empty_text_is_no_pass():
    assert PassList.parse("") == PassList.parse(" \n") == PassList()
    assert PassList().text == ""
    assert len(PassList()) == 0
    assert PassList().canonical(TABLE) == PassList()


def test_leaves_carry_the_adaptors_around_them():
    passes = PassList.parse("a,cgscc(devirt<4>(b,function<eager-inv>(c<x>)))")
    assert [(leaf.head, path) for leaf, path in passes.leaves()] == [
        ("a", ()),
        ("b", ("cgscc", "devirt<4>")),
        ("c<x>", ("cgscc", "devirt<4>", "function<eager-inv>")),
    ]


def test_drop_removes_adaptors_left_empty():
    passes = PassList.parse("a,function(loop(b)),function(c,d)")
    assert [passes.drop(i).text for i in range(4)] == [
        "function(loop(b)),function(c,d)",
        "a,function(c,d)",
        "a,function(loop(b)),function(d)",
        "a,function(loop(b)),function(c)",
    ]
    for index in (-1, 4):
        with pytest.raises(IndexError):
            passes.drop(index)


@given(LISTS, st.data())
def test_drop_removes_one_leaf(passes, data):
    if len(passes):
        index = data.draw(st.integers(0, len(passes) - 1))
        heads = [leaf.head for leaf, _ in passes.leaves()]
        del heads[index]
        assert [leaf.head for leaf, _ in passes.drop(index).leaves()] == heads


# Lists of real passes.


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("sroa,iroutliner", "function(sroa),iroutliner"),
        ("iroutliner,sroa,adce", "iroutliner,function(sroa),function(adce)"),
        ("sroa,adce", "function(sroa,adce)"),
        ("function(sroa),function(adce)", "function(sroa),function(adce)"),
        ("inline", "cgscc(inline)"),
        ("inline,sroa", "cgscc(inline,function(sroa))"),
        ("indvars", "function(loop(indvars))"),
        ("licm", "function(loop-mssa(licm))"),
        ("indvars,licm", "function(loop-mssa(indvars,licm))"),
        ("function(licm,sroa)", "function(loop-mssa(licm),sroa)"),
        ("function(loop(licm))", "function(loop-mssa(licm))"),
        ("cgscc(licm)", "cgscc(function(loop-mssa(licm)))"),
        ("globaldce,loop(indvars)", "globaldce,function(loop(indvars))"),
        ("globaldce,devirt<4>(inline)", "globaldce,cgscc(devirt<4>(inline))"),
        ("module(globaldce,module(sroa))", "globaldce,function(sroa)"),
        ("function<eager-inv>(function(sroa))", "function<eager-inv>(sroa)"),
        ("instcombine", "function(instcombine<no-verify-fixpoint>)"),
        (
            "instcombine<verify-fixpoint;max-iterations=2>",
            "function(instcombine<max-iterations=2;no-verify-fixpoint>)",
        ),
        ("instcombine<no-verify-fixpoint>", "function(instcombine<no-verify-fixpoint>)"),
        ("globaldce,require<aa>", "globaldce,function(require<aa>)"),
        ("require<globals-aa>,sroa", "require<globals-aa>,function(sroa)"),
        ("print<da><normalized-results>", "function(print<da><normalized-results>)"),
        ("machine-cse,machine-cp", "function(machine-function(machine-cse,machine-cp))"),
        ("guard-widening", "function(guard-widening)"),
        ("loop(guard-widening)", "function(loop(guard-widening))"),
        ("default<Oz>,iroutliner", "default<Oz>,iroutliner"),
    ],
)
def test_canonical(text, canonical):
    result = PassList.parse(text).canonical(TABLE)
    assert result.text == canonical
    assert result.canonical(TABLE) == result
    assert opt_reads(canonical) is not None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simplifcfg", "unknown pass 'simplifcfg': did you mean 'simplifycfg'?"),
        ("function(sroa,adcee)", "unknown pass 'adcee': did you mean 'adce'?"),
        ("zzzzzz", "unknown pass 'zzzzzz'"),
        ("print<dom-tree>", "unknown pass 'print<dom-tree>': did you mean 'print<domtree>'?"),
        ("repeat<2>(sroa)", "unknown adaptor 'repeat<2>'"),
        (
            "function(globalopt)",
            "'globalopt' is a module pass: it cannot stand inside function(...)",
        ),
        ("loop(sroa)", "'sroa' is a function pass: it cannot stand inside loop(...)"),
        ("cgscc(globalopt)", "'globalopt' is a module pass: it cannot stand inside cgscc(...)"),
        ("function(cgscc(inline))", "'cgscc' cannot stand inside function(...)"),
        ("function<no-rerun>(sroa)", "'function<no-rerun>' cannot stand at module level"),
        (
            "function(default<Oz>)",
            "'default<Oz>' is a module pass: it cannot stand inside function(...)",
        ),
        ("function(require<globals-aa>)", None),
        ("globalopt(sroa)", "pass 'globalopt' takes no passes in parentheses"),
        ("function", "adaptor 'function' needs passes in parentheses"),
        ("domtree", "'domtree' is an analysis: write 'require<domtree>'"),
        ("require<sroa>", "unknown analysis in 'require<sroa>'"),
        ("globalopt<>", "pass 'globalopt' takes no parameters"),
        ("sroa<modify>", "pass 'sroa' has no parameter 'modify': did you mean 'modify-cfg'?"),
        ("simplifycfg<bonus-inst-threshold=x>", None),
        ("early-cse<;memssa>", None),
        ("default<O4>", None),
        ("default<O1;O2>", None),
        ("default", None),
        ("function-simplification<>", None),
        ("machine-function(sroa)", None),
    ],
)
def test_what_llvm_refuses_is_refused(text, message):
    with pytest.raises(PassListError) as caught:
        PassList.parse(text).canonical(TABLE)
    if message:
        assert str(caught.value) == message
    assert "\n" not in str(caught.value)
    assert opt_reads(text) is None


@pytest.mark.parametrize("text", ["function(sroa", "sroa)", "sroa,,adce", "sroa,", "function()"])
def test_unbalanced_text_is_refused_by_both(text):
    with pytest.raises(PassListError):
        PassList.parse(text)
    assert opt_reads(text) is None


@pytest.mark.parametrize("level", LEVELS)
def test_clangs_own_pipelines_are_canonical(level):
    text = clang_pipeline(find_toolchain().version, "x86_64-unknown-linux-gnu", level)
    passes = PassList.parse(text)
    assert passes.text == text
    # clang runs this one over the module; in a text, opt knows it for functions only.
    explicit = text.replace(",declare-to-assign,", ",function(declare-to-assign),")
    assert passes.canonical(TABLE).text == explicit


def heads(level):
    """Elements for the passes of a level, bare or with one of their parameters."""

    def with_params(known):
        plain = [p for p in known.params if "=" not in p]
        return st.sampled_from(["", *(f"<{param}>" for param in plain)]).map(
            lambda params: Element(known.name, params)
        )

    return st.sampled_from(SPACE[level]).flatmap(with_params)


def adaptor(names, inner):
    return st.builds(
        Element,
        st.sampled_from(names),
        st.just(""),
        st.lists(inner, min_size=1, max_size=4).map(tuple),
    )


LOOP = adaptor(["loop"], heads("loop")) | adaptor(["loop-mssa"], heads("loop-mssa"))
FUNCTION = adaptor(["function"], heads("function") | LOOP)
CGSCC = adaptor(["cgscc"], heads("cgscc") | FUNCTION)
EXPLICIT = st.lists(heads("module") | FUNCTION | CGSCC, min_size=1, max_size=6).map(
    lambda elements: PassList(tuple(elements))
)


def bare(first, *below):
    """Lists without adaptors that opt reads: what comes first decides the level of all."""
    rest = st.lists(st.one_of([heads(level) for level in (first, *below)]), max_size=5)
    return st.builds(lambda head, tail: PassList((head, *tail)), heads(first), rest)


READ_BY_OPT = (
    bare("module", "cgscc", "function", "loop", "loop-mssa")
    | bare("cgscc", "function", "loop", "loop-mssa")
    | bare("function", "loop", "loop-mssa")
    | bare("loop", "loop-mssa")
    | bare("loop-mssa", "loop")
)
MIXED = st.lists(st.one_of([heads(level) for level in SPACE]), min_size=1, max_size=6).map(
    lambda elements: PassList(tuple(elements))
)
RUNS_OPT = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@RUNS_OPT
@given(EXPLICIT | MIXED)
def test_canonical_lists_are_read_by_opt_as_written(passes):
    canonical = passes.canonical(TABLE)
    assert canonical.canonical(TABLE) == canonical
    printed = opt_reads(canonical.text)
    assert printed is not None
    # opt writes defaults out, so heads differ; which passes stand where does not.
    read = PassList.parse(printed)
    assert places(read) == places(canonical)
    assert opt_reads(read.text) == printed


@RUNS_OPT
@given(READ_BY_OPT)
def test_canonical_means_what_opt_reads(passes):
    understood = opt_reads(passes.text)
    assert understood is not None
    expected = PassList.parse(understood).canonical(TABLE)
    assert places(passes.canonical(TABLE)) == places(expected)


def places(passes):
    """The name of each pass, the adaptors around it, and where new ones begin."""

    def names(elements):
        return [(e.name, names(e.children)) if e.children else e.name for e in elements]

    return names(passes.elements)

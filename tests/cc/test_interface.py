"""Which object may stand where another stood."""

import shutil
import subprocess

import pytest

from irsmith.cc.interface import mismatch

pytestmark = pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")


def compiled(folder, text, *flags, language="c"):
    path = folder / "x.o"
    command = ["gcc", "-O2", *flags, "-x", language, "-c", "-o", str(path), "-"]
    subprocess.run(command, input=text.encode(), check=True)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("real", "ours", "said"),
    [
        ("int f(void) { return 1; }", "int f(void) { return 2; }", ""),
        ("int f(void) { return 1; }", "int g(void) { return 1; }", "does not define f"),
        ("int f(void) { return 1; }", "int f(void) { return 1; } int g;", "defines g too"),
        ("int f(void) { return 1; }", "int h(void); int f(void) { return h(); }", "asks for h"),
        ("int x[3];", "int x[4];", "x has 16 bytes, not 12"),
        ("int x;", "int x(void) { return 1; }", "of another type"),
        ("int f(void) { return 1; }", "__attribute__((weak)) int f(void) { return 1; }", "weak"),
        ("int f(void) { return 1; }",
         '__attribute__((visibility("hidden"))) int f(void) { return 1; }', "visible"),
        ("__thread int x;", "int x;", "of another type"),
        ('__attribute__((section("mine"), used)) static int x = 1;', "", "section mine"),
        ('__attribute__((section("mine"), used)) static int x = 1;',
         '__attribute__((section("mine"), used)) static long x = 1;', "section mine has 8"),
        ("extern int x __attribute__((weak)); int *f(void) { return &x; }",
         "extern int x; int *f(void) { return &x; }", "could do without"),
        # What every C library has may be asked for anew; mathematics where it is linked.
        ("int f(void) { return 1; }",
         "#include <stdio.h>\nint f(void) { return puts(\"\"); }", ""),
        ("double f(double x) { return x; }",
         "double sin(double); double f(double x) { return sin(x); }", "asks for sin"),
        ("double cos(double); double f(double x) { return cos(x); }",
         "double sin(double); double f(double x) { return sin(x); }", ""),
    ],
)  # fmt: skip
def test_what_the_linker_sees(tmp_path, real, ours, said):
    found = mismatch(compiled(tmp_path, real), compiled(tmp_path, ours), False)
    assert said in found and bool(said) == bool(found)


def test_inline_functions_of_cxx_need_not_be_there(tmp_path):
    one = compiled(tmp_path, "inline int f() { return 1; } int (*g)() = f;", language="c++")
    other = compiled(tmp_path, "static int f() { return 1; } int (*g)() = f;", language="c++")
    assert mismatch(one, other, True) == "" == mismatch(other, one, True)
    assert "does not define _Z1fv" in mismatch(one, other, False)


def test_common_symbols_protection_and_machines(tmp_path):
    plain = compiled(tmp_path, "int x;")
    assert "common" in mismatch(plain, compiled(tmp_path, "int x;", "-fcommon"), False)
    text = "int f(void) { return 1; }"
    bare = compiled(tmp_path, text, "-fcf-protection=none")
    marked = compiled(tmp_path, text, "-fcf-protection=full")
    assert "control-flow" in mismatch(marked, bare, False)
    copy = "#include <string.h>\nchar b[8]; void f(const char *s) { strcpy(b, s); }"
    strong = compiled(tmp_path, copy, "-D_FORTIFY_SOURCE=2")
    if b"__strcpy_chk" in strong:
        assert "__strcpy_chk" in mismatch(strong, compiled(tmp_path, copy), False)


def test_what_clang_makes_of_abstract_classes_fits(tmp_path, toolchain):
    text = """
    struct Shape { Shape(); virtual ~Shape(); virtual int area() const = 0; int n; };
    Shape::Shape() : n(1) {}
    Shape::~Shape() {}
    struct Square final : Shape { int area() const override; };
    int Square::area() const { return n * n; }
    """
    path = tmp_path / "y.o"
    command = [toolchain.need_clang(), "-Oz", "-stdlib=libstdc++", "-xc++", "-c", "-o", path, "-"]
    subprocess.run(command, input=text.encode(), check=True)
    assert mismatch(compiled(tmp_path, text, language="c++"), path.read_bytes(), True) == ""

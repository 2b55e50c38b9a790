"""What is put right in text before LLVM sees it."""

from hypothesis import given
from hypothesis import strategies as st

from irsmith.tasks.text import counted


def test_strings_have_the_length_that_their_type_says():
    wrong = '@a = constant [5 x i8] c"ab\\0A\\00", align 1\n@b = constant [9 x i8] c"\\\\x"\n'
    assert counted(wrong) == wrong.replace("[5 x", "[4 x").replace("[9 x", "[2 x")
    other = "@t = constant [3 x i32] [i32 1, i32 2, i32 3]\n%1 = alloca [7 x i8]\n"
    assert counted(other) == other


@given(st.binary(max_size=40))
def test_a_true_length_stays(data):
    signs = "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\{b:02X}" for b in data)
    text = f'@s = private constant [{len(data)} x i8] c"{signs}", align 1'
    assert counted(text) == text

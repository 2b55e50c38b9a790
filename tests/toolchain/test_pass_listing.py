"""The listing of opt, read from a text that has one line of each kind."""

import pytest

from irsmith.toolchain.pass_listing import Listed, ListingError, read_listing

TEXT = """\
Module passes:
  globalopt
  print<dxil-metadata>
Module passes with params:
  alloc-token<mode=<mode>>
  print<structural-hash><detailed;call-target-ignored>
Module alias analyses:
  globals-aa
Function passes with params:
  scalarizer<load-store;min-bits=N;>
LoopNest passes:
  loop-flatten
Machine module passes (WIP):
Machine function analyses (WIP):
  edge-bundles
"""


def test_every_kind_of_line():
    assert read_listing(TEXT) == (
        Listed("globalopt", "module", "pass"),
        Listed("print<dxil-metadata>", "module", "pass"),
        Listed("alloc-token", "module", "pass", ("mode=<mode>",)),
        Listed("print<structural-hash>", "module", "pass", ("detailed", "call-target-ignored")),
        Listed("globals-aa", "module", "alias analysis"),
        Listed("scalarizer", "function", "pass", ("load-store", "min-bits=N")),
        Listed("loop-flatten", "loop", "pass"),
        Listed("edge-bundles", "machine", "analysis"),
    )


@pytest.mark.parametrize(
    "text", ["  sroa\n", "Region passes:\n  x\n", "Loop passes with params:\n  plain\n"]
)
def test_another_format_is_refused(text):
    with pytest.raises(ListingError):
        read_listing(text)

"""The line that says how far a run is."""

import io

import pytest

from irsmith.parallel.progress import duration, meter


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_rate_is_of_this_run_and_the_line_goes_away(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    out, now = Terminal(), iter([0.0, 10.0, 40.0])
    tell = meter("labels", out, lambda: next(now))
    tell(100, 500)
    tell(120, 500)
    tell(500, 500)
    assert out.getvalue().split("\r\033[K") == [
        "",
        "labels 100/500",
        "labels 120/500, 2 a second, 3 min left",
        "",
    ]


def test_nothing_is_printed_elsewhere():
    out = io.StringIO()
    meter("labels", out)(1, 2)
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (190, "3 min"), (3599, "1 h 00 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text

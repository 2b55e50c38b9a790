"""What tests share: the toolchain, a cache of their own, small sources."""

import signal

import pytest
from hypothesis import settings
from shared_source import SOURCE

from irsmith.toolchain.find import find_toolchain

# Started in the background by some shells, we and our children would not hear Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no reason to fail.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def toolchain():
    return find_toolchain()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing that was kept on this machine may make a test pass."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IRSMITH_CACHE", str(folder))
        yield folder


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "sample.c"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="session")
def bitcode(toolchain):
    from irsmith.toolchain.clang import DEFAULT_TARGETS, to_bitcode

    return to_bitcode(toolchain, SOURCE.encode(), "c", DEFAULT_TARGETS["X86"])

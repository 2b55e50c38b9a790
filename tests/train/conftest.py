"""Runs of training are exact only on one thread."""

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A data folder with two stages."""
    from packed import write_stage

    root = tmp_path_factory.mktemp("data")
    write_stage(root, "pretrain", documents=60)
    write_stage(root, "disassemble", documents=60, answer=True)
    return root

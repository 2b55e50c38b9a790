"""What the tests of inference share: a tiny release with the shipped tokenizer, its engines."""

import pytest

torch = pytest.importorskip("torch")


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny matrices are slower on two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def releases(tmp_path_factory):
    """A release with tied matrices and one without."""
    from tiny_release import SHAPES, network_of, write_release

    made = {}
    for tied, shape in SHAPES.items():
        folder = tmp_path_factory.mktemp("release")
        made[tied] = write_release(folder, network_of(shape))
    return made


@pytest.fixture(scope="session")
def release(releases):
    return releases[True]


@pytest.fixture(scope="session")
def model(release):
    """The default engine on one thread."""
    from irsmith.infer.load import open_model

    return open_model(release, "onnxruntime", threads=1)

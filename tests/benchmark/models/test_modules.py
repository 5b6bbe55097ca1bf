"""A model's file and the modules beside it: found, told apart, hashed, and seen by its children."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import find_model
from benchmark.models.worker.environments import Interpreter, WorkerEnvironment
from cohorts.errors import ModelError
from tests.benchmark.fake_records import FakeRecords, scores_of

PLACES = pytest.mark.parametrize(
    "environment", [None, WorkerEnvironment(Interpreter(sys.executable))], ids=["here", "worker"]
)

MODEL = """
{line}

class Model:
    card = {{"name": "several-files", "outputs": ["AF", "LVH"], "trained_on": []}}

    def predict(self, batch):
        return net.scores(batch.signals)
"""
NET = """
def scores(signals):
    return signals.std(axis=2)[:, :2] * {factor}
"""


def write(folder: Path, line: str, name: str, factor: int = 2) -> str:
    """Write a model of two files, of which the second has a path below the first's folder."""
    folder.mkdir(exist_ok=True)
    (folder / "model.py").write_text(MODEL.format(line=line))
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(NET.format(factor=factor))
    return f"{folder / 'model.py'}:Model"


def factor_of(source: ModelSource) -> float:
    records = FakeRecords()
    found = scores_of(source.build("cpu"), records) / records.signals.std(axis=2)[:, :2]
    np.testing.assert_allclose(found, found[0, 0])
    return float(found[0, 0])


@pytest.fixture(autouse=True)
def modules_of_their_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forget the modules and the folders of a test with it."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("net_of_mine", "parts_of_mine", "mine", "shared_net", "net_of_parents"):
            del sys.modules[name]


@PLACES
@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import net_of_mine as net", "net_of_mine.py"),
        ("from parts_of_mine import net", "parts_of_mine/net.py"),
        ("from . import net", "net.py"),
        ("from .parts import net", "parts/net.py"),
    ],
)
def test_modules_beside_the_file(
    line: str, name: str, environment: WorkerEnvironment | None, tmp_path: Path
) -> None:
    source = find_model(write(tmp_path / "one", line, name), environment)
    assert source.model_class is not None
    assert factor_of(source) == 2
    changed = find_model(write(tmp_path / "other", line, name, factor=3))
    assert changed.code_hash != source.code_hash
    assert factor_of(changed) == 3  # though a module of that name is here already


@PLACES
@pytest.mark.parametrize(
    "line", ["from mine import net", "from . import net", "from ..mine import net", "import mine.net as net"]
)
def test_a_file_in_a_package(line: str, environment: WorkerEnvironment | None, tmp_path: Path) -> None:
    package = tmp_path / "mine"
    write(package, line, "net.py")
    for folder in (package, tmp_path / "mine" / "deeper"):
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    if ".." in line:
        (package / "model.py").rename(package / "deeper" / "model.py")
        with (package / "deeper" / "model.py").open("r+") as file:
            text = file.read().replace("from ..mine import", "from .. import")
            file.seek(0)
            file.write(text)
            file.truncate()
    model = next(package.rglob("model.py"))
    assert factor_of(find_model(f"{model}:Model", environment)) == 2


@PLACES
@pytest.mark.parametrize("package", ["baselines", "benchmark", "cohorts", "scipy"])
@pytest.mark.parametrize("initial", [True, False])
def test_its_own_packages_come_before_those_of_the_suite(
    package: str,
    initial: bool,
    environment: WorkerEnvironment | None,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "leadboard")
    spec = write(tmp_path, f"from {package} import net", f"{package}/net.py")
    if initial:
        (tmp_path / package / "__init__.py").touch()
    source = find_model(spec, environment)
    assert factor_of(source) == 2
    said = f"runs in a process of its own: here '{package}' is the name of another module"
    assert (said in caplog.text) == (environment is None)


def test_a_module_of_the_same_name_beside_another_model(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sources = [
        find_model(write(tmp_path / name, "import shared_net as net", "shared_net.py", factor))
        for name, factor in (("a", 2), ("b", 3))
    ]
    assert [factor_of(source) for source in (*sources, *sources)] == [2, 3, 2, 3]
    assert caplog.text.count("a process of its own: here 'shared_net'") == 1


def test_what_is_no_python_file_is_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "locked_package"
    write(package, "from . import net", "net.py")
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    before = [
        find_model(f"{place}:Model").code_hash for place in (package / "model.py", "locked_package.model")
    ]
    (package / ".#net.py").symlink_to("somebody@host.123:456")  # as an editor locks a file
    (package / "folder.py").mkdir()
    os.mkfifo(package / "pipe.py")
    after = [
        find_model(f"{place}:Model").code_hash for place in (package / "model.py", "locked_package.model")
    ]
    assert after == before


CHILDREN = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import numpy as np
{line}

def spread(signals):
    return net.scores(signals[None])[0]

class Model:
    card = {{"name": "with-children", "outputs": ["AF", "LVH"], "trained_on": []}}

    def predict(self, batch):
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return np.array(list(pool.map(spread, batch.signals, chunksize=99)))
"""


@PLACES
@pytest.mark.parametrize(
    ("line", "name"), [("import net_of_parents as net", "net_of_parents.py"), ("from . import net", "net.py")]
)
def test_children_that_are_started_anew_can_import_it(
    line: str, name: str, environment: WorkerEnvironment | None, tmp_path: Path
) -> None:
    spec = write(tmp_path, line, name)
    (tmp_path / "model.py").write_text(CHILDREN.format(line=line))
    assert factor_of(find_model(spec, environment)) == 2


def test_a_package_that_fails_to_start_is_a_model_error(tmp_path: Path) -> None:
    spec = write(tmp_path / "failing", "from . import net", "net.py")
    (tmp_path / "failing" / "__init__.py").write_text("import a_package_that_is_not_there")
    for _ in range(2):
        with pytest.raises(ModelError, match="a_package_that_is_not_there"):
            find_model(spec)

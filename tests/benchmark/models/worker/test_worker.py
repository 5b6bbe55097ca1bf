"""The worker alone: it runs in old environments, and shows a model what the contract says and no more."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.models.contract import Batch
from benchmark.models.plugins import find_model
from benchmark.models.worker import modules
from benchmark.models.worker.environments import VARIABLES, WORKER, Interpreter
from benchmark.models.worker.remote import RemoteModel
from cohorts.errors import ModelError
from tests.benchmark.fake_records import FakeRecords, scores_of
from tests.benchmark.models.worker.conftest import OLD_NUMPY

PLUGINS = Path(__file__).parents[3] / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"


def test_the_same_scores_from_another_environment(old_python: str) -> None:
    records = FakeRecords(windows=2)
    with RemoteModel(GOOD, Interpreter(old_python)) as model:
        assert model.packages["numpy"] == OLD_NUMPY != np.__version__
        scores = scores_of(model, records)
    with pytest.raises(ModelError, match="Importing cohorts raised ModuleNotFoundError"):
        RemoteModel("cohorts:Model", Interpreter(old_python))
    np.testing.assert_array_equal(scores, scores_of(find_model(GOOD).build("cpu"), records))


@pytest.mark.parametrize("name", ["worker", "handed", "standalone", "leftovers", "modules", "pipes"])
def test_it_needs_python_3_8_and_nothing_installed(name: str) -> None:
    tree = ast.parse(WORKER.with_name(f"{name}.py").read_text(), feature_version=(3, 8))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    beside = {node.module for node in imports if isinstance(node, ast.ImportFrom) and node.level}
    assert beside <= {"leftovers", "standalone"}
    imports = [node for node in imports if not getattr(node, "level", 0)]
    names = {
        name.partition(".")[0]
        for node in imports
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert "os" in names
    assert names <= sys.stdlib_module_names
    vermin = Path(sys.executable).with_name("vermin")
    newer = subprocess.run(
        (vermin, "--target=3.8-", "--no-tips", "-vv", WORKER.with_name(f"{name}.py")),
        capture_output=True,
        text=True,
    )
    assert newer.returncode == 0, newer.stdout


def test_code_is_hashed_as_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGINS.parent))
    for spec in (GOOD, "plugins.good:Amplitude"):
        source = find_model(spec)
        assert modules.code_hash(sys.modules[source.model_class.__module__]) == source.code_hash


CURIOUS = """
import json, os, sys

class Curious:
    card = {"name": "curious", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        seen = {
            "batch": sorted(vars(batch)), "length": len(batch), "argv": sys.argv[1:], "cwd": os.getcwd(),
            "path": sys.path, "threads": os.environ.get("OMP_NUM_THREADS"), "home": os.environ.get("HOME"),
            "dtypes": [a.dtype.str for a in (batch.signals, batch.age, batch.sex)],
            "contiguous": batch.signals.flags.c_contiguous, "writable": batch.signals.flags.writeable,
            "variables": sorted(os.environ),
            "sex": batch.sex.tolist(), "nan": [a != a for a in batch.age.tolist()],
        }
        with open(os.environ["SEEN"], "w") as file:
            json.dump(seen, file)
        return batch.age[:, None] * 0
"""


@pytest.mark.parametrize("threads", [None, "3"])
def test_what_a_model_can_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: str | None) -> None:
    (tmp_path / "curious.py").write_text(CURIOUS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEN", "seen.json")
    monkeypatch.setenv("DATABASE_PASSWORD", "secret")
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("OMP_NUM_THREADS", threads) if threads else monkeypatch.delenv(
        "OMP_NUM_THREADS", raising=False
    )
    batch = Batch(
        np.zeros((3, 2, 50), np.float32),
        np.array([50, np.nan, 0], np.float32),
        np.array(["female", "", "male"]),
    )
    with RemoteModel("curious.py:Curious", Interpreter(sys.executable, variables=("SEEN",))) as model:
        answer = model.predict(batch)
    np.testing.assert_array_equal(answer, [[0], [np.nan], [0]])
    seen = json.loads(Path("seen.json").read_text())
    assert seen["batch"] == ["age", "sex", "signals"]
    assert (seen["length"], seen["argv"]) == (3, [])
    assert (seen["cwd"], seen["threads"], seen["home"]) == (str(tmp_path), threads, "/somewhere")
    assert set(seen["variables"]) <= {*VARIABLES, "SEEN", "LEADBOARD_WORKER"}
    assert str(WORKER.parent) not in seen["path"]
    assert seen["dtypes"] == ["<f4", "<f4", "<U6"]
    assert seen["contiguous"]
    assert seen["writable"]
    assert seen["sex"] == ["female", "", "male"]
    assert seen["nan"] == [False, True, False]


def test_it_ends_in_order_when_the_suite_closes_the_pipe() -> None:
    process = subprocess.run(
        [sys.executable, str(WORKER)], input=b"", capture_output=True, start_new_session=True
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, b"", b"")


def test_names_that_a_package_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_models.py").write_text((PLUGINS / "good.py").read_text())
    (tmp_path / "theirs-1.0.dist-info").mkdir()
    (tmp_path / "theirs-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\n")
    (tmp_path / "theirs-1.0.dist-info" / "entry_points.txt").write_text(
        "[leadboard.models]\ntheir-amplitude = their_models:Amplitude\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    for spec in ("their-amplitude", "their_models:Amplitude"):
        with RemoteModel(spec, Interpreter(sys.executable)) as model:
            assert model.card.name == "amplitude"
    with pytest.raises(ModelError, match=r"offers a model 'their-amplitud'; there are: .*their-amplitude"):
        RemoteModel("their-amplitud", Interpreter(sys.executable))

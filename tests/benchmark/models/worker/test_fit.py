"""A model that learns in a worker learns what it would learn here, and a training that ends badly is told."""

from __future__ import annotations

import functools
import gc
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.conformance.mock import CONCEPTS, mock_cohort
from benchmark.models.contract import Encoder, FitSettings, Trainable
from benchmark.models.plugins import find_model
from benchmark.models.worker import process
from benchmark.models.worker.containers import Container
from benchmark.models.worker.environments import Deadlines, Interpreter
from benchmark.models.worker.handed import Records as HandedRecords
from benchmark.models.worker.handing import hand_over
from benchmark.models.worker.remote import RemoteModel
from benchmark.protocols.harmonise import PreparedRecords
from cohorts.errors import LeadboardError, ModelError
from tests.benchmark.models.worker.conftest import OLD_NUMPY, install
from tests.benchmark.models.worker.processes import on_linux, wait_until

PLUGIN = Path(__file__).parents[3] / "plugins" / "learning.py"
NEAREST = f"{PLUGIN}:Nearest"
HERE = Interpreter(sys.executable)
SOURCE = find_model(NEAREST)


@functools.cache
def records(number: int, seed: int) -> PreparedRecords:
    return mock_cohort(number, seed, gaps=True).records(SOURCE.card.input, CONCEPTS)


def fit(model: Any, place: Path, seed: int = 3) -> None:
    folder = place / "unfinished"
    folder.mkdir(exist_ok=True)
    model.fit(records(24, 1), records(12, 2), FitSettings(CONCEPTS, seed, "cpu", folder))


def saved(model: Any, place: Path) -> Path:
    folder = place / "weights"
    folder.mkdir()
    model.save(folder)
    return folder


@pytest.fixture(scope="module")
def learnt_here(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Weights that the model has learnt in this process, and its scores."""
    model, place = SOURCE.build("cpu"), tmp_path_factory.mktemp("here")
    fit(model, place)
    return saved(model, place), model.predict(records(12, 2).batch(range(12)))


def the_same(one: Path, other: Path) -> None:
    with np.load(one / "weights.npz") as first, np.load(other / "weights.npz") as second:
        assert list(first) == list(second)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])
            assert first[name].dtype == second[name].dtype


def test_it_learns_saves_and_loads_as_in_this_process(learnt_here: tuple[Path, Any], tmp_path: Path) -> None:
    weights, scores = learnt_here
    batch = records(12, 2).batch(range(12))
    with RemoteModel(NEAREST, HERE) as model:
        assert isinstance(model, Trainable)
        assert not isinstance(model, Encoder)
        assert model.protocols == ("as-is",)
        assert model.card.outputs == ()
        fit(model, tmp_path)
        assert model.card.outputs == CONCEPTS
        np.testing.assert_array_equal(model.predict(batch), scores)
        the_same(saved(model, tmp_path), weights)
    assert (tmp_path / "unfinished" / "note.txt").read_text() == "12 []"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["unfinished", "weights"]
    with RemoteModel(NEAREST, HERE) as other:
        other.load(tmp_path / "weights")
        assert other.card.outputs == CONCEPTS
        np.testing.assert_array_equal(other.predict(batch), scores)


def test_a_model_that_does_not_learn_has_no_fit() -> None:
    with RemoteModel(f"{PLUGIN.with_name('good.py')}:Amplitude", HERE) as model:
        assert not isinstance(model, Trainable)
        assert not hasattr(model, "load")


def test_what_is_handed_over_is_what_the_suite_has(tmp_path: Path) -> None:
    here = records(24, 1)
    there = HandedRecords(**hand_over(here, tmp_path / "part", SOURCE.card.input))
    assert len(there) == len(here) == 24
    assert there.labels.equals(here.labels)
    assert set(there.labels.dtypes) == {np.dtype(np.int8)}
    assert there.labels is there.labels
    for rows in ([3, 0, 3], np.array([-1]), range(24), np.arange(24)[::-2]):
        for name in ("signals", "age", "sex"):
            one, other = getattr(there.batch(rows), name), getattr(here.batch(rows), name)
            np.testing.assert_array_equal(one, other)
            assert one.dtype.kind == other.dtype.kind
    sizes = [len(batch) for batch in there.batches(10)]
    assert sizes == [len(batch) for batch in here.batches(10)] == [10, 10, 4]
    batch = there.batch([1])
    batch.signals[:] = 7  # a model may write into what it is given
    np.testing.assert_array_equal(there.batch([1]).signals, here.batch([1]).signals)
    with pytest.raises(IndexError):
        there.batch([24])
    assert not isinstance(there.batch([0]).signals.base, np.memmap)


def test_a_file_that_has_become_shorter_is_no_recording(tmp_path: Path) -> None:
    there = HandedRecords(**hand_over(records(12, 2), tmp_path / "part", SOURCE.card.input))
    os.truncate(tmp_path / "part" / "signals", 100)
    with pytest.raises(OSError, match="has become shorter"):
        there.batch([0])


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(LeadboardError, match=r"cannot be written to .+ \(No such file or directory\); free"):
        hand_over(records(12, 2), tmp_path / "nowhere" / "part", SOURCE.card.input)


@on_linux
def test_memory_holds_a_batch_and_no_cohort(tmp_path: Path) -> None:
    """72 MB of recordings are read within an address space that has 50 MB left."""
    shape = (1000, 12, 1500)
    (tmp_path / "signals").write_bytes(bytes(4 * 1000 * 12 * 1500))
    for name, kind in (("age", "<f4"), ("sex", "<U6"), ("labels", "i1")):
        np.save(tmp_path / f"{name}.npy", np.zeros(shape[0], kind))
    code = (
        "import resource, sys; from pathlib import Path; import numpy\n"
        "sys.path.insert(0, sys.argv[1]); from handed import Records\n"
        f"records = Records(sys.argv[2], {shape}, [])\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 50 * 2**20,) * 2)\n"
        "print(sum(float(batch.signals.sum()) + len(batch) for batch in records.batches(32)))\n"
    )
    where = str(Path(process.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, where, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("1000.0\n", "")


def test_processes_of_the_model_can_read_too(tmp_path: Path) -> None:
    with RemoteModel(f"{PLUGIN}:Forks", HERE) as model:
        fit(model, tmp_path)
        assert model.card.outputs == CONCEPTS


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("KilledInFit", r"killedinfit\.fit: the worker was killed by SIGKILL, as happens where memory runs"),
        ("RaisesInFit", r"raisesinfit\.fit raised RuntimeError at learning\.py:\d+: loss is NaN"),
        ("HangsInFit", r"hangsinfit\.fit: the worker did not answer within 0\.5 s at learning\.py:\d+; see "
                       r"--fit-deadline; its last words: epoch 1 of 3"),
    ],
)  # fmt: skip
def test_a_training_that_ends_badly(name: str, words: str, tmp_path: Path) -> None:
    with RemoteModel(f"{PLUGIN}:{name}", HERE, Deadlines(fit=0.5)) as model:
        with pytest.raises(ModelError, match=words) as caught:
            fit(model, tmp_path)
        assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["unfinished"]


@on_linux
def test_the_limit_of_memory_holds_while_it_learns(tmp_path: Path) -> None:
    place, words = Interpreter(sys.executable, 4 * 2**30), r"fit raised MemoryError.*--memory allows 4 GiB"
    with RemoteModel(f"{PLUGIN}:AllocatesInFit", place) as model, pytest.raises(ModelError, match=words):
        fit(model, tmp_path)


def test_the_deadline_of_a_batch_is_not_that_of_a_training(tmp_path: Path) -> None:
    with RemoteModel(NEAREST, HERE, Deadlines(batch=0.001)) as model:
        fit(model, tmp_path)
        saved(model, tmp_path)


def test_a_long_training_shows_that_it_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process, "BEAT", 0.2)
    with (
        caplog.at_level(logging.INFO, "leadboard"),
        RemoteModel(f"{PLUGIN}:HangsInFit", HERE, Deadlines(fit=1.0)) as model,
        pytest.raises(ModelError, match="within 1 s"),
    ):
        fit(model, tmp_path)
    said = [record.getMessage() for record in caplog.records]
    assert 2 <= len(said) <= 4
    assert said[-1] == "hangsinfit.fit: 0:00:01 so far in a process of its own; it says: epoch 1 of 3"


def test_what_was_learnt_and_lost_is_not_answered_for(learnt_here: tuple[Path, Any], tmp_path: Path) -> None:
    weights, scores = learnt_here
    batch = records(12, 2).batch(range(12))
    with RemoteModel(f"{PLUGIN}:DiesOnceAsked", HERE) as model:
        fit(model, tmp_path)
        folder = saved(model, tmp_path)
        for expected in ("was killed by SIGKILL", "what it has learnt is lost with its worker"):
            with pytest.raises(ModelError, match=expected):
                model.predict(batch)
        model.load(folder)
        np.testing.assert_array_equal(model.predict(batch), scores)
        the_same(folder, weights)
        os.kill(model._workers._worker.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match="SIGKILL"):
            model.predict(batch)
        np.testing.assert_array_equal(model.predict(batch), scores)  # a fresh worker has loaded it again
        os.kill(model._workers._worker.pid, signal.SIGKILL)
        with pytest.raises(ModelError, match="SIGKILL"):
            model.predict(batch)
        shutil.rmtree(folder)
        for _ in range(2):  # and never answers without having loaded it
            with pytest.raises(ModelError, match=r"diesonceasked\.load raised FileNotFoundError"):
                model.predict(batch)


def test_an_older_environment_learns_too_once_it_has_pandas(
    old_python: str, learnt_here: tuple[Path, Any], tmp_path: Path
) -> None:
    place = Interpreter(old_python)
    words = r"pandas cannot be imported there \(No module named 'pandas'\); install it there"
    with RemoteModel(NEAREST, place) as model, pytest.raises(ModelError, match=words):
        fit(model, tmp_path)
    install(old_python, "pandas==2.2.3", "python-dateutil", "pytz", "tzdata", "six")
    with RemoteModel(NEAREST, place) as model:
        assert model.packages["numpy"] == OLD_NUMPY
        fit(model, tmp_path)
        found = saved(model, tmp_path)
    with np.load(found / "weights.npz") as there, np.load(learnt_here[0] / "weights.npz") as here:
        np.testing.assert_allclose(there["weights"], here["weights"], rtol=1e-4, atol=1e-5)


def test_the_files_of_a_training_are_none_of_the_models(tmp_path: Path) -> None:
    files: dict[str, Any] = {}
    with RemoteModel(NEAREST, HERE, files=files) as model:
        fit(model, tmp_path)
        model.load(saved(model, tmp_path))
        model.predict(records(12, 2).batch([0]))
    assert files == {}


@pytest.fixture
def cycles_off() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@on_linux
@pytest.mark.usefixtures("cycles_off")
def test_the_worker_ends_with_a_model_that_has_learnt(tmp_path: Path) -> None:
    model = RemoteModel(NEAREST, HERE)
    fit(model, tmp_path)
    worker = model._workers._worker.pid
    del model
    wait_until(lambda: not Path(f"/proc/{worker}").exists(), 2)


def test_a_container_is_shown_what_it_learns_from_and_what_it_loads(
    engine: Path, learnt_here: tuple[Path, Any], tmp_path: Path
) -> None:
    weights, scores = learnt_here
    with RemoteModel(NEAREST, Container("some/image:1")) as model:
        fit(model, tmp_path)
        the_same(saved(model, tmp_path), weights)
    with RemoteModel(NEAREST, Container("some/image:1")) as other:
        other.load(weights)
        np.testing.assert_array_equal(other.predict(records(12, 2).batch(range(12))), scores)
    calls = (engine.parent / "log").read_text().strip().split("\n\n")
    assert [f"{tmp_path}:{tmp_path}" in call.split("\n") for call in calls] == [False, True, False, False]
    assert [f"{weights}:{weights}:ro" in call.split("\n") for call in calls] == [False, False, False, True]
    assert all("--network\nnone" in call for call in calls)


def test_ctrl_c_ends_a_training_and_leaves_no_recordings(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import tests.benchmark.models.worker.test_fit as t\n"
        "t.fit(t.RemoteModel(f'{t.PLUGIN}:HangsInFit', t.HERE), Path(sys.argv[1]))\n"
    )
    suite = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=PLUGIN.parents[2], stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: any(tmp_path.glob(".training.*/validation/sex.npy")), 60)
        time.sleep(0.3)
        suite.send_signal(signal.SIGINT)
        _, words = suite.communicate(timeout=20)
    finally:
        suite.kill()
    assert "KeyboardInterrupt" in words
    assert [path.name for path in tmp_path.iterdir()] == ["unfinished"]

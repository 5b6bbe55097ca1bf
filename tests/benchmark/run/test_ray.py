"""The Ray engine: what a cell takes, and that nothing depends on where it is computed."""

from __future__ import annotations

import contextlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.run_folder import load_run_file
from benchmark.run.elsewhere import answer, pack
from benchmark.run.engines import begin
from benchmark.run.planning import make_plan
from benchmark.run.ray_engine import RayEngine
from benchmark.run.ray_resources import places_for, share_of, task_options
from benchmark.run.states import RunOptions
from cohorts.errors import UsageError
from tests.benchmark.run.ray_runs import ROOT, finish, predictions, start, wait_until
from tests.releases import write_challenge, write_ptb_xl

GOOD = f"{ROOT / 'tests/plugins/good.py'}:Amplitude"
BAD = f"{ROOT / 'tests/plugins/bad.py'}:Raises"
SLOW = """
import time
from pathlib import Path

HERE = Path(__file__).parent

class Slow:
    card = {"name": "slow", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):
        (HERE / "began").touch()
        deadline = time.monotonic() + 120
        while not (HERE / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return batch.signals.std(axis=2)[:, :2]
"""
DEADLY = """
import os

class Deadly:
    def __init__(self):
        self.card = {"name": "deadly", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):
        os._exit(3)
"""
GPUS = {"CPU": 64.0, "GPU": 8.0}
QUIET = Reporter(quiet=True)


def test_a_cell_takes_one_gpu_and_its_share_of_the_processors() -> None:
    share = share_of(Hardware("cuda:1", workers=16), [GPUS, {"CPU": 4.0}])
    assert (share.device, share.workers) == ("cuda", 8)
    assert places_for(share, [GPUS, GPUS, {"CPU": 4.0}]) == 16
    options = task_options(share)
    assert (options["num_gpus"], options["num_cpus"], options["retry_exceptions"]) == (1, 8, False)


def test_without_a_gpu_a_cell_takes_its_threads() -> None:
    share = share_of(Hardware("cpu", workers=2), [{"CPU": 0.0}, {"CPU": 5.0}])
    assert (share.device, share.workers, places_for(share, [{"CPU": 5.0}, {}])) == ("cpu", 2, 2)
    assert task_options(share)["num_gpus"] == 0
    assert share_of(Hardware("cpu", workers=32), [{"CPU": 5.0}, {"CPU": 9.0}]).workers == 5


def test_a_cluster_that_lacks_what_is_asked_for_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="has a GPU; try --device cpu"):
        share_of(Hardware("cuda", workers=1), [{"CPU": 4.0}])
    with pytest.raises(UsageError, match="has a processor"):
        share_of(Hardware("cpu", workers=1), [{"CPU": 0.0}])


def test_refused_machines_are_left_out() -> None:
    selector = task_options(Hardware("cpu", workers=1), {"b", "a"})["label_selector"]
    assert selector == {"ray.io/node-id": "!in(a,b)"}


def test_a_ray_that_does_not_start_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray")

    def init(**_: object) -> None:
        raise Exception("The current node timed out during startup. This could happen because")

    monkeypatch.setattr(ray, "init", init)
    words = r"^Ray does not start on this machine \(The current node timed out .*\); .*--engine local\.$"
    with pytest.raises(UsageError, match=words), RayEngine("") as engine:
        engine._inbox()


def test_without_ray_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'leadboard\[ray\]'"):
        RayEngine("")


def test_what_cannot_be_unpacked_here_is_refused() -> None:
    assert "nowhere_at_all" in answer(b"cnowhere_at_all\nx\n.", QUIET).refused
    assert answer(pickle.dumps(1), QUIET).refused


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data", "georgia")
    (folder / "deadly.py").write_text(DEADLY)
    return folder


def test_other_data_or_code_elsewhere_are_refused_before_anything_is_computed(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = RunOptions(
        tmp_path / "run",
        Places(home / "data", tmp_path / "cache"),
        RunSettings(resamples=50),
        Hardware("cpu", workers=1),
        models=[GOOD],
        cohorts=["georgia"],
    )
    plan = make_plan(options, Reporter())
    begin(plan)
    packed = pack(plan.tasks[0], plan, options.hardware, scored=False)
    found = answer(packed, QUIET)
    assert found.predictions is not None
    assert found.thresholds is not None
    job = pickle.loads(packed)
    other = replace(job, cell={**job.cell, "predictions_key": "0" * 64})
    assert "other code, packages, weights or data there" in answer(pickle.dumps(other), QUIET).refused
    georgia, ptb_xl = (plan.options.places.cache.rglob(f"*{name}*.h5") for name in ("georgia", "ptb-xl"))
    (store,) = georgia
    shutil.copy(next(ptb_xl), store)
    assert str(store) in answer(packed, QUIET).refused
    store.unlink()
    own = answer(packed, QUIET)  # a machine with a disk of its own prepares its own store
    assert own.predictions is not None
    assert own.predictions.table.equals(found.predictions.table)
    store.unlink()
    release = home / "data/challenge-2021/training/georgia"
    release.rename(home / "elsewhere")
    try:
        refused = answer(packed, QUIET).refused
    finally:
        (home / "elsewhere").rename(release)
    assert f"{store} is not there, and georgia cannot be prepared there: it is not found" in refused
    (tmp_path / "run/run.json").unlink()
    assert answer(packed, QUIET).refused


def processes_of(call: subprocess.Popen[str]) -> list[str]:
    """Ray's own processes that a call has started, by the name of its session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return [line for line in found if re.search(rf"/session_[\d_-]+_{call.pid}\b", line)]


@pytest.mark.slow
def test_ray_computes_what_one_process_computes_and_goes_on_past_what_fails(home: Path) -> None:
    models = [word for name in (GOOD, BAD, "prevalence", "age-sex") for word in ("--model", name)]
    assert finish(start(home, *models, "--out", "here", cache="here-cache"))[0] == 1
    code, said = finish(start(home, *models, "--engine", "ray", "--out", "ray", cache="ray-cache"))
    assert code == 1, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert len(predictions(home / "here")) > 8
    here, there = (
        {cell.name: (cell.key, cell.status, cell.reason) for cell in load_run_file(home / name).cells}
        for name in ("here", "ray")
    )
    assert here == there
    assert {status for _, status, _ in here.values()} == {"done", "failed"}


@pytest.mark.slow
def test_a_model_that_ends_its_process_has_failed(home: Path) -> None:
    options = ["--engine", "ray", "--cohort", "georgia", "--out", "deadly"]
    code, said = finish(start(home, "--model", "deadly.py:Deadly", "--model", GOOD, *options))
    assert code == 1, said
    cells = {cell.model: cell for cell in load_run_file(home / "deadly").cells}
    assert cells["amplitude"].status == "done"
    assert "ended without a word" in (cells["deadly"].reason or "")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_who_is_ended_leaves_no_cluster_and_goes_on_later(home: Path, number: int, code: int) -> None:
    place = home / f"slow-{number}"
    place.mkdir()
    (place / "slow.py").write_text(SLOW)
    command = ["--engine", "ray", "--model", str(place / "slow.py:Slow"), "--out", str(place / "run")]
    first = start(home, *command)
    wait_until((place / "began").exists)
    first.send_signal(number)
    assert finish(first)[0] == code
    wait_until(lambda: not processes_of(first))
    folders = [path.parent for path in Path(gettempdir()).glob(f"lb-*/session_*_{first.pid}")]
    assert len(folders) == (number == signal.SIGKILL)
    for folder in folders:
        shutil.rmtree(folder)
    (place / "go").touch()
    assert finish(start(home, *command))[0] == 0
    assert {cell.status for cell in load_run_file(place / "run").cells} == {"done"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_machine_that_dies_is_replaced_by_another(home: Path, cluster: Any) -> None:
    place = home / "dying"
    place.mkdir()
    (place / "slow.py").write_text(SLOW)
    dying = cluster.add_node(num_cpus=1)
    model = ["--model", str(place / "slow.py:Slow"), "--model", GOOD]
    run = start(home, "--engine", "ray", "--address", cluster.address, *model, "--out", str(place / "run"))
    wait_until((place / "began").exists)
    cluster.add_node(num_cpus=1)
    cluster.remove_node(dying, allow_graceful=False)
    (place / "go").touch()
    code, said = finish(run)
    assert code == 0, said
    assert {cell.status for cell in load_run_file(place / "run").cells} == {"done"}

"""Several calls at work in one folder, or one cache: nothing is lost, nothing is computed twice at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.run_folder import load_cells, load_run_file
from benchmark.records.verification import verify
from benchmark.run.cohorts import labelled
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from tests.benchmark.tiny_run import SETTINGS
from tests.releases import write_challenge, write_ptb_xl

ROOT = Path(__file__).parents[3]
MEET = """
import time
from pathlib import Path

HERE = Path(__file__).parent

def meet(own, other):  # so that both calls have made their plans before one of them has a result
    (HERE / own).touch()
    deadline = time.monotonic() + 60
    while not (HERE / other).exists() and time.monotonic() < deadline:
        time.sleep(0.02)

class First:
    card = {"name": "first", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):
        meet("first", "second")
        return batch.signals.std(axis=2)[:, :2]

class Second:
    card = {"name": "second", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):
        meet("second", "first")
        return -batch.signals.std(axis=2)[:, :2]
"""
RANDOM = """
import numpy as np

class Random:
    card = {"name": "random", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):  # other scores in each process
        return np.random.default_rng().random((len(batch), 2))
"""
SLOW = """
import os, time
from pathlib import Path
import numpy as np

HERE = Path(__file__).parent

class Slow:
    def __init__(self):
        self.card = {"name": "slow", "outputs": [], "trained_on": []}

    def fit(self, training, validation, settings):
        assert not (settings.folder / "busy").exists() or (HERE / "killed").exists()
        (settings.folder / "busy").touch()
        with (HERE / "fits").open("a") as file:
            file.write(f"{os.getpid()}\\n")
        deadline = time.monotonic() + 60
        while not (HERE / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.card = self.card | {"outputs": list(settings.concepts)}

    def predict(self, batch):
        return np.tile(batch.signals.std(axis=2)[:, :1], len(self.card["outputs"]))

    def save(self, folder):
        (folder / "outputs").write_text("\\n".join(self.card["outputs"]))

    def load(self, folder):
        self.card = self.card | {"outputs": (folder / "outputs").read_text().split("\\n")}
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases, models, and predictions of Georgia that were made elsewhere."""
    folder = tmp_path_factory.mktemp("home")
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data", "georgia")
    (folder / "random_scores.py").write_text(RANDOM)
    (folder / "slow.py").write_text(SLOW)
    cohort = folder / "data/challenge-2021/training/georgia"
    names = sorted(path.stem for path in cohort.rglob("*.hea"))
    table = pd.DataFrame({"record_id": names, "AF": [at / len(names) for at in range(len(names))]})
    table.to_csv(folder / "scores.csv", index=False)
    command = [sys.executable, "-m", "benchmark", "prepare", "--data", "data"]
    subprocess.run([*command, "georgia", "ptb-xl"], cwd=folder, env=environment(folder), check=True)
    return folder


def environment(home: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEADBOARD_")}
    return kept | {"LEADBOARD_CACHE": str(home / "cache"), "PYTHONPATH": str(ROOT)}


def start(home: Path, *arguments: str) -> subprocess.Popen[str]:
    command = (sys.executable, "-m", "benchmark", *arguments)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, cwd=home, env=environment(home), stdout=pipe, stderr=pipe, text=True, start_new_session=True
    )


def start_run(home: Path, out: Path, *models: str) -> subprocess.Popen[str]:
    named = [f"--model={model}" for model in models]
    return start(home, "run", "--data=data", f"--out={out}", "--resamples=50", *named)


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a call printed, and what it said; it must have gone well."""
    printed, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    return printed, said


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.02)


def again(home: Path, out: Path, *models: str) -> str:
    places = Places(home / "data", home / "cache")
    return run(RunOptions(out, places, SETTINGS, Hardware(), models=models), Reporter()).sentence


def on_page(out: Path) -> set[str]:
    content = json.loads((out / "leaderboard.json").read_text())
    return {row["model"] for ranking in content["rankings"] for row in ranking["rows"]}


@pytest.mark.parametrize("attempt", [0, *(pytest.param(more, marks=pytest.mark.slow) for more in (1, 2))])
def test_two_runs_into_one_folder_lose_nothing(home: Path, tmp_path: Path, attempt: int) -> None:
    (tmp_path / "meet.py").write_text(MEET)
    specs = [f"{tmp_path / 'meet.py'}:{name}" for name in ("First", "Second")]
    for process in [start_run(home, tmp_path / "run", spec) for spec in specs]:
        finish(process)
    assert on_page(tmp_path / "run") == {"first", "second"}
    assert again(home, tmp_path / "run", *specs) == "Nothing to do: all 4 cells are done."


@pytest.mark.slow  # soak is full of such pairs
def test_a_run_and_a_score_into_one_folder_lose_nothing(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    spec = f"{home / 'random_scores.py'}:Random"
    both = [
        start_run(home, out, spec),
        start(
            home,
            *("score", "scores.csv", "--cohort=georgia", "--name=mine", "--data=data"),
            *(f"--out={out}", "--resamples=50"),
        ),
    ]
    for process in both:
        finish(process)
    assert {cell.model for cell in load_run_file(out).cells} == {"random", "mine"}
    assert all(cell.status == "done" for cell in load_run_file(out).cells)
    assert again(home, out, spec) == "Nothing to do: all 2 cells are done."


def test_one_cell_that_two_calls_want_is_computed_by_one(home: Path, tmp_path: Path) -> None:
    spec = f"{home / 'random_scores.py'}:Random"
    out = tmp_path / "run"
    for process in [start_run(home, out, spec) for _ in range(2)]:
        finish(process)
    found = verify(out, labelled(Places(home / "data", home / "cache"), Reporter()))
    assert not found.differences
    assert not found.unchecked
    assert len(load_cells(out)[1]) == 2
    assert again(home, out, spec) == "Nothing to do: all 2 cells are done."


def test_one_training_waits_for_the_other_and_finds_it_done(home: Path, tmp_path: Path) -> None:
    for name in ("go", "fits", "killed"):
        (home / name).unlink(missing_ok=True)
    spec = f"{home / 'slow.py'}:Slow"
    train = ("train", spec, "--data=data", f"--cache={tmp_path / 'cache'}")
    first = start(home, *train)
    wait_for(home / "fits")
    second = start(home, *train)
    assert second.stderr is not None
    waiting = next(line for line in second.stderr if "Waiting" in line)
    assert "Waiting for another call that is making the weights in " in waiting
    (home / "go").touch()
    finish(first)
    finish(second)
    assert len((home / "fits").read_text().splitlines()) == 1


@pytest.mark.slow  # soak is full of such pairs
def test_a_training_takes_over_from_one_that_was_killed(home: Path, tmp_path: Path) -> None:
    for name in ("go", "fits", "killed"):
        (home / name).unlink(missing_ok=True)
    spec = f"{home / 'slow.py'}:Slow"
    train = ("train", spec, "--data=data", f"--cache={tmp_path / 'cache'}")
    first = start(home, *train)
    wait_for(home / "fits")
    second = start(home, *train)
    assert second.stderr is not None
    next(line for line in second.stderr if "Waiting" in line)
    (home / "killed").touch()
    (home / "go").touch()
    first.send_signal(signal.SIGKILL)
    first.communicate()
    finish(second)
    (weights,) = (tmp_path / "cache/models/slow").iterdir()
    assert {path.name for path in weights.iterdir()} == {".lock", "made.json", "weights"}

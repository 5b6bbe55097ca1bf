"""A model that a run trains in a worker: the same scores as in this process, kept like any other training."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmark.config import Places
from benchmark.models.worker.environments import Deadlines, Interpreter, WorkerEnvironment
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.run.runner import Outcome, run
from benchmark.run.states import RunOptions
from tests.benchmark.tiny_run import make_places

PLUGINS = Path(__file__).parents[2] / "plugins"
LEARNING = PLUGINS / "learning.py"
ELSEWHERE = WorkerEnvironment(Interpreter(sys.executable), Deadlines(fit=60))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("places"))


def evaluate(
    folder: Path, places: Places, *models: str, environment: WorkerEnvironment | None = ELSEWHERE
) -> Outcome:
    settings = RunSettings(resamples=20)
    options = RunOptions(folder, places, settings, Hardware(), models=models, environment=environment)
    return run(options, Reporter())


def artifacts(places: Places, name: str) -> list[Path]:
    return sorted((places.cache / "models" / name).glob("*/made.json"))


def test_the_same_scores_as_in_this_process_and_trained_once(places: Places, tmp_path: Path) -> None:
    spec = f"{LEARNING}:Nearest"
    assert evaluate(tmp_path / "here", places, spec, environment=None).failed == 0
    [here] = artifacts(places, "nearest")
    assert evaluate(tmp_path / "there", places, spec).failed == 0
    there = next(made for made in artifacts(places, "nearest") if made != here)
    facts = [json.loads(made.read_bytes()) for made in (here, there)]
    assert facts[0]["weights_sha256"] == facts[1]["weights_sha256"]
    assert facts[0]["training"].pop("key") != facts[1]["training"].pop("key")
    assert facts[0] == facts[1]
    for cohort in ("ptb-xl", "georgia"):
        one, other = (
            pd.read_parquet(tmp_path / place / f"nearest/as-is/{cohort}.parquet")
            for place in ("here", "there")
        )
        pd.testing.assert_frame_equal(one, other, check_exact=True)
        record = json.loads((tmp_path / "there" / f"nearest/as-is/{cohort}.json").read_bytes())
        assert record["provenance"]["packages"]["model's python"]
        assert record["provenance"]["files"] == []
    before = there.stat().st_mtime_ns
    assert evaluate(tmp_path / "again", places, spec).failed == 0
    assert there.stat().st_mtime_ns == before
    assert {path.name for path in there.parent.iterdir()} == {".lock", "made.json", "weights"}


@pytest.mark.parametrize(
    ("name", "words"), [("KilledInFit", "was killed by SIGKILL"), ("RaisesInFit", "loss is NaN")]
)
def test_a_training_that_ends_badly_costs_that_model_alone(
    name: str, words: str, places: Places, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad, good = f"{LEARNING}:{name}", f"{PLUGINS / 'good.py'}:Amplitude"
    outcome = evaluate(tmp_path / "run", places, bad, good)
    assert {(cell.model, cell.cohort) for cell in outcome.failures} == {
        (name.lower(), "ptb-xl"),
        (name.lower(), "georgia"),
    }
    assert outcome.computed == 2
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("FAILED")]
    assert len(said) == 2
    assert all(words in line for line in said)
    assert not artifacts(places, name.lower())


def test_what_was_left_of_a_killed_training_is_swept(places: Places, tmp_path: Path) -> None:
    spec = f"{LEARNING}:Nearest"
    assert evaluate(tmp_path / "first", places, spec).failed == 0
    for made in artifacts(places, "nearest"):
        made.unlink()
        (made.parent / ".training.abcdefgh" / "training").mkdir(parents=True)
        (made.parent / "unfinished").mkdir()
        (made.parent / "unfinished" / "epoch-3").touch()
    assert evaluate(tmp_path / "second", places, spec).failed == 0
    [made] = artifacts(places, "nearest")
    assert {path.name for path in made.parent.iterdir()} == {".lock", "made.json", "weights"}


def test_a_folder_with_packages_of_the_suites_names_is_trained_too(places: Places, tmp_path: Path) -> None:
    (tmp_path / "baselines").mkdir()
    shutil.copy(LEARNING, tmp_path / "baselines" / "nets.py")
    (tmp_path / "own.py").write_text(
        "from baselines.nets import Nearest\n\n\n"
        "class Own(Nearest):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.card = {**self.card, 'name': 'own'}\n"
    )
    assert evaluate(tmp_path / "run", places, f"{tmp_path / 'own.py'}:Own", environment=None).failed == 0
    assert evaluate(tmp_path / "here", places, f"{LEARNING}:Nearest", environment=None).failed == 0
    scores = [
        pd.read_parquet(tmp_path / place / "as-is/georgia.parquet") for place in ("run/own", "here/nearest")
    ]
    pd.testing.assert_frame_equal(*scores, check_exact=True)

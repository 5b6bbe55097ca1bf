"""A model that tells the age: asked in a run, shown on its page, recomputed by whoever verifies."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr

from benchmark.config import Places
from benchmark.models.worker.environments import Interpreter, WorkerEnvironment
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import AGE, load_predictions, save_predictions, score_tables
from benchmark.records.record import load_record
from benchmark.records.verification import verify
from benchmark.report.writing import write_report
from benchmark.run.cohorts import prepare_cohort
from benchmark.run.runner import Outcome, run
from benchmark.run.states import RunOptions
from cohorts.labelled import Labelled
from tests.benchmark.tiny_run import edit_json, make_places

TELLING = """
import numpy as np

class Telling:
    card = {"name": "telling", "outputs": ["AF", "LVH"], "trained_on": [], "input": {"seconds": 5}}

    def predict(self, batch):
        return batch.signals[:, :2, 0] + batch.signals.std(axis=2)[:, :2]

    def embed(self, batch):
        return batch.signals.std(axis=2)

    def ages(self, batch):
        return 40 + 10 * batch.signals[:, 1].std(axis=1) + np.nan_to_num(batch.age, nan=50) / 2


class Broken(Telling):
    card = {**Telling.card, "name": "broken"}

    def ages(self, batch):
        return batch.signals.std(axis=2)
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return make_places(tmp_path_factory.mktemp("places"))


@pytest.fixture(scope="module")
def plugin(places: Places) -> str:
    assert places.data is not None
    file = places.data.parent / "telling.py"
    file.write_text(TELLING)
    return str(file)


def evaluate(folder: Path, places: Places, *models: str, elsewhere: bool = False) -> Outcome:
    options = RunOptions(
        folder,
        places,
        RunSettings(resamples=100, seed=4),
        Hardware(),
        models=models,
        environment=WorkerEnvironment(Interpreter(sys.executable)) if elsewhere else None,
    )
    return run(options, Reporter())


@pytest.fixture(scope="module")
def folder(places: Places, plugin: str) -> Path:
    assert places.data is not None
    folder = places.data.parent / "run"
    assert evaluate(folder, places, f"{plugin}:Telling").failed == 0
    return folder


def stores(places: Places) -> object:
    def give(cohort: str, *, signals: bool = True) -> Labelled:
        return prepare_cohort(cohort, places, Reporter())

    return give


def test_ages_stand_in_every_record_and_are_no_scores(places: Places, folder: Path) -> None:
    store = prepare_cohort("georgia", places, Reporter())
    record = load_record(folder / "telling/as-is/georgia.json")
    table, _ = load_predictions(folder / "telling/as-is/georgia.parquet")
    assert list(table) == ["record_id", "AF", "LVH", AGE]
    assert score_tables(table)[1] == ["AF", "LVH"]
    assert list(record.evaluation.concepts) == ["AF", "LVH"]
    stated = store.index["age"].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(stated)
    told = table[AGE].to_numpy(float)
    assert record.age is not None
    assert record.age.n == known.sum()
    assert record.age.correlation.value == pytest.approx(pearsonr(told[known], stated[known])[0], abs=1e-9)
    assert record.age.correlation.interval is not None
    probed = load_record(folder / "telling/linear-probe-10/georgia.json")
    assert probed.age == record.age


def test_the_page_shows_them_once_a_cohort(folder: Path) -> None:
    write_report(folder)
    record = load_record(folder / "telling/as-is/georgia.json")
    assert record.age is not None
    shown = f"{record.age.correlation.value:.3f} ["
    for page in ("leaderboard.html", "leaderboard.md"):
        text = (folder / page).read_text().replace('<span class="ends">', "")
        part = text[text.index("Age told from the ECG beside the stated age") :]
        assert part.count(shown) == 1
        assert "seed 4" in part


def test_a_worker_tells_the_same(places: Places, plugin: str, folder: Path, tmp_path: Path) -> None:
    assert evaluate(tmp_path / "run", places, f"{plugin}:Telling", elsewhere=True).failed == 0
    one, other = (load_record(run / "telling/as-is/ptb-xl.json").age for run in (folder, tmp_path / "run"))
    assert one == other
    assert one is not None


def test_ages_that_are_none_cost_the_cell(places: Places, plugin: str, tmp_path: Path) -> None:
    outcome = evaluate(tmp_path / "run", places, f"{plugin}:Broken")
    assert outcome.computed == 0
    reasons = {str(cell.reason) for cell in outcome.failures}
    assert all("broken.ages returned an array of shape (" in reason for reason in reasons)


def test_whoever_verifies_finds_other_ages_and_another_figure(places: Places, folder: Path) -> None:
    before = verify(folder, stores(places))  # type: ignore[arg-type]
    assert not before.differences
    path = folder / "telling/as-is/georgia.json"
    edit_json(path, lambda record: record["age"]["correlation"].update(value=0.99))
    found = [str(one) for one in verify(folder, stores(places)).differences]  # type: ignore[arg-type]
    assert any("age.correlation.value is stated as 0.99" in one for one in found)
    table, key = load_predictions(path.with_suffix(".parquet"))
    save_predictions(table.drop(columns=AGE), key, path.with_suffix(".parquet"))
    found = [str(one) for one in verify(folder, stores(places)).differences]  # type: ignore[arg-type]
    assert any("its card and training ask for" in one for one in found)

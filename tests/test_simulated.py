"""Nobody may mistake a simulated record for a patient: the mark follows it from the folder to the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.config import Places
from benchmark.models.plugins import find_model
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.training import plan_training
from benchmark.records.measuring import RunSettings
from benchmark.records.record import load_record
from benchmark.report.writing import write_report
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from cohorts.catalogue import find_cohort, open_cohort
from cohorts.cohort import MARKER
from cohorts.preparing import prepare
from cohorts.simulator.simulate import simulate


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simulated")
    simulate(root, sites=["ptb-xl", "georgia"], scale=0.15)
    return root


def test_the_mark_is_on_the_card_of_that_folder_only(data: Path) -> None:
    cohort = open_cohort("georgia", data)
    assert cohort is not None
    assert cohort.card.simulated
    assert not find_cohort("georgia").card.simulated


def test_a_store_is_made_again_when_the_mark_comes_or_goes(data: Path, tmp_path: Path) -> None:
    def simulated() -> bool:
        cohort = open_cohort("georgia", data)
        assert cohort is not None
        return prepare(cohort, tmp_path).card.simulated

    marker = data / "challenge-2021/training/georgia" / MARKER
    text = marker.read_text()
    assert simulated()
    marker.unlink()
    try:
        assert not simulated()
    finally:
        marker.write_text(text)
    assert simulated()


def test_a_model_trained_on_simulated_recordings_says_so(data: Path, tmp_path: Path) -> None:
    cohort = open_cohort("ptb-xl", data)
    assert cohort is not None
    plan = plan_training(find_model("prevalence"), prepare(cohort, tmp_path), tmp_path, seed=0)
    assert plan.card.description.startswith("Trained by this suite on SIMULATED recordings.")


def test_records_tables_and_page_are_marked(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    options = RunOptions(
        folder, Places(data, tmp_path / "cache"), RunSettings(resamples=50), Hardware(), ["prevalence"]
    )
    outcome = run(options, Reporter())
    assert outcome.failed == 0
    record = load_record(folder / "prevalence/as-is/georgia.json")
    assert record.cohort.simulated
    assert record.cohort.release_records is None
    write_report(folder)
    assert "not from patients" in (folder / "leaderboard.html").read_text()
    rows = (folder / "leaderboard.csv").read_text().splitlines()
    column = rows[0].split(",").index("simulated")
    assert {row.split(",")[column].lower() for row in rows[1:]} == {"true"}
    assert "simulated" in json.dumps(json.loads((folder / "leaderboard.json").read_text()))
    for line in (folder / "leaderboard.md").read_text().splitlines():
        if line.startswith("| georgia"):
            assert "simulated" in line


def test_a_second_simulation_writes_nothing(data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    simulate(data, sites=["ptb-xl", "georgia"], scale=0.15)
    assert before == {path: path.stat().st_mtime_ns for path in data.rglob("*")}

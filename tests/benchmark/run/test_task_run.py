"""``run --task``: who takes part, on which records, and that nothing of it is ranked."""

from __future__ import annotations

from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.records.run_folder import load_cells, load_run_file
from benchmark.records.verification import verify
from benchmark.report.ranking import make_boards
from benchmark.report.writing import write_report
from benchmark.run.cohorts import labelled, prepare_cohort
from benchmark.run.planning import RunOptions
from benchmark.run.runner import Outcome
from benchmark.run.runner import run as run_cells
from cohorts.errors import UsageError
from tests.releases import write_challenge, write_ptb_xl

MODELS = """
class Both:
    outputs = ["PTBXL_NORM", "AF", "PTBXL_CD", "PTBXL_HYP", "PTBXL_MI", "PTBXL_STTC"]
    card = {"name": "both", "outputs": outputs, "trained_on": []}

    def predict(self, batch):
        return batch.signals[:, :6].std(axis=2)


class Few:
    card = {"name": "few", "outputs": ["AF", "LVH"], "trained_on": []}

    def predict(self, batch):
        return batch.signals[:, :2, 0]
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data", records=10)
    (folder / "models.py").write_text(MODELS)
    return folder


def run(home: Path, folder: Path, *models: str, **more: object) -> Outcome:
    places = Places(home / "data", home / "cache")
    options = RunOptions(folder, places, RunSettings(resamples=30), Hardware(), models=models, **more)  # type: ignore[arg-type]
    return run_cells(options, Reporter())


@pytest.fixture(scope="module")
def done(home: Path) -> Path:
    names = (f"{home / 'models.py'}:Both", f"{home / 'models.py'}:Few", "age-sex", "prevalence")
    outcome = run(home, home / "super", *names, task="ptbxl-super")
    assert (outcome.cells, outcome.failed) == (3, 0)
    return home / "super"


def test_models_learn_from_the_tasks_folds_and_are_measured_on_its_test_fold(home: Path, done: Path) -> None:
    record = load_record(done / "age-sex/as-is/ptbxl-super.json")
    assert record.model.outputs == ("PTBXL_HYP", "PTBXL_NORM"), "what can be learnt from these records"
    assert record.model.trained_on == ("ptb-xl",)
    assert record.training[0].source == "ptbxl-super"
    assert (record.relation, record.records.selection, record.records.scored) == ("internal", "test", 12)
    assert record.provenance.thresholds.source == "ptbxl-super"
    both = load_record(done / "both/as-is/ptbxl-super.json")
    assert (both.relation, both.records.selection) == ("external", "test")
    assert set(both.evaluation.concepts) == {f"PTBXL_{name}" for name in ("NORM", "CD", "HYP", "MI", "STTC")}


def test_a_model_without_the_classes_is_left_out_and_says_why(done: Path) -> None:
    absent = {model.model: model.reason for model in load_run_file(done).absent_models}
    assert set(absent) == {"few"}
    assert absent["few"].startswith("its outputs lack 5 classes of ptbxl-super (PTBXL_CD, PTBXL_HYP,")


def test_the_authors_average_is_stated_and_is_the_mean_over_every_class(home: Path, done: Path) -> None:
    record = load_record(done / "both/as-is/ptbxl-super.json")
    store = prepare_cohort("ptbxl-super", Places(home / "data", home / "cache"), Reporter())
    test = store.index["fold"] == 10
    predictions, _ = load_predictions(done / "both/as-is/ptbxl-super.parquet")
    values = [
        roc_auc_score(store.labels.loc[test, name], predictions[name]) for name in ("PTBXL_NORM", "PTBXL_HYP")
    ]
    notes = " ".join(record.evaluation.notes)
    assert f"(2 of 5), the macro AUROC is {sum(values) / 2:.4f};" in notes
    assert "Published task ptbxl-super" in notes
    assert record.evaluation.macro.concepts == (), "six of each are too few for the macro average"


def test_it_verifies_and_nothing_is_ranked(home: Path, done: Path) -> None:
    found = verify(done, labelled(Places(home / "data", home / "cache"), Reporter()))
    assert (found.differences, found.unchecked) == ([], [])
    plan, cells = load_cells(done)
    (board,) = make_boards(plan, [record for _, record in cells])
    assert board.of_task
    assert all(standing.rank is None for standing in board.standings)
    assert board.cohorts == ()
    write_report(done)
    page = (done / "leaderboard.md").read_text()
    assert "## Published task, not ranked: macro AUROC on its test records" in page
    assert "next hospital" not in page
    assert "published task: PTB-XL, 5 diagnostic superclasses" in page


def test_an_eligible_external_cell_is_not_ranked_either(home: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    write_ptb_xl(many / "data", records=400)
    places = Places(many / "data", tmp_path / "cache")
    options = RunOptions(
        tmp_path / "run",
        places,
        RunSettings(resamples=10),
        Hardware(),
        models=(f"{home / 'models.py'}:Both",),
        task="ptbxl-super",
    )
    run_cells(options, Reporter())
    plan, cells = load_cells(tmp_path / "run")
    (board,) = make_boards(plan, [record for _, record in cells])
    assert board.reference == {"ptbxl-super": ("PTBXL_NORM", "PTBXL_HYP")}
    assert board.left_out == {"ptbxl-super": "a published task, beside the ranking across hospitals"}
    assert [(s.rank, s.why_unranked) for s in board.standings] == [(None, "a published task")]


def test_a_task_and_cohorts_do_not_share_a_folder(home: Path, done: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is of ptbxl-super, and a published task has a folder of its own"):
        run(home, done, "prevalence", task="ptbxl-sub")
    with pytest.raises(UsageError, match="is of ptbxl-super"):
        run(home, done, "prevalence")


def test_a_task_whose_cohort_is_not_here_or_that_cannot_be_learnt(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cpsc-2018 was not found in"):
        run(home, tmp_path / "run", "prevalence", task="cpsc-nine")
    outcome = run(home, tmp_path / "run", "prevalence", task="ptbxl-form")
    assert [failure.reason for failure in outcome.failures] == [
        "None of the ptbxl-form records here is in a training fold; get more of the release."
    ]

"""A run end to end on tiny releases: plan, train, score, resume, and the record that comes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run_file
from benchmark.run.runner import Outcome
from benchmark.run.runner import run as run_cells
from benchmark.run.states import RunOptions
from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.preparing import prepare
from tests.releases import write_challenge, write_ptb_xl

PLUGINS = Path(__file__).parents[2] / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root)
    write_challenge(root, "georgia")
    write_challenge(root, "ptb-xl", records=4)
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run(
    folder: Path, data: Path, cache: Path, *models: str, settings: RunSettings | None = None, **more: object
) -> Outcome:
    settings = settings or RunSettings(resamples=100)
    hardware = more.pop("hardware", Hardware())
    options = RunOptions(folder, Places(data, cache), settings, hardware, models=models, **more)  # type: ignore[arg-type]
    return run_cells(options, Reporter())


def test_the_record_agrees_with_scikit_learn(tmp_path: Path, data: Path, cache: Path) -> None:
    assert run(tmp_path, data, cache, GOOD) == Outcome(cells=2, computed=2, failures=())
    record = load_record(tmp_path / "amplitude/as-is/georgia.json")
    predictions, _ = load_predictions(tmp_path / "amplitude/as-is/georgia.parquet")
    cohort = open_cohort("georgia", data)
    assert cohort is not None
    store = prepare(cohort, cache)
    assert list(predictions["record_id"]) == list(store.index["record_id"])
    for concept in ("AF", "LVH"):
        truth = store.labels[concept].to_numpy()
        known = truth >= 0
        metrics = record.evaluation.concepts[concept]
        assert (metrics.n, metrics.positives) == (known.sum(), (truth == 1).sum())
        assert metrics.auroc.value == pytest.approx(
            roc_auc_score(truth[known], predictions[concept][known]), abs=1e-12
        )
        assert metrics.auprc.value == pytest.approx(
            average_precision_score(truth[known], predictions[concept][known]), abs=1e-12
        )
    assert record.relation == "external"
    assert record.records.scored == record.records.found == 40
    assert record.cohort.fingerprint == store.fingerprint


def test_the_plan_names_the_device_and_the_record_too(
    tmp_path: Path, data: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, data, cache, GOOD, cohorts=["georgia"], hardware=Hardware(workers=2))
    device = load_record(tmp_path / "amplitude/as-is/georgia.json").provenance.device
    assert f"  on {device}; 2 threads prepare signals\n" in capsys.readouterr().err
    run(tmp_path, data, cache, GOOD, cohorts=["georgia"], hardware=Hardware("cpu", workers=1))
    assert "  on cpu; 1 thread prepares signals\n" in capsys.readouterr().err


def test_a_second_run_does_nothing_and_a_damaged_cell_is_made_again(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    run(tmp_path, data, cache, GOOD)
    paths = sorted(tmp_path.rglob("*.json")) + sorted(tmp_path.rglob("*.parquet"))
    before = {path: path.stat().st_mtime_ns for path in paths if path.name != "run.json"}
    assert run(tmp_path, data, cache, GOOD).computed == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}
    victim = tmp_path / "amplitude/as-is/georgia.json"
    victim.write_text(victim.read_text()[:100])
    assert run(tmp_path, data, cache, GOOD).computed == 1
    load_record(victim)


def test_other_resamples_reuse_the_predictions(tmp_path: Path, data: Path, cache: Path) -> None:
    run(tmp_path, data, cache, GOOD)
    predictions = tmp_path / "amplitude/as-is/georgia.parquet"
    before = predictions.stat().st_mtime_ns
    first = load_record(predictions.with_suffix(".json"))
    assert run(tmp_path, data, cache, GOOD, settings=RunSettings(resamples=50)).computed == 2
    second = load_record(predictions.with_suffix(".json"))
    assert predictions.stat().st_mtime_ns == before
    assert second.evaluation.bootstrap.resamples == 50
    assert first.key != second.key
    assert first.evaluation.concepts["AF"].auroc.value == second.evaluation.concepts["AF"].auroc.value


def test_tampered_predictions_are_not_reused(tmp_path: Path, data: Path, cache: Path) -> None:
    run(tmp_path, data, cache, GOOD)
    path = tmp_path / "amplitude/as-is/georgia.parquet"
    genuine = pd.read_parquet(path)
    from benchmark.records.predictions import save_predictions

    _, key = load_predictions(path)
    forged = genuine.assign(**dict.fromkeys(("AF", "LVH"), np.ones(40, np.float32)))
    save_predictions(forged, key, path)
    run(tmp_path, data, cache, GOOD, settings=RunSettings(resamples=60))
    pd.testing.assert_frame_equal(pd.read_parquet(path), genuine)


def test_a_trained_model_is_internal_on_its_test_fold_only(tmp_path: Path, data: Path, cache: Path) -> None:
    assert run(tmp_path, data, cache, "prevalence", "age-sex").failed == 0
    internal = load_record(tmp_path / "prevalence/as-is/ptb-xl.json")
    external = load_record(tmp_path / "prevalence/as-is/georgia.json")
    assert (internal.relation, internal.records.selection) == ("internal", "test")
    assert (external.relation, external.records.selection) == ("external", "all")
    assert internal.records.scored + internal.records.unselected == internal.records.found == 120
    assert internal.model.trained_on == ("ptb-xl",)
    assert [fit.source for fit in internal.training] == ["ptb-xl"]
    predictions, _ = load_predictions(tmp_path / "prevalence/as-is/ptb-xl.parquet")
    table = pd.read_csv(data / "ptb-xl/ptbxl_database.csv", dtype={"ecg_id": str}).set_index("ecg_id")
    folds = {int(table.loc[str(int(record_id)), "strat_fold"]) for record_id in predictions["record_id"]}
    assert folds == {10}
    assert external.evaluation.macro.auroc.value == 0.5


def test_the_renamed_copy_is_never_evaluated_beside_the_original(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    run(tmp_path, data, cache, GOOD)
    content = load_run_file(tmp_path)
    assert {cell.cohort for cell in content.cells} == {"ptb-xl", "georgia"}
    assert "holds recordings of ptb-xl" in next(
        item.reason for item in content.absent if item.cohort == "challenge-ptb-xl"
    )
    with pytest.raises(UsageError, match="evaluate one of the two"):
        run(tmp_path, data, cache, GOOD, cohorts=["ptb-xl", "challenge-ptb-xl"])


@pytest.mark.parametrize("name", ["WrongShape", "Nan", "Raises", "Exits", "UnknownOutput", "RaisesOnBuild"])
def test_a_broken_model_fails_alone(tmp_path: Path, data: Path, cache: Path, name: str) -> None:
    outcome = run(tmp_path, data, cache, f"{PLUGINS / 'bad.py'}:{name}", GOOD)
    assert (outcome.cells, outcome.failed) == (4, 2)
    states = {(cell.model, cell.cohort): cell for cell in load_run_file(tmp_path).cells}
    assert {cell.status for (model, _), cell in states.items() if model == "amplitude"} == {"done"}
    bad = [cell for (model, _), cell in states.items() if model != "amplitude"]
    assert len(bad) == 2
    assert all(cell.status == "failed" and cell.reason for cell in bad)


def test_batch_size_threads_and_neighbours_do_not_change_a_result(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    run(tmp_path / "a", data, cache, GOOD, hardware=Hardware(batch_size=1, workers=1))
    run(tmp_path / "b", data, cache, GOOD, hardware=Hardware(batch_size=32, workers=3), cohorts=["georgia"])
    a, b = (load_record(tmp_path / name / "amplitude/as-is/georgia.json") for name in "ab")
    assert a.evaluation == b.evaluation
    assert a.predictions == b.predictions
    assert a.key == b.key


def test_a_later_call_adds_to_the_table(tmp_path: Path, data: Path, cache: Path) -> None:
    run(tmp_path, data, cache, GOOD)
    run(tmp_path, data, cache, "prevalence", cohorts=["georgia"])
    done = {(cell.model, cell.cohort) for cell in load_run_file(tmp_path).cells if cell.status == "done"}
    assert done == {("amplitude", "ptb-xl"), ("amplitude", "georgia"), ("prevalence", "georgia")}
    run(tmp_path, data, cache, "prevalence", cohorts=["georgia"], settings=RunSettings(resamples=77))
    done = {(cell.model, cell.cohort) for cell in load_run_file(tmp_path).cells if cell.status == "done"}
    assert done == {("prevalence", "georgia")}


def test_records_are_strict_json(tmp_path: Path, data: Path, cache: Path) -> None:
    run(tmp_path, data, cache, "prevalence")

    def refuse(name: str) -> None:
        raise AssertionError(name)

    for path in tmp_path.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=refuse)


CARD = """
import numpy as np

class Model:
    card = {"name": %r, "outputs": ["AF"], "trained_on": %r}

    def predict(self, batch):
        return np.zeros((len(batch), 1))
"""


def test_a_cohort_that_does_not_exist_cannot_have_been_trained_on(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    (tmp_path / "typo.py").write_text(CARD % ("typo", ["gerogia"]))
    outcome = run(tmp_path / "run", data, cache, f"{tmp_path / 'typo.py'}:Model")
    assert outcome.failed == outcome.cells == 2
    assert all(
        "gerogia (did you mean georgia?), which is no cohort" in (c.reason or "")
        for c in load_run_file(tmp_path / "run").cells
    )


def test_what_is_known_of_a_published_model_outweighs_its_card(
    tmp_path: Path, data: Path, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "modest.py").write_text(CARD % ("ecg-fm", []))
    assert run(tmp_path / "run", data, cache, f"{tmp_path / 'modest.py'}:Model").failed == 0
    assert load_record(tmp_path / "run/ecg-fm/as-is/georgia.json").relation == "internal"
    assert "ecg-fm is known to have been trained on" in capsys.readouterr().err


def test_nothing_to_evaluate_is_a_wrong_call(tmp_path: Path, data: Path, cache: Path) -> None:
    with pytest.raises(UsageError, match="No cohort was found"):
        run(tmp_path, tmp_path, cache, GOOD)
    with pytest.raises(UsageError, match="was not found in"):
        run(tmp_path, data, cache, GOOD, cohorts=["ningbo"])
    with pytest.raises(UsageError, match="Did you mean 'georgia'"):
        run(tmp_path, data, cache, GOOD, cohorts=["gerogia"])


def test_without_its_source_a_trainable_model_fails_and_the_others_go_on(tmp_path: Path, cache: Path) -> None:
    write_challenge(tmp_path / "data", "georgia")
    outcome = run(tmp_path / "run", tmp_path / "data", cache, "prevalence", GOOD)
    assert (outcome.cells, outcome.failed) == (2, 1)
    reason = next(c.reason for c in load_run_file(tmp_path / "run").cells if c.status == "failed")
    assert reason is not None
    assert "ptb-xl" in reason

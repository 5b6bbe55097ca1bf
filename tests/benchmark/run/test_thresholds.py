"""Thresholds come from the validation fold of the source cohort and from nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.scorer import Scorer
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.run.cohorts import prepare_cohort
from benchmark.run.planning import RunOptions
from benchmark.run.runner import Outcome
from benchmark.run.runner import run as run_cells
from benchmark.run.thresholds import Validation
from tests.releases import write_challenge, write_ptb_xl

GOOD = f"{Path(__file__).parents[2] / 'plugins' / 'good.py'}:Amplitude"
FOLDER = "amplitude/as-is"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root, records=240)
    write_challenge(root, "georgia")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def run(folder: Path, data: Path, cache: Path, *models: str, resamples: int = 30, **more: object) -> Outcome:
    settings = RunSettings(resamples=resamples, records=more.pop("records", None))  # type: ignore[arg-type]
    options = RunOptions(
        folder,
        Places(data, cache),
        settings,
        Hardware(),
        models=models or (GOOD,),
        **more,  # type: ignore[arg-type]
    )
    return run_cells(options, Reporter())


def test_the_fold_is_scored_once_and_its_thresholds_are_applied(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    assert run(tmp_path, data, cache, records="test").failed == 0
    scores, _ = load_predictions(tmp_path / FOLDER / "validation.parquet")
    table = pd.read_csv(data / "ptb-xl/ptbxl_database.csv", dtype={"ecg_id": str}).set_index("ecg_id")
    rows = table.loc[[str(int(name)) for name in scores["record_id"]]]
    assert set(rows["strat_fold"]) == {9}
    assert len(rows) == (table["strat_fold"] == 9).sum()
    truth = rows["scp_codes"].str.contains("AFIB").to_numpy()
    cuts = json.loads((tmp_path / FOLDER / "thresholds.json").read_text())["concepts"]["AF"]["by_rule"]
    called = scores["AF"].to_numpy(np.float64) >= cuts["sensitivity 90 %"]
    assert called[truth].mean() >= 0.9
    values = np.sort(scores["AF"].to_numpy(np.float64))
    youden = [(scores["AF"] >= cut)[truth].mean() - (scores["AF"] >= cut)[~truth].mean() for cut in values]
    at = scores["AF"].to_numpy(np.float64) >= cuts["youden"]
    assert at[truth].mean() - at[~truth].mean() == pytest.approx(max(youden))


def test_the_evaluated_cohort_cannot_move_a_threshold(tmp_path: Path, data: Path, cache: Path) -> None:
    """Georgia with every label turned round gives other metrics and the same thresholds."""
    other = tmp_path / "other"
    write_ptb_xl(other, records=240)
    write_challenge(other, "georgia")
    for file in (other / "challenge-2021/training/georgia").rglob("*.hea"):
        text = file.read_text()
        codes = ("164889003,164873001", "426783006")
        swap = codes if codes[0] in text else codes[::-1]
        file.write_text(text.replace(*swap))
    for name, root in (("a", data), ("b", other)):
        assert run(tmp_path / name, root, cache, cohorts=["georgia"]).failed == 0
    first, second = (load_record(tmp_path / name / FOLDER / "georgia.json") for name in "ab")
    assert first.evaluation.concepts["AF"].auroc.value != second.evaluation.concepts["AF"].auroc.value
    assert first.provenance.thresholds == second.provenance.thresholds
    assert (
        first.statistics.calls["AF"]["youden"].threshold == second.statistics.calls["AF"]["youden"].threshold
    )
    assert first.provenance.thresholds.source == "ptb-xl"


def test_records_that_thresholds_were_chosen_on_are_not_called(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    """On all records of the source cohort the validation fold is among those measured."""
    run(tmp_path, data, cache, cohorts=["ptb-xl"])
    record = load_record(tmp_path / FOLDER / "ptb-xl.json")
    assert record.records.selection == "all"
    assert record.statistics.calls == {}
    assert record.statistics.why_no_calls == "they are chosen on records of ptb-xl, which are measured here"


def test_on_the_test_fold_of_the_source_they_are(tmp_path: Path, data: Path, cache: Path) -> None:
    run(tmp_path, data, cache, "prevalence", cohorts=["ptb-xl"])
    record = load_record(tmp_path / "prevalence/as-is/ptb-xl.json")
    assert (record.relation, record.records.selection) == ("internal", "test")
    assert record.provenance.thresholds.records == 24
    assert record.statistics.calls or record.evaluation.macro.concepts == ()


def test_a_renamed_copy_of_the_source_counts_as_the_source(data: Path, cache: Path) -> None:
    source = prepare_cohort("ptb-xl", Places(data, cache), Reporter())
    scorer = Scorer(cache, Hardware(), Reporter())
    copy = SimpleNamespace(card=SimpleNamespace(id="challenge-ptb-xl"))
    cell = SimpleNamespace(store=copy, selection="test")
    found = Validation(source, scorer, Reporter()).thresholds(cell)  # type: ignore[arg-type]
    assert found.concepts == {}
    assert found.reason == "they are chosen on records of ptb-xl, which are measured here"


def test_without_the_source_there_is_a_reason(tmp_path: Path, cache: Path) -> None:
    write_challenge(tmp_path / "data", "georgia")
    assert run(tmp_path / "run", tmp_path / "data", cache).failed == 0
    record = load_record(tmp_path / "run" / FOLDER / "georgia.json")
    assert record.statistics.calls == {}
    assert "ptb-xl" in (record.statistics.why_no_calls or "")
    assert "not on this machine" in (record.statistics.why_no_calls or "")
    assert not (tmp_path / "run" / FOLDER / "validation.parquet").exists()


def test_the_source_belongs_to_the_key_and_its_scores_are_reused(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    run(tmp_path, data, cache, cohorts=["georgia"])
    path = tmp_path / FOLDER / "validation.parquet"
    before, key = path.stat().st_mtime_ns, load_record(tmp_path / FOLDER / "georgia.json").key
    assert run(tmp_path, data, cache, cohorts=["georgia"], resamples=40).computed == 1
    assert path.stat().st_mtime_ns == before
    write_ptb_xl(tmp_path / "changed", records=230)
    write_challenge(tmp_path / "changed", "georgia")
    assert run(tmp_path, tmp_path / "changed", cache, cohorts=["georgia"]).computed == 1
    assert path.stat().st_mtime_ns != before
    assert load_record(tmp_path / FOLDER / "georgia.json").key != key
    path.write_bytes(b"damaged")
    (tmp_path / FOLDER / "georgia.json").unlink()
    assert run(tmp_path, tmp_path / "changed", cache, cohorts=["georgia"]).failed == 0
    load_predictions(path)


FRAGILE = """
import numpy as np

class Fragile:
    card = {"name": "fragile", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        if len(batch.signals) < 40:
            raise ValueError("too few for me")
        return batch.signals[:, :1].std(axis=2)
"""


def test_a_model_that_fails_on_the_validation_fold_keeps_its_cells(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    (tmp_path / "fragile.py").write_text(FRAGILE)
    assert (
        run(tmp_path / "run", data, cache, f"{tmp_path / 'fragile.py'}:Fragile", cohorts=["georgia"]).failed
        == 0
    )
    record = load_record(tmp_path / "run/fragile/as-is/georgia.json")
    assert record.evaluation.macro.auroc.value is not None
    assert "on the validation fold of ptb-xl" in (record.statistics.why_no_calls or "")
    assert "too few for me" in (record.statistics.why_no_calls or "")

"""`leadboard export`: predictions with labels give the run's figures, and what is not open stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

import benchmark.run.cohorts
from benchmark.commands.exporting import export
from benchmark.exchange.joining import one_run
from benchmark.report.papers.record_predictions import as_table, cell_rows, why_withheld
from cohorts.errors import LeadboardError, UsageError
from cohorts.labelled import LabelledCohorts
from tests.benchmark.measured_cells import write_measured
from tests.benchmark.report.report_factory import record

Run = tuple[Path, LabelledCohorts]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two cohorts that are open, and one that is credentialed."""
    folder = tmp_path_factory.mktemp("run")
    return folder, write_measured(folder, ("ptb-xl", "georgia", "echonext"))


@pytest.fixture
def run(measured: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The run, whose labels are found."""
    monkeypatch.setattr(benchmark.run.cohorts, "labelled", lambda places, reporter: measured[1])
    return measured[0]


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"score": np.float32}) if path.suffix == ".csv" else pd.read_parquet(path)


@pytest.mark.parametrize("file", ["all.csv", "all.parquet"])
def test_scikit_learn_finds_the_figures_of_the_run_in_the_file(run: Path, tmp_path: Path, file: str) -> None:
    assert export(run, predictions=True, out=tmp_path / file) == 0
    rows = read(tmp_path / file)
    joined = one_run(run)
    checked = 0
    for one in joined.records:
        own = rows[
            (rows.model == one.model.name) & (rows.protocol == one.protocol) & (rows.cohort == one.cohort.id)
        ]
        if one.cohort.id == "echonext":
            assert own.empty
            continue
        for concept, metrics in one.evaluation.concepts.items():
            known = own[(own.concept == concept) & own.label.notna()]
            fits = [fit for _, fit in known.groupby("fit")]
            assert len(fits) == one.statistics.fits
            assert {(len(fit), int(fit.label.sum())) for fit in fits} == {(metrics.n, metrics.positives)}
            for value, judge in ((metrics.auroc, roc_auc_score), (metrics.auprc, average_precision_score)):
                areas = [judge(fit.label.astype(int), fit.score.astype(float)) for fit in fits]
                assert np.mean(areas) == pytest.approx(value.value, abs=1e-12)
            checked += 1
    assert checked == 2 * sum(one.cohort.id != "echonext" for one in joined.records)
    assert set(rows.patient_id) >= {"p0", "p1"}


def test_what_is_not_open_leaves_only_when_asked_and_loudly(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "net.csv"
    export(run, predictions=True, model="net", out=out)
    assert set(read(out).cohort) == {"ptb-xl", "georgia"}
    said = "Left out: echonext (credentialed, its records may not be passed on)."
    assert said in capsys.readouterr().out
    export(run, predictions=True, model="net", cohort=("georgia,echonext",), restricted=True, out=out)
    assert set(read(out).cohort) == {"georgia", "echonext"}
    assert f"CAUTION: {out} holds single records of echonext" in capsys.readouterr().out
    out.unlink()
    with pytest.raises(UsageError, match="--restricted does it all the same"):
        export(run, predictions=True, cohort=("echonext",), out=out)
    assert not out.exists()


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"id": "ptb-xl"}, ""),
        ({"id": "ptb-xl", "private": True}, "a hospital's own"),
        ({"id": "ptb-xl", "private": True, "simulated": True}, "a hospital's own"),
        ({"id": "our-ward"}, "not known here"),
        ({"id": "echonext", "simulated": True}, ""),
        ({"id": "echonext"}, "credentialed, its records may not be passed on"),
    ],
)
def test_who_may_be_shown(facts: dict[str, Any], why: str) -> None:
    assert why_withheld(record("net", "georgia", facts=facts)) == why


def test_no_labels_no_file(measured: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        benchmark.run.cohorts, "labelled", lambda places, reporter: lambda cohort, /, *, signals=True: None
    )
    with pytest.raises(LeadboardError, match="not on this machine; give the folder"):
        export(measured[0], predictions=True, cohort=("georgia",), out=tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_spreadsheet_obeys_no_id(measured: Run) -> None:
    joined = one_run(measured[0])
    rows = cell_rows(joined.records[0], joined.files, measured[1])
    rows.loc[0, "record_id"] = "=1+1"
    assert b",'=1+1," in as_table([rows], ".csv")


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({}, "one of the two"),
        ({"tidy": True, "predictions": True}, "one of the two"),
        ({"tidy": True, "restricted": True}, "belong to --predictions"),
        ({"predictions": True, "out": Path("x.txt")}, "neither a .parquet nor a .csv"),
    ],
)
def test_options_that_do_not_go_together(run: Path, tmp_path: Path, asked: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        export(run, **({"out": tmp_path / "x.csv"} | asked))

"""Smooth curves and recalibration of a table of probabilities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.metrics import brier_score_loss

from benchmark.cli import app
from benchmark.scoring.against_labels import ScoreOptions, score_table
from cohorts.errors import UsageError

RECORDS, PATIENTS = 1200, 600


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    """Probabilities that are right, and the labels drawn from them; two records a patient."""
    rng = np.random.default_rng(1)
    right = expit(rng.normal(-0.5, 1.5, RECORDS))
    return pd.DataFrame(
        {
            "record_id": [f"r{at:04d}" for at in range(RECORDS)],
            "patient_id": [f"p{at // 2}" for at in range(RECORDS)],
            "AF": (rng.random(RECORDS) < right).astype(int),
            "right": right,
        }
    )


@pytest.fixture
def files(truth: pd.DataFrame, tmp_path: Path) -> tuple[Path, Path]:
    """Scores that are too high and too extreme: the log odds doubled and shifted."""
    wrong = truth[["record_id"]].assign(AF=expit(2 * logit(truth["right"]) + 1))
    wrong.to_csv(tmp_path / "scores.csv", index=False)
    truth[["record_id", "patient_id", "AF"]].to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path / "scores.csv", tmp_path / "labels.csv"


def test_a_sample_of_patients_mends_what_the_others_are_measured_on(
    files: tuple[Path, Path], truth: pd.DataFrame
) -> None:
    options = ScoreOptions(probabilities=True, recalibrate=300)
    one = score_table(*files, resamples=100, seed=3, options=options).recalibrated["AF"]
    assert (one.sample, one.n) == (600, 600)
    assert one.slope == pytest.approx(0.5, abs=0.1)  # undoes what was done to the log odds
    assert one.intercept == pytest.approx(-0.5, abs=0.2)
    assert one.brier_before is not None
    assert one.brier_after is not None
    assert one.brier_after.value is not None
    assert one.brier_before.low is not None
    assert one.brier_after.value < one.brier_before.low
    assert one.ece_after is not None
    assert one.ece_before is not None
    assert one.ece_after < one.ece_before / 2
    drawn = set(np.random.default_rng(3).choice(PATIENTS, 300, replace=False))
    rest = truth[[at // 2 not in drawn for at in range(RECORDS)]]
    wrong = expit(2 * logit(rest["right"]) + 1)
    assert one.brier_before.value == pytest.approx(brier_score_loss(rest["AF"], wrong))
    assert one.positives == rest["AF"].sum()


def test_the_curve_finds_the_frequencies(files: tuple[Path, Path]) -> None:
    curve = score_table(*files, resamples=20, options=ScoreOptions(probabilities=True)).curves["AF"]
    predicted = np.array(curve.predicted)
    right = expit((logit(predicted) - 1) / 2)
    inside = (np.array(curve.low) <= right) & (right <= np.array(curve.high))
    assert inside.mean() > 0.8
    assert curve.index is not None
    assert curve.index > 0.05
    assert curve.reason is None


def test_what_cannot_be_recalibrated_says_why(files: tuple[Path, Path]) -> None:
    def recalibrated(patients: int, seed: int = 0) -> str | None:
        options = ScoreOptions(probabilities=True, recalibrate=patients)
        return score_table(*files, resamples=20, seed=seed, options=options).recalibrated["AF"].reason

    reasons = {recalibrated(1, seed) for seed in range(8)}  # two records are often of one class
    assert any("cannot be recalibrated: no " in reason for reason in reasons if reason)
    for wrong in (PATIENTS, -1):
        with pytest.raises(UsageError, match="there are 600 patients"):
            recalibrated(wrong)


def test_from_the_command_line(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    call = ["score", str(files[0]), "--labels", str(files[1]), "--resamples", "50", "--recalibrate", "200"]
    with pytest.raises(UsageError, match="--recalibrate belongs to --probabilities"):
        app(call, exit_on_error=False, print_error=False, result_action="return_value")
    app([*call, "--probabilities"], exit_on_error=False, print_error=False, result_action="return_value")
    shown = capsys.readouterr().out
    assert "Recalibrated on a sample" in shown
    assert "400 (" in shown
    app(
        [*call, "--probabilities", "--json"],
        exit_on_error=False,
        print_error=False,
        result_action="return_value",
    )
    answer = json.loads(capsys.readouterr().out)
    assert len(answer["curves"]["AF"]["predicted"]) == 25

"""Every published model through the real command line, with random weights in its authors' layout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.cli import app
from benchmark.models.plugins import find_model
from benchmark.protocols.protocol import possible
from benchmark.records.predictions import AGE, load_predictions, predictions_path, score_matrix
from benchmark.records.record import load_record
from benchmark.records.run_folder import cell_path, load_run_file
from tests.baselines.official_files import published_models, write_official
from tests.releases import write_challenge, write_ptb_xl

# In this process, where everything is imported already; all others each in its own.
QUICK = ("ptbxl-resnet1d-wang",)
ASKED = ("zero-shot", "as-is", "linear-probe-100", "fine-tune-10")
RECORDS = {"ptb-xl": 20, "georgia": 10}
TEST_FOLD = 2


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Two small releases; what is written here is removed, since some models weigh three gigabytes."""
    write_ptb_xl(tmp_path / "data", records=2 * RECORDS["ptb-xl"])
    table = tmp_path / "data" / "ptb-xl" / "ptbxl_database.csv"
    pd.read_csv(table)[::2].to_csv(table, index=False)  # one record a patient
    write_challenge(tmp_path / "data", records=RECORDS["georgia"])
    yield tmp_path
    shutil.rmtree(tmp_path)


def in_a_process(home: Path, *words: str) -> str:
    """Call the program as a user does, and give what it says at the end."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("LEADBOARD_")}
    answer = subprocess.run(
        (sys.executable, "-m", "benchmark", *words),
        cwd=home,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert "Traceback" not in answer.stderr
    return answer.stdout


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else (pytest.mark.slow, pytest.mark.timeout(3600)))
        for name in published_models()
    ],
)
def test_from_the_authors_file_to_the_leaderboard(
    home: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def leadboard(*words: str) -> str:
        words = (*words, "--cache", str(home / "cache"))
        if name not in QUICK:
            return in_a_process(home, *words)
        assert app(words, exit_on_error=False, result_action="return_value") == 0
        return capsys.readouterr().out

    source = find_model(name)
    usual = {
        protocol.name for protocol in possible(source.abilities, source.card.outputs, may_pretrain=False)
    }
    protocols = [protocol for protocol in ASKED if protocol in usual]
    assert protocols

    file = write_official(source.build("cpu"), home / "official")
    assert f"{name}, " in leadboard("weights", name, "--file", str(file))
    asked = [word for protocol in protocols for word in ("--protocol", protocol)]
    folders = ("--data", str(home / "data"), "--out", str(home / "run"))
    run = ("run", "--model", name, *asked, *folders, "--resamples", "50")
    cells = len(protocols) * len(RECORDS)
    assert f"{cells} of {cells} cells computed now, 0 failed." in leadboard(*run)

    states = load_run_file(home / "run").cells
    assert {(cell.protocol, cell.cohort) for cell in states} == {
        (protocol, cohort) for protocol in protocols for cohort in RECORDS
    }
    for cell in states:
        path = cell_path(home / "run", *cell.name)
        record = load_record(path)
        told = load_predictions(predictions_path(path))[0]
        assert AGE not in told or name == "code-ecg-age"
        scores = score_matrix(told.drop(columns=AGE, errors="ignore"))
        fits = 3 if cell.protocol == "fine-tune-10" else 1
        divided = record.relation == "internal" and cell.cohort == "ptb-xl"  # georgia has no folds
        rows = TEST_FOLD if divided else RECORDS[cell.cohort]
        assert scores.shape == (rows, fits * len(record.model.outputs))
        assert len(record.training) == (0 if cell.protocol in ("as-is", "zero-shot") else fits)
        assert np.isfinite(scores).all()
        assert (np.ptp(scores, axis=0) > 0).any(), cell
        if record.model.probabilities:
            assert ((scores >= 0) & (scores <= 1)).all()
    page = (home / "run" / "leaderboard.md").read_text("utf-8")
    for protocol in protocols:
        assert f"| {name} | {protocol} |" in page

"""docs/submit.md and results/README.md: results of a hospital, of others, and one board of all."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort
from tests.commands import command
from tests.documented import blocks, commands, find_lines, section, sessions
from tests.releases import write_challenge, write_ptb_xl

ROOT = Path(__file__).parents[1]
TYPES = {
    "docs/submit.md": [
        "Results of a hospital that keeps its recordings",
        "One board of results from many places",
    ],
    "results/README.md": [
        "Submit a model that runs here",
        "Submit predictions",
        "Submit results without predictions",
        "One board of everything",
    ],
}
PAGE, RESULTS = ((ROOT / page).read_text(encoding="utf-8") for page in TYPES)
MODEL = """
class Model:
    card = {"name": "from-here", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        return batch.signals[:, :1].std(axis=2)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two small releases and a model."""
    write_ptb_xl(tmp_path / "releases")
    write_challenge(tmp_path / "releases")
    (tmp_path / "leadboard.toml").write_text('data = "releases"')
    (tmp_path / "my_model.py").write_text(MODEL)
    return tmp_path


def types(home: Path, line: str, code: int = 0) -> str:
    """Type a line on a terminal, at which every question is answered with yes; all that is printed."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs) as terminal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", terminal)
        os.write(ours, b"y\n")
        printed = command(home, *shlex.split(line)[1:], code=code)
    os.close(ours)
    return (printed.err + printed.out).replace("[y/N] ", "[y/N] y\n")


def test_a_hospital_sends_what_tells_of_no_record(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hospital, board = (section(PAGE, title) for title in TYPES["docs/submit.md"])
    models = "--model age-sex --model prevalence"
    types(home, f"leadboard run {models} --resamples 1000 --out results/runs/ours")
    types(home, "leadboard submit results/runs/ours --model age-sex")
    types(home, "leadboard submit results/runs/ours --model prevalence --aggregate")
    with monkeypatch.context() as patch:
        georgia = find_cohort("georgia")
        patch.setattr(georgia, "card", georgia.card.model_copy(update={"access": "private"}))
        types(home, "leadboard run --model age-sex --resamples 1000 --out results/runs/hospital")
        asked, checked = (sessions(code) for code in blocks(hospital, "console"))
        for line, expected in asked:
            find_lines(expected, types(home, line, 0 if "--aggregate" in line else 2))
        for line, expected in checked:
            (sent,) = (home / "results/submissions").glob("age-sex-aggregate-*")
            find_lines(expected, types(home, re.sub(r"age-sex-aggregate-\w+", sent.name, line)))
    ((line, expected),) = sessions(*blocks(board, "console"))
    find_lines(expected, types(home, line))
    assert (home / "results/board/leaderboard.html").is_file()


def test_results_are_handed_in_as_the_readme_of_the_results_says(home: Path) -> None:
    here, predictions, aggregate, board = (section(RESULTS, title) for title in TYPES["results/README.md"])
    run, submit = commands(here)
    assert "2 of 2 cells computed now, 0 failed." in types(home, run)
    assert "2 results packed" in types(home, submit)
    shutil.rmtree(home / "results/runs/mine")

    ids = [f"E{row:05d}" for row in range(1, 41)]
    table = pd.DataFrame({"record_id": ids, "AF": np.linspace(0, 1, 40)})
    table.to_parquet(home / "predictions.parquet")
    (card,) = re.findall(r"```yaml\n(.*?)```", predictions, re.DOTALL)
    (home / "card.yaml").write_text(card)
    score, submit = commands(predictions)
    assert "40 records scored" in types(home, score)
    assert "1 result packed" in types(home, submit)
    (line,) = commands(aggregate)
    assert "Packed: " in types(home, line)
    verify, report = commands(board)
    assert " 0 differ, " in types(home, verify)
    types(home, report)
    page = (home / "results/board/leaderboard.html").read_text()
    assert "from-here" in page
    assert "my-model" in page

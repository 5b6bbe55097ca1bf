"""A model with labels of its own is checked by its own columns, and its map is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.commands.checking import check

MODEL = """
import numpy as np

class Own:
    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :3]
"""
CARD = "name: own\ntrained_on: []\ninput:\n  sampling_rate: 100\n"
LABELS = """\
label,concept,relation,note
AFIB,AF,same,
FAST,STach,broader,of any origin
NOISE,,unmapped,no concept
"""


def test_check_prints_the_map_of_labels_beside_the_card(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("own.py", MODEL), ("card.yaml", CARD), ("labels.csv", LABELS)):
        (tmp_path / name).write_text(text)
    assert check(f"{tmp_path / 'own.py'}:Own", cache=tmp_path / "cache") == 0
    printed = capsys.readouterr().out
    assert "3 labels of its own for 1 concept" in printed
    assert "40 records x 3 finite numbers" in printed
    assert "  AF       AFIB\n" in printed
    assert "  STach    FAST: of any origin\n" in printed
    assert "NOISE: no concept\n" in printed


def test_a_map_of_concepts_that_nobody_knows_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = LABELS.replace("STach,broader", "TACHY,broader")
    for name, text in (("own.py", MODEL), ("card.yaml", CARD), ("labels.csv", wrong)):
        (tmp_path / name).write_text(text)
    assert check(f"{tmp_path / 'own.py'}:Own", cache=tmp_path / "cache") == 1
    assert "own has outputs or labels that are no concepts of the ontology: TACHY" in capsys.readouterr().out

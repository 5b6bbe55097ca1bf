"""`leadboard check` says what to do about a model that others have brought."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.conformance import CheckReport, check_model

CARD = {"name": "theirs", "version": "1", "outputs": ["AF", "LVH"], "trained_on": []}

MODEL = """
import numpy as np

class Theirs:
    card = {card}

    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :2]
"""

LEARNING = """
import numpy as np

class Theirs:
    def __init__(self):
        self.card = {card}

    def fit(self, training, validation, settings):
        self.weights = np.ones((12, len(settings.concepts)))
        self.card = dict(self.card, outputs=list(settings.concepts))

    def predict(self, batch):
        return self.embed(batch)

    def embed(self, batch):
        return batch.signals.std(axis=2) @ self.weights

    def save(self, folder):
        np.save(folder / "weights.npy", self.weights)

    def load(self, folder):
        self.weights = np.load(folder / "weights.npy")
"""


def checked(folder: Path, text: str, **card: object) -> CheckReport:
    (folder / "theirs.py").write_text(text.format(card=CARD | card))
    return check_model(f"{folder / 'theirs.py'}:Theirs")


def reasons(report: CheckReport) -> dict[str, str]:
    return {check.name: check.reason for check in report.failures}


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        (["AF", "LHV"], "LHV (did you mean LVHV or LVH?); 'leadboard concepts' lists them"),
        (["AF", "ATRIAL FLUTTER"], "ATRIAL FLUTTER (write AFL); "),
        (["AF", "gout"], "ontology: gout; "),
    ],
)
def test_outputs_are_told_by_their_ids(tmp_path: Path, outputs: list[str], words: str) -> None:
    assert words in reasons(checked(tmp_path, MODEL, outputs=outputs))["card"]


def test_training_cohorts_are_told_by_their_ids(tmp_path: Path) -> None:
    found = reasons(checked(tmp_path, MODEL, trained_on=["ptbxl", "MIMIC-IV", "our own ECGs"]))["card"]
    assert (
        "names ptbxl (did you mean ptb-xl or ptb?), MIMIC-IV (did you mean mimic-iv-ecg?), our own " in found
    )


def test_a_model_that_has_yet_to_learn_has_no_features(tmp_path: Path) -> None:
    """Features are asked of the weights that a model comes with, and such a model has none."""
    found = reasons(checked(tmp_path, LEARNING, outputs=[]))["answers"]
    assert found.startswith("embed: theirs.embed raised AttributeError at theirs.py:")
    assert found.endswith("of the weights that the model comes with: leave 'embed' out if it has none")

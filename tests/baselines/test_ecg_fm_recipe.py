"""The recipe for ECG-FM in docs/models.md works in another environment, with a stand-in for its library."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.foundation.maps import FOLDER, own_labels
from benchmark.models.contract import Batch
from benchmark.models.known_models import find_known
from benchmark.models.label_map import joined_scores, own_names, scored_concepts
from benchmark.models.worker.environments import Interpreter
from benchmark.models.worker.remote import RemoteModel
from tests.documented import commands, files, section

ROOT = Path(__file__).parents[2]
RECIPE = section((ROOT / "docs/models.md").read_text(encoding="utf-8"), "ECG-FM")

STAND_IN = """
import torch


class Classifier(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.conv = torch.nn.Conv1d(12, 8, 50, stride=50)
        self.proj = torch.nn.Linear(8, 17)
        self.load_state_dict(weights)

    def forward(self, source):
        assert source.shape[1:] == (12, 2500)
        tokens = self.conv(source).transpose(1, 2)
        return {"encoder_out": tokens, "out": self.proj(tokens.mean(dim=1))}


def build_model_from_checkpoint(checkpoint_path):
    return Classifier(torch.load(checkpoint_path, weights_only=True))
"""


class StandIn(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv1d(12, 8, 50, stride=50)
        self.proj = torch.nn.Linear(8, 17)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recipe's files, and an environment that has the stand-in and torch."""
    home = tmp_path_factory.mktemp("recipe")
    (named,) = files(RECIPE).items()
    (home / named[0]).write_text(named[1])
    shutil.copy(FOLDER / "ecg_fm.csv", home)
    torch.manual_seed(0)
    torch.save(StandIn().state_dict(), home / "mimic_iv_ecg_finetuned.pt")
    environment = home / "fairseq-env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "fairseq_signals").mkdir()
    (packages / "fairseq_signals" / "__init__.py").write_text("")
    (packages / "fairseq_signals" / "models.py").write_text(STAND_IN)
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def batch(records: int = 5) -> Batch:
    signals = np.random.default_rng(2).normal(1, 2, (records, 12, 5000)).astype(np.float32)
    signals[0, 3] = 0.25  # a lead that has fallen off
    return Batch(signals, np.full(records, np.nan, np.float32), np.full(records, "", dtype=np.str_))


def expected(home: Path, given: Batch) -> tuple[Any, Any]:
    """Probabilities of the halves ``[records, 2, 17]``, and features ``[records, 8]``."""
    network = StandIn()
    network.load_state_dict(torch.load(home / "mimic_iv_ecg_finetuned.pt", weights_only=True))
    x = given.signals.astype(np.float64)
    deviation = x.std(axis=-1, keepdims=True)
    x = np.where(deviation > 1e-6, (x - x.mean(axis=-1, keepdims=True)) / np.maximum(deviation, 1e-6), 0)
    with torch.inference_mode():
        tokens = torch.stack(
            [network.conv(torch.from_numpy(half).float()).mean(-1) for half in np.split(x, 2, axis=-1)], dim=1
        )
        return network.proj(tokens).sigmoid().numpy(), tokens.mean(dim=1).numpy()


def test_the_recipe_scores_and_embeds_in_its_own_environment(home: Path) -> None:
    given = batch()
    spec = f"{home / 'ecg_fm.py'}:EcgFm"
    with RemoteModel(spec, Interpreter(str(home / "fairseq-env/bin/python"))) as model:
        card = model.card
        scores, features = np.asarray(model.predict(given)), np.asarray(model.embed(given))
    labels = own_labels("ecg_fm")
    assert (card.labels, card.columns, card.outputs) == (labels, own_names(labels), scored_concepts(labels))
    known = find_known(card.name)
    assert known is not None
    assert card.trained_on == known.trained_on
    halves, tokens = expected(home, given)
    highest = [name in HIGHEST for name in card.columns]
    np.testing.assert_allclose(
        scores, np.where(highest, halves.max(axis=1), halves.mean(axis=1)), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(features, tokens, rtol=1e-4, atol=1e-5)
    joined = joined_scores(scores, card.labels, ("AF_AFL", "PVC"))
    both = [card.columns.index(name) for name in ("Atrial fibrillation", "Atrial flutter")]
    np.testing.assert_array_equal(joined[:, 0], scores[:, both].max(axis=1))


HIGHEST = (
    "Poor data quality",
    "Premature ventricular contraction",
    "Ventricular tachycardia",
    "Supraventricular tachycardia with aberrancy",
    "Electronic pacemaker",
)


def test_the_command_of_the_recipe_is_a_run_in_that_environment() -> None:
    *_, run = commands(RECIPE)
    assert "--model ecg_fm.py:EcgFm" in run
    assert "--python fairseq-env/bin/python" in run

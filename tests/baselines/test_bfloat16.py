"""Networks asked under autocast to bfloat16: scores are float32, near those without it, and no ties."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.clip_image.model import ClipImageSmall
from baselines.ecgclip.model import EcgClipSmallRandom
from baselines.foundation.ecg_cpc import EcgCpc
from baselines.foundation.ecgfounder import EcgFounderOneLead
from baselines.foundation.ptbxl_benchmark import Inception1d as PtbXlInception1d
from baselines.networks.ked import present
from baselines.networks.merl import cosine_scores
from baselines.networks.s4_kernel import convolve
from baselines.supervised import Inception1dRandom, ResNet1dRandom, S4Random, XResNet1d101Random
from benchmark.models.contract import Batch, FitSettings, Floats
from benchmark.models.plugins import find_model, installed_models
from benchmark.protocols.precision import asked_in
from tests.baselines.fakes import CONCEPTS, FakeRecords
from tests.baselines.narrow import SPEC, Narrow
from tests.baselines.official_files import write_official

NEAR = 0.02
"""Of the largest value; bfloat16 keeps 8 bits, and errors of many layers partly cancel out."""


def both(ask: Callable[[Batch], Any], batch: Batch) -> tuple[Floats, Floats]:
    """Answers in whole and in lower precision."""
    whole, lower = ask(batch), asked_in("bf16", "cpu", ask)(batch)
    np.testing.assert_array_equal(ask(batch), whole, "what was asked before leaves no trace")
    assert whole.dtype == lower.dtype == np.float32
    return whole, lower


def check_near(whole: Floats, lower: Floats) -> None:
    assert not np.array_equal(whole, lower)
    assert np.abs(whole - lower).max() < NEAR * np.abs(whole).max()


def noise(model: Any, records: int = 1) -> Batch:
    spec = model.card.input
    shape = (records, len(spec.leads), spec.samples)
    signals = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    return Batch(signals, np.full(records, 50, np.float32), np.full(records, "female"))


@pytest.mark.parametrize(
    "model", [ResNet1dRandom, XResNet1d101Random, Inception1dRandom, S4Random, EcgClipSmallRandom]
)
def test_features_of_networks_as_drawn(model: Any) -> None:
    made = model()
    check_near(*both(made.embed, noise(made)))


@pytest.mark.parametrize("model", [EcgCpc, EcgFounderOneLead, PtbXlInception1d])
def test_published_models(model: Any, tmp_path: Path) -> None:
    made = model()
    (tmp_path / "weights").mkdir()
    made.convert(str(write_official(model(), tmp_path / "file")), tmp_path / "weights")
    made.load(tmp_path / "weights")
    check_near(*both(made.embed, noise(made)))
    if made.card.outputs:
        check_near(*both(made.predict, noise(made)))


def test_probabilities_next_to_one_are_told_apart(tmp_path: Path) -> None:
    model = Narrow(epochs=1)
    model.fit(FakeRecords(16, 1, SPEC), FakeRecords(8, 2, SPEC), FitSettings(CONCEPTS, 5, "cpu", tmp_path))
    assert model._classifier is not None
    last: Any = model._classifier.network.last
    with torch.no_grad():
        last.bias += 6.5
    whole, lower = both(model.predict, FakeRecords(30, 3, SPEC).everything)
    learnt = whole[:, :3]
    assert learnt.min() > 0.99
    assert lower[:, :3].max() < 1
    assert len(np.unique(lower[:, 0])) > 5, "a probability of bfloat16 is 0.9922, 0.9961 or 1"
    np.testing.assert_allclose(lower, whole, rtol=0, atol=NEAR)


def test_cosines_have_no_more_ties_than_in_float32() -> None:
    model = EcgClipSmallRandom()
    model.set_concepts({"AF": ("atrial fibrillation",), "LBBB": ("left bundle branch block",)})
    whole, lower = both(model.predict, noise(model, 24))
    np.testing.assert_allclose(lower, whole, rtol=0, atol=0.01)
    assert len(np.unique(lower)) == len(np.unique(whole)) == 48
    signals, texts = torch.randn(5, 256), torch.randn(3, 256)
    with torch.autocast("cpu", torch.bfloat16):
        under = cosine_scores(signals, texts)
        chances = present(torch.randn(4, 3, 2).bfloat16())
    torch.testing.assert_close(under, cosine_scores(signals, texts), rtol=0, atol=0)
    assert chances.dtype == torch.float32


def test_a_convolution_of_bfloat16_is_that_of_its_values() -> None:
    x, kernel = torch.randn(2, 4, 30).bfloat16(), torch.randn(2, 4, 30, dtype=torch.float64)
    found = convolve(x, kernel)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, convolve(x.float(), kernel), rtol=0, atol=0)


def test_every_network_of_ours_says_that_it_computes_in_bfloat16() -> None:
    without = {name for name in installed_models() if not find_model(name).bfloat16}
    assert without == {"prevalence", "age-sex", "cart", "minirocket"}
    assert ClipImageSmall().bfloat16

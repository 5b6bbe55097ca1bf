"""What a network says speaks for a concept: shares of its score, which add up to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logit
from torch import nn

from baselines.ecgclip.model import EcgClip, EcgClipSmall, EcgClipSmallRandom
from baselines.networks import resnet1d_wang
from baselines.supervised import S4, ResNet1d, ResNet1dRandom
from baselines.training.crops import CropClassifier
from baselines.training.gradients import integrated_gradients
from benchmark.models.contract import Batch, Explainer
from benchmark.models.model_card import InputSpec
from tests.baselines.fakes import FakeRecords


def noise(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_shares_of_a_linear_score_are_exact() -> None:
    signals, weights = noise(3, 2, 50), torch.from_numpy(noise(2, 50, seed=1))
    found = integrated_gradients(lambda x: (x * weights).sum(dim=(1, 2)) + 7, signals, "cpu")
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, signals * weights.numpy(), rtol=1e-5)


def test_shares_add_up_to_what_the_recording_has_above_a_flat_line() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(100, 30), nn.Tanh(), nn.Linear(30, 1))
    signals = noise(3, 2, 50)
    found = integrated_gradients(lambda x: network(x)[:, 0], signals, "cpu").sum(axis=(1, 2))
    with torch.no_grad():
        above = (network(torch.from_numpy(signals)) - network(torch.zeros(3, 2, 50)))[:, 0].numpy()
    np.testing.assert_allclose(found, above, atol=2e-3)
    assert np.abs(above).min() > 0.01


@pytest.mark.parametrize("join", ["mean", "maximum"])
def test_the_logit_is_that_of_the_score(join: Any) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(2 * 250, 3))
    classifier, signals = CropClassifier(network, 250, 125, join), noise(4, 2, 1000)
    expected = logit(classifier.scores(signals).astype(float))
    for column in range(3):
        with torch.no_grad():
            found = classifier.logit(torch.from_numpy(signals), column).numpy()
        np.testing.assert_allclose(found, expected[:, column], atol=1e-4)
    with torch.no_grad():  # where a probability is 1 to the bit, its logit still tells recordings apart
        found = classifier.logit(torch.from_numpy(500 * signals), 0)
    assert torch.isfinite(found).all()
    assert len(found.unique()) == 4


def test_who_offers_it() -> None:
    for kind in (ResNet1d, S4, EcgClip, EcgClipSmall):
        assert isinstance(kind(), Explainer)
    assert not isinstance(ResNet1dRandom(), Explainer)  # which has no score of its own


def test_resnet1d_shares_out_the_logit_of_the_concept_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resnet1d_wang, "WIDTH", 8)
    model = ResNet1d()
    torch.manual_seed(0)
    classifier = model.classifier(2).eval()
    model._classifier, model.card = classifier, model.card.model_copy(update={"outputs": ("AF", "LVH")})
    batch = FakeRecords(2, 1, InputSpec(sampling_rate=100, seconds=10)).batch([0, 1])
    before = batch.signals.copy()
    whole, flat = torch.tensor(batch.signals), torch.zeros(2, 12, 1000)
    for column, concept in enumerate(("AF", "LVH")):
        found = model.explain(batch, concept)
        assert found.shape == batch.signals.shape
        with torch.no_grad():
            above = (classifier.logit(whole, column) - classifier.logit(flat, column)).numpy()
        np.testing.assert_allclose(found.sum(axis=(1, 2)), above, rtol=0.1, atol=0.02)
    np.testing.assert_array_equal(batch.signals, before)
    assert np.abs(model.explain(batch, "AF") - model.explain(batch, "LVH")).max() > 0


def test_ecgclip_shares_out_the_cosine_through_its_filters() -> None:
    model = EcgClipSmallRandom()
    model.set_concepts({"AF": ("atrial fibrillation",), "LVH": ("left ventricular hypertrophy",)})
    signals = np.float32(0.3) * noise(2, 8, 5000)
    batch = Batch(signals, np.full(2, 50, np.float32), np.array(["", ""]))
    scores = model.predict(batch)
    flat = Batch(batch.signals * 0, batch.age, batch.sex)
    for column, concept in enumerate(("AF", "LVH")):
        with torch.no_grad():
            found = model.score(torch.from_numpy(model.prepare(batch)), concept).numpy()
        np.testing.assert_allclose(found, scores[:, column], atol=1e-5)
        above = scores[:, column] - model.predict(flat)[:, column]
        np.testing.assert_allclose(model.explain(batch, concept).sum(axis=(1, 2)), above, atol=0.03)

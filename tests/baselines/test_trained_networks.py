"""Heavy networks that are trained here, with a training of two steps, and their untrained controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baselines.supervised import (
    S4,
    Inception1d,
    Inception1dRandom,
    ResNet1d,
    ResNet1dRandom,
    S4Random,
    XResNet1d101,
    XResNet1d101Random,
)
from baselines.training.crops import CropClassifier
from baselines.training.recipes import Recipe
from baselines.training.supervised import Supervised
from benchmark.models.cards import card_of
from benchmark.models.contract import Encoder, FitSettings, Trainable
from benchmark.models.plugins import find_model
from benchmark.run import entries
from cohorts.errors import ModelError
from tests.baselines.fakes import CONCEPTS, FakeRecords, take

MODELS = (XResNet1d101, Inception1d, S4)
CONTROLS = {
    ResNet1dRandom: ResNet1d,
    XResNet1d101Random: XResNet1d101,
    Inception1dRandom: Inception1d,
    S4Random: S4,
}


@pytest.mark.parametrize("model_class", MODELS)
def test_it_is_trained_asked_and_restored(
    model_class: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recipe, "steps", lambda recipe, records: 2)
    model = model_class(epochs=1)
    spec = card_of(model).input
    assert isinstance(model, Trainable)
    assert not isinstance(model, Encoder)
    (tmp_path / "fit").mkdir()
    settings = FitSettings(CONCEPTS, 5, "cpu", tmp_path / "fit")
    model.fit(FakeRecords(8, 1, spec), FakeRecords(4, 2, spec), settings)
    batch = FakeRecords(3, 3, spec).everything
    scores = model.predict(batch)
    assert scores.shape == (3, len(CONCEPTS))
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.ptp(scores[:, :2], axis=0) > 0).all()
    np.testing.assert_allclose(np.ptp(scores[:, 3]), 0, atol=1e-7)  # never positive, so not learnt
    alone = np.concatenate([model.predict(take(batch, [row])) for row in range(3)])
    np.testing.assert_allclose(alone, scores, rtol=0, atol=2e-6)
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    again = model_class()
    again.load(tmp_path / "saved")
    assert card_of(again) == card_of(model)
    np.testing.assert_array_equal(again.predict(batch), scores)


@pytest.mark.parametrize("control", CONTROLS)
def test_the_control_has_features_of_the_network_as_it_is_drawn(control: Any) -> None:
    model = control()
    card = card_of(model)
    trained = card_of(CONTROLS[control]())
    assert (card.name, card.control_for) == (f"{trained.name}-random", trained.name)
    batch = FakeRecords(2, 3, card.input).everything
    torch.manual_seed(1)
    features = model.embed(batch)
    torch.manual_seed(2)
    np.testing.assert_array_equal(control().embed(batch), features)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert (features.std(axis=0) > 0).any()
    alone = np.concatenate([model.embed(take(batch, [row])) for row in range(2)])
    np.testing.assert_allclose(alone, features, rtol=1e-4, atol=1e-6)
    with pytest.raises(ModelError, match="linear probe"):
        model.predict(batch)


def test_windows_are_joined_as_the_network_asks() -> None:
    class Level(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=(1, 2))[:, None]

    signals = np.repeat(np.array([0, 1, 2, 6], dtype=np.float32), 250)[None, None]
    highest = CropClassifier(Level(), 250, 250).scores(signals)
    mean = CropClassifier(Level(), 250, 250, "mean").scores(signals)
    windows = 1 / (1 + np.exp(-np.array([0, 1, 2, 6.0])))
    np.testing.assert_allclose([highest[0, 0], mean[0, 0]], [windows.max(), windows.mean()], rtol=1e-6)


@pytest.mark.parametrize(("schedule", "moves"), [("one-cycle", True), ("constant", False)])
def test_the_learning_rate_follows_the_recipe(schedule: Any, moves: bool, tmp_path: Path) -> None:
    recipe = Recipe("x", epochs=1, learning_rate=1e-3, schedule=schedule)
    labels = np.zeros((8, 1), dtype=np.int8)
    signals = np.zeros((8, 1, 250), dtype=np.float32)
    training = Supervised(
        CropClassifier(nn.Sequential(nn.Flatten(), nn.Linear(250, 1)), 250, 250),
        (signals, signals),
        (labels, labels),
        recipe,
        FitSettings(("AF",), 0, "cpu", tmp_path),
    )
    optimisers = training.configure_optimizers()
    optimiser = optimisers["optimizer"] if moves else optimisers
    rate = optimiser.param_groups[0]["lr"]
    assert (rate < 1e-4) if moves else rate == 1e-3
    assert isinstance(optimiser, torch.optim.AdamW)


def test_a_run_has_them_only_when_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    heavy, light = "baselines.supervised:S4", "baselines.controls:Prevalence"
    assert find_model(heavy).on_request
    monkeypatch.setattr(entries, "installed_models", lambda: {heavy: None, light: None})
    assert [source.card.name for source in entries.find_models([])[0]] == ["prevalence"]
    assert [source.card.name for source in entries.find_models([heavy])[0]] == ["s4"]

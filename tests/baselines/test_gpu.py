"""What a GPU may not change, and what it adds: ``pytest -m gpu`` on a machine that has one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from baselines.ecgclip.model import EcgClipSmallRandom
from baselines.supervised import S4, Inception1dRandom, ResNet1d, S4Random, XResNet1d101Random
from benchmark.models.contract import Batch, FitSettings
from benchmark.models.model_card import InputSpec
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.precision import TrainingPrecision, asked_in, training_precision
from tests.baselines.fakes import CONCEPTS, FakeRecords

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here"),
]

SPEC = InputSpec(sampling_rate=100, seconds=10)
ROUNDING = 1e-4  # of a score; TF32, which `Hardware.check` turns off, would move one by more


@pytest.fixture(autouse=True)
def whole_single_precision() -> Iterator[None]:
    """As in a run: what `Hardware.check` sets, put back afterwards."""
    places: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [place.allow_tf32 for place in places]
    Hardware(device="cuda").check()
    yield
    for place, allowed in zip(places, before, strict=True):
        place.allow_tf32 = allowed


def fit(folder: Path, device: str, precision: TrainingPrecision = "32-true") -> ResNet1d:
    model = ResNet1d(device, epochs=15)
    folder.mkdir()
    settings = FitSettings(CONCEPTS, 0, device, folder, precision)
    model.fit(FakeRecords(80, 1, SPEC), FakeRecords(24, 2, SPEC), settings)
    return model


def test_the_device_is_found_by_itself() -> None:
    assert Hardware().device == "cuda"


def test_a_network_scores_on_a_gpu_as_on_a_processor(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    on_processor = fit(tmp_path / "fit", "cpu")
    on_processor.save(weights)
    on_gpu = ResNet1d("cuda")
    on_gpu.load(weights)
    batch = FakeRecords(100, 3, SPEC).everything
    np.testing.assert_allclose(on_gpu.predict(batch), on_processor.predict(batch), rtol=0, atol=ROUNDING)


def test_ecgclip_embeds_on_a_gpu_as_on_a_processor() -> None:
    spec = EcgClipSmallRandom().card.input
    shape = (16, len(spec.leads), round(spec.seconds * spec.sampling_rate))
    signals = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    batch = Batch(signals, np.full(16, 50, dtype=np.float32), np.full(16, "female"))
    expected = EcgClipSmallRandom("cpu").embed(batch)
    found = EcgClipSmallRandom("cuda").embed(batch)
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * np.abs(expected).max())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_what_is_in_the_signal_is_learnt_on_a_gpu(precision: TrainingPrecision, tmp_path: Path) -> None:
    others = FakeRecords(100, 3, SPEC)
    scores = fit(tmp_path / "fit", "cuda", precision).predict(others.everything)
    assert scores.dtype == np.float32
    assert roc_auc_score(others.truth[:, 0], scores[:, 0]) > 0.9
    assert roc_auc_score(others.truth[:, 2], scores[:, 2]) < 0.7  # age is not in the signal


def test_a_gpu_that_computes_in_bfloat16_is_trained_on_in_it() -> None:
    able = torch.cuda.is_bf16_supported(including_emulation=False)
    assert training_precision("auto", "cuda") == ("bf16-mixed" if able else "32-true")


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_s4_is_trained_on_a_gpu(precision: TrainingPrecision, tmp_path: Path) -> None:
    model = S4("cuda", epochs=1)
    settings = FitSettings(CONCEPTS, 0, "cuda", tmp_path, precision)
    model.fit(FakeRecords(16, 1, SPEC), FakeRecords(8, 2, SPEC), settings)
    assert np.isfinite(model.predict(FakeRecords(8, 3, SPEC).everything)).all()


def test_scores_after_a_training_in_lower_precision_are_whole(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    trained = fit(tmp_path / "fit", "cuda", "bf16-mixed")
    trained.save(weights)
    on_processor = ResNet1d("cpu")
    on_processor.load(weights)
    batch = FakeRecords(100, 3, SPEC).everything
    np.testing.assert_allclose(trained.predict(batch), on_processor.predict(batch), rtol=0, atol=ROUNDING)
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


def test_scores_in_bfloat16_are_near_those_in_float32(tmp_path: Path) -> None:
    model, batch = fit(tmp_path / "fit", "cuda"), FakeRecords(100, 3, SPEC).everything
    whole, lower = model.predict(batch), asked_in("bf16", "cuda", model.predict)(batch)
    assert lower.dtype == np.float32
    assert not np.array_equal(lower, whole)
    np.testing.assert_allclose(lower, whole, rtol=0, atol=0.05)
    np.testing.assert_array_equal(model.predict(batch), whole)


@pytest.mark.parametrize("model", [EcgClipSmallRandom, S4Random, XResNet1d101Random, Inception1dRandom])
def test_features_in_bfloat16_are_near_those_in_float32(model: Any) -> None:
    made = model("cuda")
    spec = made.card.input
    signals = np.random.default_rng(0).normal(0, 0.3, (16, len(spec.leads), spec.samples))
    batch = Batch(signals.astype(np.float32), np.full(16, 50, np.float32), np.full(16, "female"))
    whole, lower = made.embed(batch), asked_in("bf16", "cuda", made.embed)(batch)
    np.testing.assert_allclose(lower, whole, rtol=0, atol=0.02 * np.abs(whole).max())

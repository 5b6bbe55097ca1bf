"""HuBERT-ECG computes what the published model computes, from the authors' file to its features."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from baselines.foundation import hubert
from baselines.foundation.preparation import hubert_ecg
from baselines.training.recipes import Recipe
from benchmark.models.contract import Batch, FitSettings
from benchmark.models.known_models import find_known
from cohorts.errors import ModelError
from tests.baselines.fakes import CONCEPTS, FakeRecords
from tests.baselines.golden import TOLERANCE, error, fill, published_state, state_of
from tests.baselines.official_files import asked_alone, known_state, real_batch, relative_error

SIZES = {
    "small": hubert.HubertEcgSmall,
    "base": hubert.HubertEcgBase,
    "large": hubert.HubertEcgLarge,
}
OF_PRETRAINING = ("masked_spec_embed", "final_proj.", "label_embedding.")


@pytest.fixture(scope="module")
def facts(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


@cache
def filled_once() -> Any:
    network = hubert.HubertEcgSmall().build().eval()
    fill(network)
    return network


@cache
def small_state(facts: Path) -> dict[str, torch.Tensor]:
    """What the authors publish, which nobody writes to."""
    return known_state(facts / "hubert_ecg_small_state_dict.csv")


@pytest.fixture(scope="module", autouse=True)
def forget_them() -> Iterator[None]:
    yield
    filled_once.cache_clear()
    small_state.cache_clear()


def drawn() -> torch.Tensor:
    signals = np.random.default_rng(1).standard_normal((2, 6000)).astype(np.float32)
    return torch.from_numpy(signals * np.float32(0.5))


def error_of(network: Any, golden: Path) -> float:
    with torch.inference_mode():
        tokens = network(drawn()).last_hidden_state
        return error({"output": tokens, "embedding": network.features(drawn())}, golden)


LARGER = [pytest.param(size, marks=pytest.mark.slow) for size in ("base", "large")]


@pytest.mark.parametrize("size", ["small", *LARGER])
def test_names_shapes_and_outputs_are_the_published_ones(facts: Path, size: str) -> None:
    network = filled_once() if size == "small" else SIZES[size]().build().eval()
    if size != "small":
        fill(network)
    published = published_state(facts / f"hubert_ecg_{size}_state_dict.csv")
    assert state_of(network) == [row for row in published if not row[0].startswith(OF_PRETRAINING)]
    assert error_of(network, facts / f"hubert_ecg_{size}_golden_a.npz") <= TOLERANCE


def norm_first(network: Any) -> None:
    for layer in network.encoder.layers:
        layer.layer_norm = nn.Identity()


def normed_together(network: Any) -> None:
    network.feature_extractor.conv_layers[0].layer_norm = nn.GroupNorm(1, 512)


def tanh_gelu(network: Any) -> None:
    for layer in network.feature_extractor.conv_layers:
        layer.activation = nn.GELU(approximate="tanh")


def without_position(network: Any) -> None:
    network.encoder.pos_conv_embed.activation = nn.Identity()


@pytest.mark.parametrize("change", [norm_first, normed_together, tanh_gelu, without_position])
def test_one_changed_layer_is_noticed(facts: Path, change: Any) -> None:
    network = deepcopy(filled_once())
    change(network)
    assert error_of(network, facts / "hubert_ecg_small_golden_a.npz") > TOLERANCE


def test_the_preprocessing_is_the_published_one(facts: Path) -> None:
    x = torch.from_numpy(np.cumsum(np.random.default_rng(11).standard_normal((12, 5000)), axis=1) * 0.05)
    with np.load(facts / "hubert_ecg_preprocess_golden_a.npz") as golden:
        assert relative_error(hubert_ecg(x[None])[0], golden["output"]) <= 1e-6
        swapped = x[[1, 0, *range(2, 12)]]
        assert relative_error(hubert_ecg(swapped[None])[0], golden["output"]) > 1e-6


def test_a_flat_recording_is_prepared() -> None:
    assert hubert_ecg(torch.full((2, 12, 5000), 0.3)).isfinite().all()


@pytest.mark.parametrize("older", [False, True])
def test_from_the_authors_file_to_features_of_real_recordings(
    shared: Path, facts: Path, tmp_path: Path, older: bool
) -> None:
    state = small_state(facts)
    if older:
        new, old = "parametrizations.weight.original", "weight_"
        state = {
            name.replace(f"{new}0", f"{old}g").replace(f"{new}1", f"{old}v"): state[name] for name in state
        }
    (tmp_path / "hub").mkdir()
    save_file(state, tmp_path / "hub" / "model.safetensors")
    model = hubert.HubertEcgSmall()
    assert "hubert-ecg-small, 1" in model.convert(str(tmp_path / "hub"), tmp_path / "weights")
    model.load(tmp_path / "weights")
    assert error_of(model._network, facts / "hubert_ecg_small_golden_a.npz") <= TOLERANCE
    batch = real_batch(shared, model.card.input, 2)
    features = model.embed(batch)
    assert features.shape == (2, 512)
    assert np.abs(features[0] - features[1]).max() > 1e-6
    np.testing.assert_allclose(asked_alone(model.embed, batch), features, rtol=1e-4, atol=1e-5)
    with pytest.raises(ModelError, match="has no outputs of its own"):
        model.predict(batch)


def test_the_backbone_of_the_published_classifier(facts: Path, tmp_path: Path) -> None:
    state = known_state(facts / "hubert_ecg_small_classifier_state_dict.csv")
    save_file(state, tmp_path / "classifier.safetensors")
    model = hubert.HubertEcgSmallFineTuned()
    model.convert(str(tmp_path / "classifier.safetensors"), tmp_path / "weights")
    model.load(tmp_path / "weights")
    with torch.inference_mode():
        features = model._network.features(drawn())
        output = nn.functional.linear(features, state["classifier.weight"], state["classifier.bias"])
    assert error({"output": output}, facts / "hubert_ecg_small_classifier_golden_a.npz") <= TOLERANCE
    save_file({"encoder.layer_norm.weight": torch.ones(512)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"no tensor named hubert_ecg\.\.\."):
        model.convert(str(tmp_path / "other.safetensors"), tmp_path / "weights")


def test_another_size_is_refused(facts: Path, tmp_path: Path) -> None:
    save_file(small_state(facts), tmp_path / "small.safetensors")
    with pytest.raises(ModelError, match=r"hubert-ecg-base does not fit: .* tensors are missing"):
        hubert.HubertEcgBase().convert(str(tmp_path / "small.safetensors"), tmp_path / "weights")


def test_what_it_was_trained_on_is_what_is_known() -> None:
    for entry in (*SIZES.values(), hubert.HubertEcgSmallFineTuned):
        known = find_known(entry.published.name)
        assert known is not None
        assert entry.published.trained_on == known.trained_on


class At500(FakeRecords):
    """The fake recordings at five times their rate."""

    def batch(self, positions: object) -> Batch:
        given = super().batch(positions)
        return Batch(np.repeat(given.signals, 5, axis=-1), given.age, given.sex)


def test_it_is_fine_tuned_saved_and_loaded(tmp_path: Path) -> None:
    class Narrow(hubert.HubertEcgSmall):
        transformer = (32, 1, 4)
        recipe = Recipe("", epochs=1, batch_size=8, least_steps=2, learning_rate=1e-4)

    model = Narrow()
    torch.manual_seed(0)
    save_file(model.build().state_dict(), tmp_path / "narrow.safetensors")
    model.convert(str(tmp_path / "narrow.safetensors"), tmp_path / "weights")
    model.load(tmp_path / "weights")
    spec = model.card.input
    training, validation, others = At500(8, 1, spec), At500(4, 2, spec), At500(3, 3, spec).batch(range(3))
    for folder in ("checkpoints", "saved"):
        (tmp_path / folder).mkdir()
    before = model.embed(others)
    model.fit(training, validation, FitSettings(CONCEPTS, 1, "cpu", tmp_path / "checkpoints"))
    model.save(tmp_path / "saved")
    scores = model.predict(others)
    assert scores.shape == (3, len(CONCEPTS))
    assert np.abs(model.embed(others) - before).max() > 0
    again = Narrow()
    again.load(tmp_path / "saved")
    np.testing.assert_allclose(again.predict(others), scores, rtol=0, atol=1e-6)

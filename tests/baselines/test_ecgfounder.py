"""ECGFounder computes what the published model computes, from the authors' file to its scores."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from baselines.foundation import ecgfounder, preparation
from baselines.networks.ecgfounder import LABELS, EcgFounder
from benchmark.models.contract import Batch
from cohorts.errors import ModelError
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, state_of
from tests.baselines.official_files import (
    asked_alone,
    known_state,
    label_names,
    real_batch,
    relative_error,
)

SIZES = {12: "ecgfounder_12lead", 1: "ecgfounder_1lead"}
ENTRIES = (
    ecgfounder.EcgFounder,
    ecgfounder.EcgFounderUnfiltered,
    ecgfounder.EcgFounderOneLead,
    ecgfounder.EcgFounderOneLeadUnfiltered,
)


@pytest.fixture(scope="module")
def facts(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


@cache
def filled_once(leads: int) -> Any:
    network = EcgFounder(leads).eval()
    fill(network)
    return network


def filled(leads: int = 12) -> Any:
    return deepcopy(filled_once(leads))


@pytest.fixture(scope="module", autouse=True)
def forget_them() -> Iterator[None]:
    yield
    filled_once.cache_clear()


def error_of(network: Any, golden: Path, leads: int = 12) -> float:
    with torch.inference_mode():
        features = network.features(signals(leads, 5000))
        return error({"embedding": features, "output": network.dense(features)}, golden)


@pytest.mark.parametrize("leads", SIZES)
def test_names_shapes_and_outputs_are_the_published_ones(facts: Path, leads: int) -> None:
    network = filled(leads)
    assert state_of(network) == published_state(facts / f"{SIZES[leads]}_state_dict.csv")
    assert error_of(network, facts / f"{SIZES[leads]}_golden_a.npz", leads) <= TOLERANCE


def padded_on_the_left(network: Any) -> None:
    conv = network.stage_list[3].block_list[0].conv2
    conv.forward = lambda x: conv.conv(functional.pad(x, (8, 7)))


def with_norms(network: Any) -> None:
    block = network.stage_list[1].block_list[1]
    block.conv1 = nn.Sequential(block.bn1, block.conv1)


def activated_first(network: Any) -> None:
    network.stage_list[0].block_list[0].first = False


def without_excitation(network: Any) -> None:
    network.stage_list[6].block_list[3].se_fc1 = nn.Identity()
    network.stage_list[6].block_list[3].se_fc2 = nn.Identity()


def other_groups(network: Any) -> None:
    conv = network.stage_list[2].block_list[1].conv2.conv
    conv.weight.data = conv.weight.data.flip(0)


CHANGES = (padded_on_the_left, with_norms, activated_first, without_excitation, other_groups)


@pytest.mark.parametrize("change", CHANGES)
def test_one_changed_layer_is_noticed(facts: Path, change: Any) -> None:
    network = filled()
    change(network)
    assert error_of(network, facts / "ecgfounder_12lead_golden_a.npz") > TOLERANCE


def test_the_preprocessing_is_the_published_one(facts: Path) -> None:
    x = torch.from_numpy(np.cumsum(np.random.default_rng(11).standard_normal((12, 5000)), axis=1) * 0.05)
    with np.load(facts / "ecgfounder_preprocess_golden_a.npz") as golden:
        assert relative_error(preparation.without_baseline(x), golden["filtered"]) <= 1e-6
        assert relative_error(preparation.ecgfounder(x[None], filtered=True)[0], golden["output"]) <= 1e-6
        assert relative_error(preparation.ecgfounder(x[None], filtered=False)[0], golden["output"]) > 0.1


def test_without_the_filter_only_the_scale_changes() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(2, 3, (2, 12, 5000)))
    expected = (x - x.mean(dim=(1, 2), keepdim=True)) / x.std(dim=(1, 2), correction=0, keepdim=True)
    torch.testing.assert_close(preparation.ecgfounder(x, filtered=False), expected, rtol=1e-6, atol=1e-6)
    assert not preparation.ecgfounder(torch.full((1, 12, 5000), 3.5), filtered=True).abs().max() > 1e-3


def test_the_two_entries_differ_in_the_filter_alone() -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (1, 12, 5000))).float()
    filtered, unfiltered = (entry().prepare(x) for entry in ENTRIES[:2])
    torch.testing.assert_close(filtered[:, 0], preparation.ecgfounder(x, filtered=True).float())
    torch.testing.assert_close(unfiltered[:, 0], preparation.ecgfounder(x, filtered=False).float())


def official(path: Path, content: Any) -> str:
    torch.save(content, path)
    return str(path)


@pytest.mark.parametrize("entry", ENTRIES[::2])
def test_from_the_authors_file_to_scores_of_real_recordings(shared: Path, tmp_path: Path, entry: Any) -> None:
    model = entry()
    leads = len(model.card.input.leads)
    facts = shared / "facts" / "checkpoints"
    state = known_state(facts / f"{SIZES[leads]}_state_dict.csv")
    file = official(tmp_path / model.layout.file, {"epoch": 7, "state_dict": state})
    sentence = model.convert(file, tmp_path / "weights")
    assert f"{model.card.name}, {len(state)} tensors, from {model.layout.file}" in sentence
    model.load(tmp_path / "weights")
    assert error_of(model._network, facts / f"{SIZES[leads]}_golden_a.npz", leads) <= TOLERANCE
    batch = real_batch(shared, model.card.input, 2)
    scores, features = model.predict(batch), model.embed(batch)
    assert scores.shape == (2, 150)
    assert features.shape == (2, 1024)
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.abs(features[0] - features[1]).max() > 1e-6
    np.testing.assert_allclose(asked_alone(model.embed, batch), features, rtol=1e-4, atol=1e-5)
    with torch.inference_mode():
        windows = preparation.ecgfounder(torch.from_numpy(batch.signals), filtered=True).float()
        np.testing.assert_allclose(model._network(windows).sigmoid(), scores, rtol=1e-4, atol=1e-6)


def test_the_file_of_the_other_size_is_refused(facts: Path, tmp_path: Path) -> None:
    state = known_state(facts / "ecgfounder_1lead_state_dict.csv")
    file = official(tmp_path / "one.pth", {"state_dict": state})
    with pytest.raises(ModelError, match=r"first_conv.conv.weight is float32 \[64, 1, 16\] instead of"):
        ecgfounder.EcgFounder().convert(file, tmp_path / "weights")
    with pytest.raises(ModelError, match="leadboard weights ecgfounder-1lead"):
        ecgfounder.EcgFounderOneLead().predict(Batch(*(np.zeros((1, 1, 5000), np.float32),) * 3))


def test_its_labels_are_the_published_ones_in_order(facts: Path) -> None:
    published = label_names(facts / "ecgfounder_labels.csv")
    assert len(published) == LABELS
    for entry in ENTRIES:
        assert entry.published.columns == published
        assert {"AF", "NORM", "MI", "LBBB"} <= set(entry.published.outputs)

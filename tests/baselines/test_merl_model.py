"""MERL as a model of the suite: what it is given, what it answers, and that it needs its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from baselines.ecgclip.encoder import ResidualEncoder
from baselines.networks import merl
from baselines.merl.model import LEADS, Merl
from benchmark.models.contract import Batch, Encoder, Published, Trainable, card_of
from cohorts.errors import ModelError


def batch(records: int) -> Batch:
    rng = np.random.default_rng(0)
    signals = rng.normal(0, 0.3, (records, 12, 5000)).astype(np.float32)
    return Batch(signals, np.full(records, np.nan, np.float32), np.full(records, "", dtype=np.str_))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Merl:
    folder = tmp_path_factory.mktemp("merl")
    torch.manual_seed(0)
    torch.save(
        ResidualEncoder(18, leads=12, outputs=merl.UNUSED_OUTPUTS).state_dict(), folder / "encoder.pth"
    )
    model = Merl()
    assert "encoder" in model.convert(str(folder / "encoder.pth"), folder / "weights")
    model.load(folder / "weights")
    return model


def test_the_leads_are_in_the_order_of_its_training() -> None:
    assert merl.LEADS == LEADS == card_of(Merl()).input.leads
    assert card_of(Merl()).trained_on == ("mimic-iv-ecg",)
    assert isinstance(Merl(), Encoder)
    assert isinstance(Merl(), Published)
    assert not isinstance(Merl(), Trainable)


def test_features_do_not_depend_on_the_batch_or_on_the_unit(model: Merl) -> None:
    both = batch(3)
    together = model.embed(both)
    assert together.shape == (3, 512)
    assert together.dtype == np.float32
    alone = np.concatenate(
        [model.embed(Batch(both.signals[i : i + 1], both.age[:1], both.sex[:1])) for i in range(3)]
    )
    np.testing.assert_allclose(alone, together, rtol=1e-4, atol=1e-5)
    scaled = model.embed(Batch(both.signals * 1000, both.age, both.sex))
    np.testing.assert_allclose(scaled, together, rtol=1e-3, atol=1e-4)


def test_without_weights_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="leadboard weights merl"):
        Merl().embed(batch(1))
    with pytest.raises(ModelError, match="linear probe"):
        Merl().predict(batch(1))
    with pytest.raises(ModelError, match="no weights of merl"):
        Merl().load(tmp_path)

"""The small CLIP on pictures: what it sees, how it is varied, and that it learns from pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from baselines.clip_image.model import SHIFT, SIZE, ClipImageSmall
from baselines.clip_image.network import PageEncoder
from benchmark.models.contract import Batch, Encoder, Pretrainable, PretrainSettings, Prompted
from cohorts.errors import ModelError
from tests.baselines.fakes import take
from tests.baselines.pairs import PROMPTS, FakePairs

INPUT = ClipImageSmall().card.input


class Pages(FakePairs):
    """The fakes on 12 leads for 10 s at 500 Hz."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__(count, seed, INPUT)
        signals = np.ascontiguousarray(self.everything.signals.repeat(5, axis=2)[:, :, : INPUT.samples])
        self.everything = replace(self.everything, signals=signals)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> ClipImageSmall:
    model = ClipImageSmall()
    model.pretraining = replace(model.pretraining, epochs=5, batch_size=16)
    settings = PretrainSettings(PROMPTS, 0, "cpu", "32-true", tmp_path_factory.mktemp("pretrain"))
    model.pretrain([Pages(80, 1)], [Pages(24, 2)], settings)
    return model


def test_it_sees_black_on_white_pages() -> None:
    pages = ClipImageSmall().prepare(Pages(3, 0).everything)
    assert pages.shape == (3, 1, SIZE, SIZE)
    assert pages.dtype == np.uint8
    assert np.median(pages) == 255
    assert 0.01 < (pages < 128).mean() < 0.5


def test_a_shift_moves_the_page_and_nothing_else() -> None:
    page = torch.full((64, 1, SIZE, SIZE), 255, dtype=torch.uint8)
    page[:, :, 100, 60] = 0
    torch.manual_seed(0)
    shifted = ClipImageSmall().augment(page)
    places = (shifted == 0).nonzero()
    assert len(places) == 64
    moved = places[:, 2:] - torch.tensor([100, 60])
    assert moved.abs().max() == SHIFT
    assert len(torch.unique(moved, dim=0)) > 20
    assert shifted.dtype == torch.uint8


def test_the_network_tells_where_a_trace_lies() -> None:
    torch.manual_seed(0)
    network = PageEncoder().eval()
    page = torch.full((2, 1, SIZE, SIZE), 255, dtype=torch.uint8)
    page[0, :, 40, 20:60] = 0
    page[1, :, 180, 150:190] = 0
    with torch.inference_mode():
        found = network(page)
        alone = torch.cat([network(page[:1]), network(page[1:])])
    assert (found[0] - found[1]).abs().max() > 0.01
    torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)


def test_it_learns_from_pages_and_is_asked_in_words(trained: ClipImageSmall) -> None:
    others = Pages(60, 9)
    trained.set_concepts(PROMPTS)
    scores = trained.predict(others.everything)
    assert scores.shape == (60, len(PROMPTS))
    assert max(roc_auc_score(others.truth[:, at], scores[:, at]) for at in range(2)) > 0.7
    some = take(others.everything, [7])
    np.testing.assert_allclose(trained.predict(some), scores[7:8], atol=2e-5)
    assert trained.embed(some).shape == (1, 256)


def test_it_comes_back_as_it_was_saved(trained: ClipImageSmall, tmp_path: Path) -> None:
    trained.save(tmp_path)
    again = ClipImageSmall()
    again.load(tmp_path)
    batch: Batch = Pages(4, 3).everything
    for model in (trained, again):
        model.set_concepts(PROMPTS)
    np.testing.assert_array_equal(again.predict(batch), trained.predict(batch))


def test_what_it_can_do_and_what_it_says_without_training() -> None:
    model = ClipImageSmall()
    assert isinstance(model, Prompted)
    assert isinstance(model, Encoder)
    assert isinstance(model, Pretrainable)
    assert model.small
    assert model.protocols == ("zero-shot",)
    with pytest.raises(ModelError, match="has not been trained"):
        model.embed(Pages(1, 0).everything)

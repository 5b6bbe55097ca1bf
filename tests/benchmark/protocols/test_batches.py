"""The batch size of a model: given, usual, or as many windows as a GPU's memory holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from benchmark.models.model_card import ModelCard
from benchmark.protocols import batches
from benchmark.protocols.batches import BatchSize
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.inference import predict, tell_ages
from cohorts.errors import ModelError
from tests.benchmark.fake_records import FakeRecords


class Small:
    """A model whose device holds so many windows and no more."""

    card = ModelCard(name="small", outputs=("AF", "LVH"), trained_on=())

    def __init__(self, holds: int) -> None:
        self.holds = holds
        self.sizes: list[int] = []

    def predict(self, batch: Any) -> Any:
        self.sizes.append(len(batch))
        assert len(batch.age) == len(batch.sex) == len(batch)
        if len(batch) > self.holds:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return batch.signals.std(axis=2)[:, :2]

    def ages(self, batch: Any) -> Any:
        return self.predict(batch)[:, 0]


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Hardware:
    """A GPU with memory for a first guess of 16 windows."""
    monkeypatch.setattr(batches, "free_memory", lambda _: 16 * batches.BYTES_A_WINDOW)
    return Hardware("cuda")


@pytest.mark.parametrize(("holds", "used"), [(100, 16), (5, 4), (1, 1)])
def test_what_does_not_fit_is_asked_again_in_halves_with_the_same_scores(
    cuda: Hardware, holds: int, used: int
) -> None:
    records: Any = FakeRecords(records=15, windows=3)
    model, size = Small(holds), BatchSize(cuda, Small(holds))
    found = predict(model, Small.card, records, cuda, size=size)
    whole = predict(Small(1000), Small.card, records, Hardware("cpu", 1000))
    np.testing.assert_array_equal(found, whole)
    np.testing.assert_array_equal(tell_ages(model, "small", records, cuda), whole[:, 0])
    assert size.used == used
    assert sum(s for s in model.sizes if s <= holds) == 2 * 45  # each window once a question


def test_one_window_that_does_not_fit_is_an_error_in_words(cuda: Hardware) -> None:
    records: Any = FakeRecords(records=3, windows=1)
    with pytest.raises(ModelError, match=r"small\.predict has not enough memory for one window"):
        predict(Small(0), Small.card, records, cuda)


@pytest.mark.parametrize("hardware", [Hardware("cuda", 8), Hardware("cpu", 8)])
def test_a_size_that_was_asked_for_is_kept_or_fails(hardware: Hardware) -> None:
    records: Any = FakeRecords(records=9, windows=1)
    with pytest.raises(ModelError, match="OutOfMemoryError"):
        predict(Small(4), Small.card, records, hardware)
    assert BatchSize(hardware, Small(4)).used == 8


def test_on_a_processor_it_is_the_usual_one() -> None:
    assert BatchSize(Hardware("cpu"), Small(1)).read == batches.USUAL

"""One row of scores a record: the windows of a record are averaged."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from benchmark.models.label_map import OwnLabel
from benchmark.models.model_card import ModelCard
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.inference import predict
from cohorts.errors import ModelError
from tests.benchmark.fake_records import FakeRecords


class Spread:
    card = ModelCard(name="spread", outputs=("AF", "LVH"), trained_on=())

    def predict(self, batch: Any) -> Any:
        return batch.signals.std(axis=2)[:, :2]


def test_windows_are_averaged_whatever_the_batch() -> None:
    records = FakeRecords(records=5, windows=3)
    told: list[tuple[int, int]] = []
    found = predict(
        Spread(),
        Spread.card,
        records,
        Hardware(batch_size=4),
        lambda done, of: told.append((done, of)),  # type: ignore[arg-type]
    )
    expected = records.signals.std(axis=2)[:, :2].reshape(5, 3, 2).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == np.float32
    assert told[-1] == (5, 5)


@pytest.mark.parametrize("kind", [np.str_, np.complex64])
def test_words_and_complex_numbers_are_no_scores(kind: type) -> None:
    class Odd(Spread):
        def predict(self, batch: Any) -> Any:
            return super().predict(batch).astype(kind)

    with pytest.raises(ModelError, match="instead of real numbers"):
        predict(Odd(), Odd.card, FakeRecords(records=3, windows=1), Hardware(batch_size=2))  # type: ignore[arg-type]


def test_a_model_that_hangs_has_a_deadline() -> None:
    class Hangs(Spread):
        def predict(self, batch: Any) -> Any:
            time.sleep(1000)

    with pytest.raises(
        ModelError, match=r"did not answer within 0\.2 s at test_inference\.py:\d+; see --deadline"
    ):
        predict(Hangs(), Hangs.card, FakeRecords(records=3, windows=1), Hardware(deadline=0.2))  # type: ignore[arg-type]


class OwnNames:
    card = ModelCard(
        name="own-names",
        outputs=("LVH", "AF"),
        labels=(
            OwnLabel(label="afib", concept="AF", relation="same"),
            OwnLabel(label="noise", relation="unmapped", note="no concept"),
            OwnLabel(label="lvh", concept="LVH", relation="same"),
            OwnLabel(label="fast afib", concept="AF", relation="narrower"),
        ),
        trained_on=(),
    )

    def predict(self, batch: Any) -> Any:
        return batch.signals[:, :4].std(axis=2) * [1, 100, 1, 1]


def test_labels_of_its_own_are_joined_once_windows_are_averaged() -> None:
    records = FakeRecords(records=5, leads=4, windows=3)
    found = predict(OwnNames(), OwnNames.card, records, Hardware(batch_size=4))  # type: ignore[arg-type]
    means = records.signals.std(axis=2)[:, :4].reshape(5, 3, 4).mean(axis=1)
    expected = np.stack([means[:, 2], means[:, [0, 3]].max(axis=1)], axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_model_with_labels_of_its_own_has_one_column_each() -> None:
    class Joined(OwnNames):
        def predict(self, batch: Any) -> Any:
            return super().predict(batch)[:, :2]

    with pytest.raises(ModelError, match=r"shape \(2, 2\); the card promises \(2, 4\)"):
        predict(Joined(), Joined.card, FakeRecords(records=3, leads=4), Hardware(batch_size=2))  # type: ignore[arg-type]

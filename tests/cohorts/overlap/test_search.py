"""The steps of the search on signals so simple that their answer is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from cohorts.overlap import search
from cohorts.recording import STANDARD_LEADS, Recording

RATE = 500


def beats(at: dict[float, float], seconds: float = 10.0) -> Recording:
    """Narrow waves of the given heights in mV at these seconds, alike in all leads."""
    time = np.arange(round(seconds * RATE)) / RATE
    signal = sum(height * np.exp(-(((time - centre) / 0.02) ** 2) / 2) for centre, height in at.items())
    return Recording(np.tile(np.asarray(signal, np.float32), (12, 1)), float(RATE), STANDARD_LEADS)


def anchors_of(recording: Recording) -> npt.NDArray[np.float64]:
    return search._anchors(recording, 7).time


def test_anchors_are_at_the_waves() -> None:
    """What is nearer than a quarter of a second to a larger wave has none, nor what is 2.5 s from an end."""
    found = anchors_of(beats({2.4: 1, 3.0: 1, 3.6: 0.8, 5.0: 1, 5.24: 0.8, 7.4: 1, 7.8: 1}))
    np.testing.assert_allclose(found, [3.0, 3.6, 5.0, 7.4], atol=0.012)


@pytest.mark.parametrize(("seconds", "some"), [(5.99, False), (6.0, True)])
def test_recordings_of_fewer_than_six_seconds_have_no_anchors(seconds: float, some: bool) -> None:
    assert (len(anchors_of(beats({3.0: 1}, seconds))) > 0) == some


def test_keys_and_contexts_are_centred_and_scaled() -> None:
    found = search._anchors(beats({3.0: 1, 5.0: -2}), 7)
    assert found.key.shape == (2, 64)
    assert found.context.shape == (2, 160)
    np.testing.assert_allclose(found.key.sum(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose((found.key**2).sum(axis=1), 1, atol=1e-5)
    assert np.abs(found.context).max(axis=1).tolist() == [1.0, 1.0]
    # The middle, between numbers 79 and 80, is the anchor; 2 s are 32 numbers.
    assert np.argmin(found.context[0]) in {79 + 32, 80 + 32}
    assert np.argmin(found.context[1]) in {79, 80}
    assert found.record.tolist() == [7, 7]


def test_the_strongest_anchor_in_every_two_seconds_is_taken() -> None:
    found = search._anchors(beats({3.0: 1, 3.9: 2, 4.5: 1, 5.2: 0.5, 7.0: 1}), 0)
    assert len(found.time) == 5
    np.testing.assert_allclose(search._one_in_each_block(found).time, [3.9, 4.5, 7.0], atol=0.012)


def test_contexts_are_compared_where_both_have_something() -> None:
    x = np.array([[1, 2, 0, 3], [3, 4, 0, 0], [0, 0, 1, 0]], np.float16)
    y = np.array([[2, 4, 5, 0], [4, 3, 0, 0], [1, 1, 0, 1]], np.float16)
    similarity, numbers = search._context_similarity(x, y)
    np.testing.assert_allclose(similarity, [1.0, 24 / 25, 0.0], atol=1e-6)
    assert numbers.tolist() == [2, 2, 0]

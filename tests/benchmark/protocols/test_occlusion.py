"""A map of what a model looked at is right where the answer is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec
from benchmark.protocols.harmonise import RecordingSource
from benchmark.protocols.map_test import GROUPS, ORDERS, SHARES, MapTest, RelevanceMap
from benchmark.protocols.occlusion import Doubles, Erased, Parts, occluded
from benchmark.protocols.saliency import checked_saliency, summed
from cohorts.errors import ModelError
from cohorts.recording import STANDARD_LEADS, Floats, Recording

ROW = pd.DataFrame({"record_id": ["a"], "age": [50.0], "sex": ["female"]})


def recording(seconds: float = 4.0, rate: float = 100.0, seed: int = 0) -> Recording:
    signal = np.random.default_rng(seed).normal(0, 0.1, (12, round(seconds * rate))).astype(np.float32)
    return Recording(signal, rate, STANDARD_LEADS)


def with_spike() -> Recording:
    """A wave in V2 between 1.0 and 1.2 s."""
    made = recording()
    made.signal[7, 100:120] += np.hanning(20).astype(np.float32)
    return made


def scored(score: object) -> object:
    def scores(source: RecordingSource) -> Doubles:
        return np.array([score(source.recording(at).signal) for at in range(len(source.index))])  # type: ignore[operator]

    return scores


def examined(score: object, whole: Recording) -> RelevanceMap:
    parts = Parts(scored(score), whole, ROW)  # type: ignore[arg-type]
    return MapTest(parts).of("occlusion", occluded(parts))


def spike(signal: Floats) -> float:
    return float(signal[7, 100:120].max())


def test_the_place_that_decides_is_found_and_the_test_confirms_it() -> None:
    found = examined(spike, with_spike())
    lead, part = np.unravel_index(np.argmax(found.importance), found.importance.shape)
    assert (found.leads[lead], part) == ("V2", 5)
    elsewhere = np.delete(found.importance.ravel(), lead * found.importance.shape[1] + part)
    assert np.abs(elsewhere).max() == 0
    assert found.importance.max() > 0.7
    assert found.deletion[0] == found.random[0] == found.score
    assert len(found.deletion) == len(found.random) == len(SHARES)
    assert found.deletion[1:].max() < 0.1 < found.deletion[0]
    assert found.advantage > 0.5
    assert found.holds
    assert found.agreement is not None
    assert found.agreement > 0.99


def test_what_speaks_against_is_below_zero() -> None:
    found = examined(lambda signal: -spike(signal), with_spike())
    assert found.importance.min() < -0.7
    assert found.importance.max() == 0


def powers(signal: Floats) -> npt.NDArray[np.float64]:
    """Mean square of each of 12 x 20 parts."""
    return (signal.astype(np.float64).reshape(12, 20, 20) ** 2).mean(axis=2)


WEIGHTS = np.random.default_rng(7).normal(size=(12, 20))


def test_a_map_holds_though_the_score_rises_when_most_is_erased() -> None:
    """A recording of which more than half is gone is like none that a model knows: it may answer anything."""

    def score(signal: Floats) -> float:
        flat = (powers(signal) < 1e-4).mean()
        return float((WEIGHTS * powers(signal)).sum() + (40.0 if flat > 0.3 else 0.0))

    found = examined(score, recording())
    assert found.deletion[-1] > found.score + 30
    assert found.holds
    assert found.p == 0.01
    assert found.advantage > 0


def test_a_reversed_map_and_a_shuffled_one_do_not_hold() -> None:
    parts = Parts(scored(lambda signal: float((WEIGHTS * powers(signal)).sum())), recording(), ROW)  # type: ignore[arg-type]
    test, right = MapTest(parts), occluded(parts)
    assert test.of("occlusion", right).p == 0.01
    wrong = test.of("occlusion", -right)
    assert (wrong.p, wrong.holds) == (1.0, False)
    assert wrong.advantage < 0
    assert wrong.agreement is not None
    assert wrong.agreement < -0.9
    random = np.random.default_rng(0)
    flat = right.ravel()
    shuffled = [test.of("occlusion", random.permutation(flat).reshape(12, 20)) for _ in range(20)]
    assert sum(found.holds for found in shuffled) <= 4  # 5 % of them are expected to


def test_the_p_value_is_the_rank_among_random_orders() -> None:
    """Made again from the masks that were asked for."""
    asked: list[npt.NDArray[np.bool_]] = []
    whole = recording()

    class Recorded(Parts):
        def without(self, masks: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
            asked.append(masks)
            return -np.asarray(masks @ WEIGHTS.ravel())

    parts = Recorded(scored(spike), whole, ROW)  # type: ignore[arg-type]
    found = MapTest(parts, seed=3).of("gradients", WEIGHTS)
    chance, own = asked
    orders = chance[len(SHARES) + GROUPS :]
    sizes = [3, 5, 12, 24, 48]  # of 240: 1, 2, 5, 10 and 20 %
    assert orders.sum(axis=1).reshape(ORDERS, 5).tolist() == [sizes] * ORDERS
    means = -(orders @ WEIGHTS.ravel()).reshape(ORDERS, 5).mean(axis=1)
    low = -np.mean([np.sort(WEIGHTS.ravel())[::-1][:size].sum() for size in sizes])
    assert found.p == pytest.approx((1 + (means <= low).sum()) / 100)
    assert found.advantage == pytest.approx(means.mean() - low)
    assert own.sum(axis=1).tolist() == [0, *sizes, *range(72, 241, 24)]
    middling = MapTest(parts, seed=3).of("gradients", np.round(WEIGHTS * 0))  # ties keep their order
    assert 0.01 < middling.p <= 1


def test_a_score_that_never_changes_has_no_agreement() -> None:
    found = examined(lambda signal: 0.5, recording())
    assert found.agreement is None
    assert found.advantage == 0
    assert found.p == 1


def test_saliency_is_summed_where_its_samples_lie() -> None:
    """Two leads at another rate, two windows of two seconds: each value in the part of its moment."""
    spec = InputSpec(sampling_rate=50, seconds=2, leads=("V2", "I"), long_records="windows")
    parts = Parts(scored(spike), recording(), ROW)  # type: ignore[arg-type]
    saliency = np.zeros((2, 2, 100))
    saliency[0, 0, 50:60] = 1.0  # V2, 1.0 to 1.2 s
    saliency[1, 1, 99] = 4.0  # I, just before 4 s
    found = summed(saliency, spec, parts)
    assert found[7, 5] == 5.0
    assert found[0, 19] == 2.0
    assert np.count_nonzero(found) == 2
    centre = InputSpec(sampling_rate=100, seconds=1, leads=("II",), long_records="centre")
    middle = summed(np.ones((1, 1, 100)), centre, parts)[1]
    assert middle.tolist() == [0] * 7 + [10] + [20] * 4 + [10] + [0] * 7
    padded = InputSpec(sampling_rate=100, seconds=10, leads=("II",))
    assert (
        summed(np.ones((1, 1, 1000)), padded, parts)[1].sum() == 400
    )  # what lies behind the recording counts for nothing


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.zeros((1, 2, 49)), r"shape \(1, 2, 49\) instead of that of the signals, \(1, 2, 50\)"),
        (np.full((1, 2, 50), np.nan), "100 NaN or infinite values"),
        ("words", "real numbers"),
    ],
)
def test_saliency_that_is_none_is_refused(answer: object, words: str) -> None:
    batch = Batch(np.zeros((1, 2, 50), np.float32), np.zeros(1, np.float32), np.array([""]))
    with pytest.raises(ModelError, match=words):
        checked_saliency(answer, batch, "net")


@given(st.floats(0.5, 12.5), st.sampled_from([100.0, 257.0, 360.0, 500.0]), st.integers(0, 2**32 - 1))
def test_only_what_is_erased_changes_and_it_becomes_a_line(seconds: float, rate: float, seed: int) -> None:
    whole = recording(seconds, rate, seed)
    parts = int(np.ceil(min(whole.signal.shape[1], round(10 * rate)) / rate / 0.2 - 1e-9))
    mask = np.random.default_rng(seed).random((12, parts)) < 0.2
    erased = Erased(whole, ROW, [mask]).recording(0).signal
    edges = np.append(np.round(np.arange(parts) * 0.2 * rate), min(whole.signal.shape[1], round(10 * rate)))
    for lead, row in enumerate(mask):
        kept = np.ones(whole.signal.shape[1], np.bool_)
        for part in np.flatnonzero(row):
            first, last = int(edges[part]), int(edges[part + 1])
            kept[first:last] = False
            assert np.abs(np.diff(erased[lead, first:last], 2)).max(initial=0.0) < 1e-5
        np.testing.assert_array_equal(erased[lead, kept], whole.signal[lead, kept])
    assert np.isfinite(erased).all()


def test_missing_samples_are_not_carried_into_what_is_erased() -> None:
    whole = recording()
    whole.signal[0, :20] = np.nan
    mask = np.zeros((12, 20), np.bool_)
    mask[0, 1:3] = True
    erased = Erased(whole, ROW, [mask]).recording(0).signal
    assert np.isfinite(erased[0, 20:]).all()
    assert np.isnan(erased[0, :20]).all()

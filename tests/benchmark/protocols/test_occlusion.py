"""A map of what a model looked at is right where the answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from benchmark.protocols.harmonise import RecordingSource
from benchmark.protocols.occlusion import Doubles, Erased, occlusion_map
from cohorts.recording import STANDARD_LEADS, Recording

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


def test_the_place_that_decides_is_found_and_the_test_confirms_it() -> None:
    found = occlusion_map(scored(lambda signal: float(signal[7, 100:120].max())), with_spike(), ROW)  # type: ignore[arg-type]
    lead, part = np.unravel_index(np.argmax(found.importance), found.importance.shape)
    assert (found.leads[lead], part) == ("V2", 5)
    elsewhere = np.delete(found.importance.ravel(), lead * found.importance.shape[1] + part)
    assert np.abs(elsewhere).max() == 0
    assert found.importance.max() > 0.7
    assert found.deletion[0] == found.random[0] == found.score
    assert found.advantage > 0
    assert found.agreement is not None
    assert found.agreement > 0.99


def test_what_speaks_against_is_below_zero() -> None:
    found = occlusion_map(scored(lambda signal: -float(signal[7, 100:120].max())), with_spike(), ROW)  # type: ignore[arg-type]
    assert found.importance.min() < -0.7
    assert found.importance.max() == 0


def test_a_map_of_noise_does_not_hold() -> None:
    noise = np.random.default_rng(1)
    found = occlusion_map(scored(lambda signal: float(noise.normal())), recording(), ROW)  # type: ignore[arg-type]
    assert found.agreement is not None
    assert abs(found.agreement) < 0.35


def test_a_score_that_never_changes_has_no_agreement() -> None:
    found = occlusion_map(scored(lambda signal: 0.5), recording(), ROW)  # type: ignore[arg-type]
    assert found.agreement is None
    assert found.advantage == 0


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

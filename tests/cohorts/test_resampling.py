"""Another sampling rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly

from cohorts.resampling import resample


@pytest.mark.parametrize(
    ("rate_in", "rate_out", "samples", "expected"),
    [
        (500, 100, 5000, 1000),
        (257, 500, 4626, 9000),
        (1000, 500, 115174, 57587),
        (500, 400, 5974, 4779),
        (100, 500, 1, 5),
        (500, 100, 2, 0),
        (499.97, 500, 5000, 5000),
        (360, 500, 1001, 1390),
    ],
)
def test_resampled_length(rate_in, rate_out, samples, expected):
    y = resample(np.ones((2, samples), np.float32), rate_in, rate_out)
    assert y.shape == (2, expected)
    assert y.dtype == np.float32


@settings(max_examples=60)
@given(
    up=st.integers(1, 40),
    down=st.integers(1, 40),
    samples=st.integers(2, 6000),
    shape=st.sampled_from([(), (1,), (12,), (2, 3)]),
    seed=st.integers(0, 9),
)
def test_it_is_scipys_filter(up, down, samples, shape, seed):
    rate_in = 100 * down
    x = np.random.default_rng(seed).normal(size=(*shape, samples)).cumsum(-1).astype(np.float32) / 100
    y = resample(x, rate_in, 100 * up)
    common = np.gcd(up, down)
    wanted = (
        x
        if up == down
        else resample_poly(x.astype(np.float64), up // common, down // common, axis=-1, padtype="antireflect")
    )
    np.testing.assert_allclose(y, wanted[..., : y.shape[-1]], rtol=0, atol=1e-6 * max(1.0, np.abs(x).max()))


def test_the_same_rate_gives_an_independent_copy():
    x = np.ones((1, 10), np.float32)
    y = resample(x, 500, 500.0)
    y[:] = 0
    assert (x == 1).all()


def test_resampling_keeps_a_low_sine_and_removes_what_would_alias():
    t = np.arange(5000) / 500
    low, high = np.sin(2 * np.pi * 5 * t), np.sin(2 * np.pi * 130 * t)
    y = resample(low, 500, 100)
    np.testing.assert_allclose(y, np.sin(2 * np.pi * 5 * np.arange(1000) / 100), atol=0.01)
    # Decimation without a filter would fold 130 Hz to 30 Hz at full height.
    assert np.abs(resample(high, 500, 100)[20:-20]).max() < 0.02


def test_borders_do_not_ring_with_a_baseline_offset():
    drift = np.linspace(3.0, -2.0, 5000, dtype=np.float32)
    np.testing.assert_allclose(resample(drift, 500, 100), drift[::5], atol=2e-3)
    np.testing.assert_allclose(resample(np.full(5000, 3.0), 500, 257), 3.0, atol=5e-3)


@pytest.mark.parametrize("samples", [1, 2, 3, 5])
def test_very_short_signals_can_be_resampled(samples):
    y = resample(np.full((2, samples), 0.5), 500, 1000)
    np.testing.assert_allclose(y, np.full((2, 2 * samples), 0.5), atol=2e-3)


def test_a_record_does_not_depend_on_its_neighbours():
    x = np.random.default_rng(0).normal(size=(3, 12, 1000)).astype(np.float32)
    together = resample(x, 500, 257)
    alone = np.stack([resample(record, 500, 257) for record in x])
    np.testing.assert_array_equal(together, alone)


def test_a_minute_is_several_products_of_matrices_and_one_recording():
    x = np.random.default_rng(2).normal(size=(12, 30_001)).astype(np.float32)
    y = resample(x, 500, 100)
    wanted = resample_poly(x.astype(np.float64), 1, 5, axis=-1, padtype="antireflect")
    np.testing.assert_allclose(y, wanted[:, : y.shape[-1]], rtol=0, atol=1e-6 * np.abs(x).max())
    np.testing.assert_array_equal(resample(x[3], 500, 100), y[3])


def test_missing_samples_do_not_spread():
    t = np.arange(2000) / 500
    x = np.sin(2 * np.pi * 2 * t).astype(np.float32)
    gappy = x.copy()
    gappy[:50] = np.nan
    gappy[1000:1100] = np.nan
    y = resample(np.stack([gappy, x, np.full_like(x, np.nan)]), 500, 250)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(y[0])), [*range(25), *range(500, 550)])
    np.testing.assert_array_equal(y[1], resample(x, 500, 250))
    assert np.isnan(y[2]).all()
    kept = ~np.isnan(y[0])
    assert np.abs(y[0] - y[1])[kept].max() < 0.3


def test_a_missing_last_sample_is_missing_to_the_end_at_a_higher_rate():
    y = resample(np.array([0.0, 0.0, 0.0, 0.0, np.nan]), 100, 500)
    # The fifth sample lies at 20; nearer to it than to the fourth are those from 17.5 on.
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(y)), range(18, 25))


@pytest.mark.parametrize("rates", [(0, 500), (500, 0), (np.nan, 500), (500, np.inf), (-1, 1)])
def test_impossible_rates_are_refused(rates):
    with pytest.raises(ValueError, match="sampling rates"):
        resample(np.ones(10), *rates)

"""Filters in torch do what scipy's do, on a processor and, by convolution, elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import signal

from baselines.foundation.filters import (
    ZeroPhase,
    band_pass,
    band_pass_fir,
    median_elsewhere,
    notch,
    running_median,
)

LOW_PASS = signal.butter(5, 40, btype="low", fs=250, output="sos")
TRIVIAL = signal.butter(1, 40, btype="low", fs=250, output="sos")
BAND = signal.butter(4, (0.67, 40), btype="bandpass", fs=500)
FIR = signal.firwin(151, (0.05, 47), pass_zero=False, fs=500)

FILTERS: dict[str, tuple[ZeroPhase, Any, float]] = {
    "notch": (notch(50, 30, 500), lambda x: signal.filtfilt(*signal.iirnotch(50, 30, fs=500), x), 1e-12),
    # The transfer function itself has no more digits; see the module.
    "band-pass": (band_pass(4, (0.67, 40), 500), lambda x: signal.filtfilt(*BAND, x), 3e-6),
    "fir": (band_pass_fir(151, (0.05, 47), 500), lambda x: signal.filtfilt(FIR, 1, x), 1e-12),
    "sections": (ZeroPhase(LOW_PASS), lambda x: signal.sosfiltfilt(LOW_PASS, x), 1e-12),
    "one section": (ZeroPhase(TRIVIAL), lambda x: signal.sosfiltfilt(TRIVIAL, x), 1e-12),
}


def wandering(*shape: int) -> Any:
    return np.cumsum(np.random.default_rng(5).standard_normal(shape), axis=-1)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("samples", [700, 5000])
def test_both_ways_are_scipys(name: str, samples: int) -> None:
    mine, scipys, tolerance = FILTERS[name]
    x = wandering(2, 3, samples)
    expected = scipys(x)
    for found in (mine(torch.from_numpy(x)), mine.in_frequency(torch.from_numpy(x))):
        assert found.shape == x.shape
        assert np.abs(found.numpy() - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize("name", FILTERS)
def test_the_two_ways_agree(name: str) -> None:
    mine = FILTERS[name][0]
    x = torch.from_numpy(wandering(4, 3000) + 100)
    torch.testing.assert_close(mine.in_frequency(x), mine(x), rtol=0, atol=1e-9)


def test_sections_give_the_very_values_of_scipy_whatever_the_strides() -> None:
    x = wandering(700, 3, 2).transpose(2, 1, 0)
    expected = signal.sosfiltfilt(LOW_PASS, x)
    np.testing.assert_allclose(ZeroPhase(LOW_PASS)(torch.from_numpy(x)).numpy(), expected, rtol=1e-13, atol=0)
    alone = ZeroPhase(LOW_PASS)(torch.from_numpy(x[0, 0])).numpy()
    np.testing.assert_allclose(alone, expected[0, 0], rtol=1e-13, atol=0)


def test_the_input_is_left_alone() -> None:
    x = torch.from_numpy(wandering(2, 900))
    before = x.clone()
    notch(50, 30, 500)(x)
    running_median(x, 11)
    torch.testing.assert_close(x, before, rtol=0, atol=0)


@pytest.mark.parametrize("digits", [0, 9], ids=["many ties", "no ties"])
@pytest.mark.parametrize("samples", [1, 3, 201])
def test_the_median_is_scipys_with_zeros_beyond_the_ends(samples: int, digits: int) -> None:
    x = wandering(2, 3, 600).round(digits)
    expected = signal.medfilt(x, (1, 1, samples))
    np.testing.assert_array_equal(running_median(torch.from_numpy(x), samples).numpy(), expected)
    np.testing.assert_array_equal(median_elsewhere(torch.from_numpy(x), samples).numpy(), expected)

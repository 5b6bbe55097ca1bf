"""What published models do to a recording before their network sees it.

Every function takes recordings ``[records, leads, samples]`` on any device and looks at each of them alone.
"""

from __future__ import annotations

from functools import cache

import torch
from scipy.signal import butter, cheby1

from baselines.foundation.filters import ZeroPhase, band_pass, band_pass_fir, notch, running_median

BASELINE = 201
"""Samples of the running median that ECGFounder takes for the baseline: 0.4 s at 500 Hz."""
HALF, STEP = 2500, 5
"""HuBERT-ECG is given so many samples of a lead at 500 Hz, and of these one in five."""


def ecgfounder(signals: torch.Tensor, *, filtered: bool) -> torch.Tensor:
    """Standardise each recording over all its leads and samples; before that, filter it or not.

    As ``dataset.py`` and ``util.py`` of ``PKUDigitalHealth/ECGFounder`` (commit 04edac7).

    Parameters
    ----------
    signals
        ``[records, leads, 5000]``, mV at 500 Hz.
    filtered
        Whether to take out the mains, what lies outside 0.67 to 40 Hz, and the baseline.

    Returns
    -------
    float64 ``[records, leads, 5000]``
    """
    x = signals.double()
    if filtered:
        x = without_baseline(x)
    mean = x.mean(dim=(1, 2), keepdim=True)
    deviation = x.std(dim=(1, 2), correction=0, keepdim=True)
    return (x - mean) / (deviation + 1e-8)


def without_baseline(signals: torch.Tensor) -> torch.Tensor:
    """Filter float64 ``[..., 5000]`` as ECGFounder's authors do: notch, band-pass, minus a running median."""
    mains, band = _of_ecgfounder()
    x = band(mains(signals))
    return x - running_median(x, BASELINE)


@cache
def _of_ecgfounder() -> tuple[ZeroPhase, ZeroPhase]:
    return notch(50, 30, 500), band_pass(4, (0.67, 40), 500)


def hubert_ecg(signals: torch.Tensor) -> torch.Tensor:
    """Filter, scale and thin out, and lay one lead behind the other.

    As ``code/utils.py`` and ``code/dataset.py`` of ``Edoar-do/HuBERT-ECG`` (commit affe1f9). That code thins
    out the row of all leads, so that its filter mixes the end of one lead with the beginning of the next;
    weights trained so need it so.

    Parameters
    ----------
    signals
        ``[records, 12, 5000]``, mV at 500 Hz.

    Returns
    -------
    float64 ``[records, 6000]``: the first 5 s at 100 Hz, each lead scaled to [-1, 1] by its 10 s.
    """
    band, thinning = _of_hubert_ecg()
    x = band(signals.double())
    low, high = x.amin(dim=-1, keepdim=True), x.amax(dim=-1, keepdim=True)
    x = 2 * (x - low) / (high - low + 1e-8) - 1
    row = x[..., :HALF].flatten(-2)
    return thinning(row)[..., ::STEP]


@cache
def _of_hubert_ecg() -> tuple[ZeroPhase, ZeroPhase]:
    return band_pass_fir(151, (0.05, 47.0), 500), ZeroPhase(cheby1(8, 0.05, 0.8 / STEP, output="sos"))


def st_mem(signals: torch.Tensor) -> torch.Tensor:
    """Cut three crops of 9 s, filter each, and bring each to mean 0 and deviation 1 over all leads.

    As ``util/transforms.py`` of ``bakqui/ST-MEM`` (commit 69ec702).

    Parameters
    ----------
    signals
        ``[records, 12, 2500]`` at 250 Hz.

    Returns
    -------
    ``[records, 3, 12, 2250]``
    """
    high, low = _of_st_mem()
    crops = torch.stack([signals[..., start : start + 2250] for start in (0, 125, 250)], dim=1)
    filtered = low(high(crops.double()))
    centred = filtered - filtered.mean(dim=(-2, -1), keepdim=True)
    deviation = centred.square().mean(dim=(-2, -1), keepdim=True).sqrt()
    return torch.where(deviation > 0, centred / deviation, centred).to(signals.dtype)


@cache
def _of_st_mem() -> tuple[ZeroPhase, ZeroPhase]:
    high = butter(5, 0.67, "highpass", fs=250, output="sos")
    low = butter(5, 40.0, "lowpass", fs=250, output="sos")
    return ZeroPhase(high), ZeroPhase(low)


def min_max(signals: torch.Tensor) -> torch.Tensor:
    """Bring each record to [0, 1], all its leads by the same minimum and maximum; a flat one becomes 0.

    Parameters
    ----------
    signals
        ``[records, leads, samples]``, in any unit.
    """
    low = signals.amin(dim=(1, 2), keepdim=True)
    high = signals.amax(dim=(1, 2), keepdim=True)
    return (signals - low) / (high - low + 1e-8)


def centred(signals: torch.Tensor) -> torch.Tensor:
    """Move half of the zeros behind a recording before it, as in CODE's own files.

    Parameters
    ----------
    signals
        ``[records, leads, samples]``, with zeros in all leads behind a recording that is shorter.
    """
    samples = signals.shape[-1]
    places = torch.arange(samples, device=signals.device)
    last = torch.where((signals != 0).any(dim=1), places, -1).amax(dim=-1)
    shift = torch.where(last < 0, 0, (samples - 1 - last) // 2)
    source = (places - shift[:, None]) % samples
    return signals.gather(-1, source[:, None].expand_as(signals))

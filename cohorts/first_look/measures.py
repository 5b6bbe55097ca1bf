"""What one recording shows of how it was stored: amplitudes, laws of the limb leads, hum, rails, heart rate.

Plain functions of millivolts by lead; what they find doubtful, and why, is in `cohorts.first_look.signals`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, find_peaks, sosfiltfilt, welch

Doubles = npt.NDArray[np.float64]

LIMB_LEADS = ("I", "II", "III", "aVR", "aVL", "aVF")

# Einthoven: III = II - I. Goldberger: aVR = -(I + II) / 2, aVL = I - II / 2, aVF = II - I / 2. Each row is
# what a law leaves over, as multiples of the six limb leads.
_LAWS = np.array(
    [
        [1.0, -1.0, 1.0, 0.0, 0.0, 0.0],
        [0.5, 0.5, 0.0, 1.0, 0.0, 0.0],
        [-1.0, 0.5, 0.0, 0.0, 1.0, 0.0],
        [0.5, -1.0, 0.0, 0.0, 0.0, 1.0],
    ]
)
_ORDERS = np.array(list(itertools.permutations(range(6))))  # the first is the order as it is
_STEP = 0.01  # s
_SECONDS = 1.0  # of the pieces in which an amplitude is looked for


def amplitude(signal: Doubles, rate: float) -> float:
    """Peak-to-peak amplitude of the usual second of a lead, mV: neither a drift nor one artefact counts.

    Parameters
    ----------
    signal
        ``[samples]`` in mV; NaN where a sample is missing.

    Returns
    -------
    float
        NaN where no second is complete.
    """
    length = max(round(_SECONDS * rate), 2)
    pieces = signal[: len(signal) // length * length].reshape(-1, length)
    pieces = pieces[np.isfinite(pieces).all(axis=1)]
    return float(np.median(np.ptp(pieces, axis=1))) if len(pieces) else float("nan")


def changes(signal: Doubles, rate: float) -> Doubles:
    """Differences between the means of neighbouring 10 ms, mV: drift and fine noise aside.

    A filter that took the drift of each lead away on its own, as in LUDB, changes them little.
    """
    step = max(round(_STEP * rate), 1)
    differences: Doubles = np.diff(signal[: len(signal) // step * step].reshape(-1, step).mean(axis=1))
    return differences


def limb_products(leads: Mapping[str, Doubles], rate: float) -> Doubles:
    """Products of the changes of the limb leads with each other, mean over the times that all of them have.

    Returns
    -------
    numpy.ndarray
        ``[6, 6]`` in mV², in the order of `LIMB_LEADS`.
    """
    limbs = np.array([changes(leads[lead], rate) for lead in LIMB_LEADS])
    limbs = limbs[:, np.isfinite(limbs).all(axis=0)]
    products: Doubles = limbs @ limbs.T / max(limbs.shape[1], 1)
    return products


def left_over(products: Doubles) -> float:
    """Share of the limb leads' power that Einthoven's and Goldberger's laws leave over; 0 where they hold."""
    power = float(np.trace(products))
    return float(np.einsum("ki,ij,kj->", _LAWS, products, _LAWS)) / power if power > 0 else 0.0


def best_order(products: Doubles) -> tuple[tuple[str, ...], float]:
    """Find the order of the six limb leads in which the laws hold best.

    Returns
    -------
    tuple of str
        For each standard limb lead the name under which it is stored.
    float
        What the laws leave over then, as `left_over`.
    """
    power = float(np.trace(products))
    if power <= 0:
        return LIMB_LEADS, 0.0
    ordered = products[_ORDERS[:, :, None], _ORDERS[:, None, :]]
    left = np.einsum("ki,oij,kj->o", _LAWS, ordered, _LAWS) / power
    best = int(left.argmin())
    return tuple(LIMB_LEADS[at] for at in _ORDERS[best]), float(left[best])


def best_sign(products: Doubles) -> tuple[str, float]:
    """Find the one limb lead whose inversion makes the laws hold best, and what they leave over then."""
    left = {}
    for at, lead in enumerate(LIMB_LEADS):
        signs = np.ones(6)
        signs[at] = -1.0
        left[lead] = left_over(products * np.outer(signs, signs))
    best = min(left, key=left.__getitem__)
    return best, left[best]


def hum(signal: Doubles, rate: float, mains: float) -> Doubles:
    """Share of the power above 1 Hz that lies within half a hertz of the mains and stands out there.

    What the neighbouring frequencies have as well is no hum, and is taken off.

    Parameters
    ----------
    signal
        ``[..., samples]`` in mV.

    Returns
    -------
    numpy.ndarray
        0 to 1 for each lead; 0 where the rate is too low to tell, or a sample is missing.
    """
    known = np.asarray(np.isfinite(signal).all(axis=-1))
    if rate <= 2 * (mains + 6) or signal.shape[-1] < 2 * rate:
        return np.zeros(known.shape)
    complete = np.where(known[..., None], signal, 0.0)
    frequencies, density = welch(complete, rate, nperseg=min(signal.shape[-1], round(4 * rate)))
    away = np.abs(frequencies - mains)
    beside = np.median(density[..., (away > 2) & (away < 5)], axis=-1, keepdims=True)
    within = (density[..., away <= 0.5] - beside).sum(axis=-1)
    total = density[..., frequencies > 1].sum(axis=-1)
    share: Doubles = np.maximum(np.divide(within, total, out=np.zeros(known.shape), where=total > 0), 0.0)
    return share


def at_rails(signal: Doubles, rate: float) -> float:
    """Share of the samples in which a lead stands still at its highest or lowest value, again and again.

    A stretch counts from 12 ms on, and an end counts if it has three of them or one of a fifth of a second.

    Returns
    -------
    float
        0 to 1; 0 for a lead that is flat altogether.
    """
    known = signal[np.isfinite(signal)]
    if len(known) < 2 or np.ptp(known) == 0:
        return 0.0
    share = 0.0
    for end in (known.max(), known.min()):
        stretches = _stretches(known == end)
        long = stretches[stretches >= max(0.012 * rate, 3)]
        if len(long) >= 3 or (len(long) and long.max() >= 0.2 * rate):
            share += float(long.sum()) / len(known)
    return share


def still(signal: Doubles) -> float:
    """Longest stretch without any change, as a share of the known samples."""
    known = signal[np.isfinite(signal)]
    if len(known) < 2:
        return 1.0
    stretches = _stretches(np.diff(known) == 0)
    return float(stretches.max(initial=0) + 1) / len(known)


def _stretches(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Lengths of the stretches in which a mask is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    lengths: npt.NDArray[np.int64] = edges[1::2] - edges[::2]
    return lengths


def heart_rate(leads: Mapping[str, Doubles], rate: float) -> float:
    """Beats per minute from the steep waves of all leads together.

    Returns
    -------
    float
        NaN where fewer than three beats stand out.
    """
    signals = [signal for signal in leads.values() if np.isfinite(signal).all() and np.ptp(signal) > 0]
    if not signals or rate < 60 or len(signals[0]) < 2 * rate:
        return float("nan")
    band = butter(2, [5, min(25, 0.45 * rate)], "bandpass", fs=rate, output="sos")
    steep = np.zeros(len(signals[0]))
    for signal in signals:
        change = np.gradient(sosfiltfilt(band, signal)) ** 2
        steep += change / (np.percentile(change, 98) or 1.0)
    width = max(round(0.1 * rate), 1)
    steep = np.convolve(steep, np.ones(width) / width, "same")
    peaks, _ = find_peaks(steep, height=0.35 * np.percentile(steep, 98), distance=max(round(0.18 * rate), 1))
    return float(60 * rate / np.median(np.diff(peaks))) if len(peaks) >= 3 else float("nan")


def likeness(one: Doubles, other: Doubles, rate: float) -> float:
    """Correlation of the changes of two leads, where both are known; 0 where one of them is flat."""
    a, b = changes(one, rate), changes(other, rate)
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])

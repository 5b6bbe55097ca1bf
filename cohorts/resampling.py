"""Another sampling rate, by an anti-aliasing polyphase filter."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# A signal is continued by its point reflection in its first and last sample. Any: a mode that
# `scipy.signal.upfirdn` has and the stubs of `resample_poly` do not list.
_BORDERS: Any = "antireflect"

_BLOCK = 16
_LARGEST_MATRIX = 1 << 20


def resample(signal: npt.ArrayLike, rate_in: float, rate_out: float) -> Floats:
    """Change the sampling rate with an anti-aliasing polyphase filter.

    Every row is filtered on its own, so a record's result does not depend on its neighbours. Its
    borders do not ring with a baseline offset or a drift, as they would if it were 0 mV outside. Missing
    samples (NaN) are bridged by a straight line for the filter and are missing again in the result.

    Parameters
    ----------
    signal
        ``[..., samples]``.
    rate_in, rate_out
        In Hz.

    Returns
    -------
    numpy.ndarray
        float32 ``[..., round(samples * rate_out / rate_in)]``.
    """
    if not (np.isfinite([rate_in, rate_out]).all() and rate_in > 0 and rate_out > 0):
        raise ValueError(f"sampling rates must be positive, not {rate_in} and {rate_out} Hz")
    x = np.asarray(signal, dtype=np.float32)
    samples = round(x.shape[-1] * rate_out / rate_in)
    if rate_in == rate_out or samples == 0 or x.size == 0:
        return x[..., :samples].copy()
    if x.shape[-1] == 1:  # nothing to filter, and scipy ends the process on it
        return np.repeat(x, samples, axis=-1)
    ratio = Fraction(rate_out / rate_in).limit_denominator(10_000)
    if not ratio:
        raise ValueError(f"{rate_in:g} Hz cannot be brought down to {rate_out:g} Hz")
    missing = ~np.isfinite(x)
    gaps = bool(missing.any())
    y = _filtered(_bridged(x, missing) if gaps else x, ratio.numerator, ratio.denominator)
    # A ratio that is no short fraction (500 Hz from 499.97 Hz) may end a few samples early.
    nearest = np.minimum(np.arange(samples), y.shape[-1] - 1)
    y = y[..., :samples] if y.shape[-1] >= samples else y[..., nearest]
    if gaps:
        source = np.rint(np.arange(samples) * (rate_in / rate_out)).astype(np.int64)
        y = np.where(missing[..., np.minimum(source, x.shape[-1] - 1)], np.float32(np.nan), y)
    return np.ascontiguousarray(y, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """The filter as one matrix, which turns a stretch of input samples into a block of output samples.

    Attributes
    ----------
    matrix
        float32 ``[reach, block]``.
    step
        Input samples from one block to the next.
    before
        Input samples that a block needs from before its first one.
    """

    matrix: Floats
    step: int
    before: int


@lru_cache(maxsize=32)
def _blocks(up: int, down: int) -> _Blocks | None:
    """Design the filter of `scipy.signal.resample_poly` (its default window); None if it is too long a one.

    A product of matrices does more arithmetic than a polyphase filter, much of it with zeros, and is still
    several times as quick, because it runs on the vector units.
    """
    from scipy.signal import firwin  # which takes a second to import

    half = 10 * max(up, down)
    block = up * max(1, round(_BLOCK / up))
    before, after = half // up, ((block - 1) * down + half) // up
    if (before + after + 1) * block > _LARGEST_MATRIX:
        return None
    taps = firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0)) * up
    source, target = np.arange(-before, after + 1)[:, None], np.arange(block)
    tap = target * down - source * up + half
    matrix = np.where((tap >= 0) & (tap <= 2 * half), taps[np.clip(tap, 0, 2 * half)], 0.0)
    return _Blocks(np.ascontiguousarray(matrix, np.float32), block // up * down, before)


def _filtered(x: Floats, up: int, down: int) -> Floats:
    """``scipy.signal.resample_poly`` of ``[..., samples]`` by ``up / down``, to float32 rounding."""
    samples = x.shape[-1]
    filter_ = _blocks(up, down)
    # The reflection below goes back once; scipy reflects a recording shorter than the filter again and again.
    if filter_ is None or samples <= len(filter_.matrix):
        from scipy.signal import resample_poly

        y: Floats = resample_poly(x, up, down, axis=-1, padtype=_BORDERS)
        return y
    reach, block = filter_.matrix.shape
    wanted = -(-samples * up // down)
    blocks = -(-wanted // block)
    rows = x.reshape(-1, samples)
    before = filter_.before
    after = (
        before + 1
    )  # where the filter's half is no multiple of ``up``, the last sample reaches one further
    length = max((blocks - 1) * filter_.step + reach, before + samples + after)
    extended = np.zeros((len(rows), length), np.float32)
    extended[:, before : before + samples] = rows
    extended[:, :before] = 2 * rows[:, :1] - rows[:, before:0:-1]
    extended[:, before + samples :][:, :after] = 2 * rows[:, -1:] - rows[:, -2 : -2 - after : -1]
    strides = (extended.strides[0], filter_.step * extended.itemsize, extended.itemsize)
    stretches = np.lib.stride_tricks.as_strided(
        extended, (len(rows), blocks, reach), strides, writeable=False
    )
    # A product for each row, all of one shape: in a larger one its rounding could depend on its neighbours.
    y = np.ascontiguousarray(stretches) @ filter_.matrix
    return y.reshape(len(rows), blocks * block)[:, :wanted].reshape(*x.shape[:-1], wanted)


def _bridged(x: Floats, missing: npt.NDArray[np.bool_]) -> Floats:
    """Missing samples replaced by straight lines between their neighbours; 0 where there are none."""
    filled = x.reshape(-1, x.shape[-1]).copy()
    positions = np.arange(x.shape[-1])
    for row, gap in zip(filled, missing.reshape(filled.shape), strict=True):
        if gap.all():
            row[:] = 0.0
        elif gap.any():
            row[gap] = np.interp(positions[gap], positions[~gap], row[~gap])
    return filled.reshape(x.shape)

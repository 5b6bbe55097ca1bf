"""Another sampling rate, by an anti-aliasing polyphase filter."""

from __future__ import annotations

import math
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

_BLOCK = 20
_LARGEST_MATRIX = 1 << 20
# OpenBLAS computes products of so many multiplications in the thread that asks for them. Larger ones go to
# all its threads, which then wait for each other where several threads read: 13 times the processor time.
_MULTIPLICATIONS = 1 << 18


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
    if not (0 < rate_in < math.inf and 0 < rate_out < math.inf):
        raise ValueError(f"sampling rates must be positive, not {rate_in} and {rate_out} Hz")
    x = np.asarray(signal, dtype=np.float32)
    samples = round(x.shape[-1] * rate_out / rate_in)
    if rate_in == rate_out or samples == 0 or x.size == 0:
        return x[..., :samples].copy()
    if x.shape[-1] == 1:  # nothing to filter, and scipy ends the process on it
        return np.repeat(x, samples, axis=-1)
    up, down = _ratio(rate_in, rate_out)
    finite = np.isfinite(x)
    gaps = not finite.all()
    y = _filtered(_bridged(x, ~finite) if gaps else x, up, down)
    # A ratio that is no short fraction (500 Hz from 499.97 Hz) may end a few samples early.
    y = y[..., :samples] if y.shape[-1] >= samples else y[..., _nearest(np.arange(samples), y.shape[-1])]
    if gaps:
        source = np.rint(np.arange(samples) * (rate_in / rate_out)).astype(np.int64)
        y = np.where(finite[..., _nearest(source, x.shape[-1])], y, np.float32(np.nan))
    return np.ascontiguousarray(y, dtype=np.float32)


@lru_cache(maxsize=256)
def _ratio(rate_in: float, rate_out: float) -> tuple[int, int]:
    ratio = Fraction(rate_out / rate_in).limit_denominator(10_000)
    if not ratio:
        raise ValueError(f"{rate_in:g} Hz cannot be brought down to {rate_out:g} Hz")
    return ratio.numerator, ratio.denominator


def _nearest(positions: npt.NDArray[np.int64], samples: int) -> npt.NDArray[np.int64]:
    return np.minimum(positions, samples - 1)


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """The filter as matrices side by side, which turn lines of input samples into blocks of output samples.

    Block ``i`` is the sum of what the first matrix makes of line ``i``, the second of the next, and so on.

    Attributes
    ----------
    matrices
        float32 ``[line, parts * block]``.
    parts
        Number of lines that a block is made of.
    before
        Input samples that a block needs from before its first one.
    """

    matrices: Floats
    parts: int
    before: int


@lru_cache(maxsize=32)
def _blocks(up: int, down: int) -> _Blocks | None:
    """Design the filter of `scipy.signal.resample_poly` (its default window); None if it is too long a one.

    A product of matrices does more arithmetic than a polyphase filter, much of it with zeros, and is still
    several times as quick, because it runs on the vector units. Lines do not overlap, so the input is
    multiplied where it lies.
    """
    from scipy.signal import firwin  # which takes a second to import

    half = 10 * max(up, down)
    block = up * max(1, round(_BLOCK / up))
    line = block // up * down
    before, after = half // up, ((block - 1) * down + half) // up
    parts = -(-(before + after + 1) // line)
    if parts * line * block > _LARGEST_MATRIX:
        return None
    taps = firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", 5.0)) * up
    source, target = np.arange(parts * line)[:, None] - before, np.arange(block)
    tap = target * down - source * up + half
    matrix = np.where((tap >= 0) & (tap <= 2 * half), taps[np.clip(tap, 0, 2 * half)], 0.0)
    side_by_side = matrix.reshape(parts, line, block).transpose(1, 0, 2).reshape(line, parts * block)
    return _Blocks(np.ascontiguousarray(side_by_side, np.float32), parts, before)


def _filtered(x: Floats, up: int, down: int) -> Floats:
    """``scipy.signal.resample_poly`` of ``[..., samples]`` by ``up / down``, to float32 rounding."""
    samples = x.shape[-1]
    filter_ = _blocks(up, down)
    # The reflection below goes back once; scipy reflects a recording shorter than the filter again and again.
    if filter_ is None or samples <= filter_.parts * len(filter_.matrices):
        from scipy.signal import resample_poly

        y: Floats = resample_poly(x, up, down, axis=-1, padtype=_BORDERS)
        return y
    line, columns = filter_.matrices.shape
    parts, before = filter_.parts, filter_.before
    block = columns // parts
    wanted = -(-samples * up // down)
    blocks = -(-wanted // block)
    rows = x.reshape(-1, samples)
    # All products have one shape, given by the length: otherwise rounding could depend on other rows.
    products = -(-(blocks + parts - 1) * filter_.matrices.size // _MULTIPLICATIONS)
    lines = products * -(-(blocks + parts - 1) // products)
    end = before + samples
    extended = np.zeros((len(rows), lines * line), np.float32)
    extended[:, before:end] = rows
    extended[:, :before] = 2 * rows[:, :1] - rows[:, before:0:-1]
    # Where the filter's half is no multiple of ``up``, the last sample reaches one further.
    after = min(before + 1, lines * line - end)
    extended[:, end : end + after] = 2 * rows[:, -1:] - rows[:, -2 : -2 - after : -1]
    made = extended.reshape(len(rows), products, -1, line) @ filter_.matrices
    made = made.reshape(len(rows), lines, parts, block)
    y = made[:, :blocks, 0]
    for part in range(1, parts):
        y = y + made[:, part : part + blocks, part]
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

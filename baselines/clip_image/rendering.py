"""Recordings drawn as a model would see them on paper: the same pixels on every machine.

Positions on the page are computed once a size, in double precision and with operations that IEEE 754
fixes to the last bit; everything that touches a sample or a pixel is integer arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from baselines.clip_image.glyphs import lettering
from benchmark.metrics.compiled import compiled
from benchmark.models.contract import Floats
from cohorts.errors import ModelError, UnknownNameError
from cohorts.paper import MM_PER_MV, MM_PER_SECOND, PULSE_MV, PULSE_SECONDS, SQUARES, Page, page

Pixels = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SIZES = range(224, 513)
GRIDS = ("pink", "none")

PAPER = (255, 255, 255)
PINK = (248, 186, 192)
INK = (16, 16, 24)

_ONE = 256  # a pixel in the fixed-point numbers below
_SAMPLE = 1 << 16  # a sample in theirs
_FINE = 20  # further bits of the gain
_APART = 4  # pixels between two lines of the grid, at least
_LIMIT_MV = 100.0  # far beyond any row, and small enough for all sums


class _Trace(NamedTuple):
    """One strip in pixels.

    Attributes
    ----------
    first
        Its first column.
    edges
        ``[columns + 1]``, where in the recording its columns begin and the last ends, 2**-16 samples.
    top, bottom, baseline
        Of its row, 1/256 pixel.
    """

    first: int
    edges: Ints
    top: int
    bottom: int
    baseline: int


def render(
    signals: Floats,
    sampling_rate: float,
    leads: Sequence[str],
    *,
    size: int = 224,
    layout: str = "3x4",
    grid: str = "pink",
) -> Pixels:
    """Draw recordings on ECG paper.

    The page (see `cohorts.paper.page`) is stretched to the square picture. A column of pixels shows
    everything from the lowest to the highest point of its time, so that no QRS complex falls between two
    of them. What leaves its row is drawn on the row's edge. The median of each lead lies on the
    baseline: recorders remove the offset of electrodes, and some releases have kept it.

    Parameters
    ----------
    signals
        ``[records, leads, samples]`` in mV, finite. What is beyond 10 s is not drawn; what is missing
        to it stays empty.
    sampling_rate
        In Hz.
    leads
        Names of the rows, among them all twelve standard leads.
    size
        Side of the picture in pixels, 224 to 512.
    layout
        ``"3x4"`` or ``"12x1"``.
    grid
        ``"pink"`` for squares of 5 mm, or ``"none"``.

    Returns
    -------
    uint8 ``[records, 3, size, size]``: red, green, blue.

    Raises
    ------
    ModelError
        If the size is out of range or a lead is missing.
    UnknownNameError
        If there is no such layout or grid.
    """
    blank = blank_page(size, layout, grid)
    sheet = page(layout)
    rows = lead_rows([strip.lead for strip in sheet.strips], leads)
    microvolts = np.rint(np.clip(signals, -_LIMIT_MV, _LIMIT_MV) * np.float32(1000)).astype(np.int32)
    middle = microvolts.shape[-1] // 2
    microvolts -= np.partition(microvolts, middle, axis=-1)[..., middle, None]
    gain = round(MM_PER_MV * size / sheet.height * _ONE / 1000 * (1 << _FINE))
    half = max(_ONE, _ONE * size // 320) // 2
    traces = _traces(sheet, size, sampling_rate)
    pictures = np.repeat(blank[None], len(signals), axis=0)
    ink = np.array(INK)
    for picture, recording in zip(pictures, microvolts, strict=True):
        for row, trace in zip(rows, traces, strict=True):
            _draw(picture, recording[row], *trace, gain, half, ink)
    return pictures


def check_size(size: int) -> None:
    """Raise `ModelError` unless a picture may have this many pixels a side."""
    if size not in SIZES:
        raise ModelError(f"A picture has {SIZES[0]} to {SIZES[-1]} pixels a side, not {size}.")


def lead_rows(wanted: Sequence[str], leads: Sequence[str]) -> list[int]:
    """Give the row of each wanted lead, or raise `ModelError` where there is none."""
    missing = [lead for lead in wanted if lead not in leads]
    if missing:
        raise ModelError(
            f"The picture needs all 12 standard leads; {missing[0]} is not among {', '.join(leads)}."
        )
    return [list(leads).index(lead) for lead in wanted]


@compiled
def _draw(
    picture: Pixels,
    microvolts: npt.NDArray[np.int32],
    first: int,
    edges: Ints,
    top: int,
    bottom: int,
    baseline: int,
    gain: int,
    half: int,
    ink: Ints,
) -> None:
    """Draw one strip; ``half`` is half of the line's thickness."""
    end = (len(microvolts) - 1) * _SAMPLE
    for column in range(len(edges) - 1):
        start, stop = int(edges[column]), min(int(edges[column + 1]), end)
        if start >= end:
            return
        low = high = _at(microvolts, start)
        last = _at(microvolts, stop)
        low, high = min(low, last), max(high, last)
        for sample in range(start // _SAMPLE + 1, (stop - 1) // _SAMPLE + 1):
            value = int(microvolts[sample])
            low, high = min(low, value), max(high, value)
        above = max(baseline - ((high * gain) >> _FINE), top + half)
        below = min(baseline - ((low * gain) >> _FINE), bottom - half)
        above, below = min(above, bottom - half) - half, max(below, top + half) + half
        for y in range(above // _ONE, (below - 1) // _ONE + 1):
            covered = min(below, (y + 1) * _ONE) - max(above, y * _ONE)
            for colour in range(3):
                under = int(picture[colour, y, first + column])
                picture[colour, y, first + column] = under + (((int(ink[colour]) - under) * covered) // _ONE)


@compiled
def _at(microvolts: npt.NDArray[np.int32], position: int) -> int:
    """Value on the line between two samples, at a position in 2**-16 samples."""
    sample, beyond = position // _SAMPLE, position % _SAMPLE
    value = int(microvolts[sample])
    if beyond:
        value += ((int(microvolts[sample + 1]) - value) * beyond) // _SAMPLE
    return value


def _traces(sheet: Page, size: int, sampling_rate: float) -> list[_Trace]:
    """Place the strips of a page in a picture."""
    across, down = size / sheet.width, size / sheet.height
    traces = []
    for strip in sheet.strips:
        row = sheet.rows[strip.row]
        first, last = (round(x * across) for x in (strip.left, strip.left + strip.width))
        seconds = (np.arange(first, last + 1) / across - strip.left) / MM_PER_SECOND
        seconds[[0, -1]] = 0.0, strip.seconds  # whatever the rounding left over at the ends
        seconds += strip.start
        edges = np.floor(seconds * sampling_rate * _SAMPLE).astype(np.int64)
        # Rows begin and end with whole pixels, so that no two of them share one.
        top, bottom = (round(y * down) * _ONE for y in (row.top, row.top + row.height))
        traces.append(_Trace(first, edges, top, bottom, round(row.baseline * down * _ONE)))
    return traces


@lru_cache(maxsize=16)
def blank_page(size: int, layout: str, grid: str) -> Pixels:
    """Draw what all pictures of a kind share: grid, calibration pulses, lead names.

    Returns
    -------
    uint8 ``[3, size, size]``, read-only.

    Raises
    ------
    ModelError, UnknownNameError
        As `render`.
    """
    sheet = page(layout)
    check_size(size)
    if grid not in GRIDS:
        raise UnknownNameError("grid", grid, GRIDS)
    picture = np.empty((3, size, size), dtype=np.int64)
    picture[:] = np.reshape(PAPER, (3, 1, 1))
    if grid == "pink":
        step = SQUARES[1]
        while step * size < _APART * max(sheet.width, sheet.height):  # closer lines would be a haze
            step *= 2
        lines = np.maximum(_lines(sheet.height, size, step)[:, None], _lines(sheet.width, size, step))
        picture += (np.reshape(np.subtract(PINK, PAPER), (3, 1, 1)) * lines) // _ONE
    ink = np.array(INK)[:, None]
    for mask in (_pulses(sheet, size), _names(sheet, size)):
        picture[:, mask] = ink
    blank = picture.astype(np.uint8)
    blank.flags.writeable = False
    return blank


def _lines(extent: float, size: int, step: float) -> Ints:
    """How much of each pixel along one side of the paper a line of 1 pixel covers, of 256."""
    starts = np.arange(0.0, extent + 1, step) * (size * _ONE / extent) - _ONE // 2
    pixels = np.arange(size) * _ONE
    begin = np.maximum(np.rint(starts).astype(np.int64), pixels[:, None])
    end = np.minimum(np.rint(starts).astype(np.int64) + _ONE, pixels[:, None] + _ONE)
    covered: Ints = np.maximum(end - begin, 0).sum(axis=1)
    return covered


def _pulses(sheet: Page, size: int) -> npt.NDArray[np.bool_]:
    """Mask of the calibration pulses: a line 1 pixel wide up, along and down."""
    across, down = size / sheet.width, size / sheet.height
    mask = np.zeros((size, size), dtype=bool)
    for row in sheet.rows:
        left = int(row.pulse * across)
        right = int((row.pulse + PULSE_SECONDS * MM_PER_SECOND) * across)
        bottom = int(row.baseline * down)
        top = bottom - round(PULSE_MV * MM_PER_MV * down)
        mask[top, left : right + 1] = True
        mask[top : bottom + 1, [left, right]] = True
    return mask


def _names(sheet: Page, size: int) -> npt.NDArray[np.bool_]:
    """Mask of the lead names."""
    mask = np.zeros((size, size), dtype=bool)
    for strip in sheet.strips:
        text = lettering(strip.lead, size // SIZES[0])
        x = round(strip.name[0] * size / sheet.width)
        y = round(strip.name[1] * size / sheet.height) - len(text) // 2
        mask[y : y + len(text), x : x + text.shape[1]] |= text
    return mask

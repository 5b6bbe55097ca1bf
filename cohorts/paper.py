"""Where things are on the page of a 12-lead ECG: 25 mm/s, 10 mm/mV, all lengths in millimetres.

The origin is the top left corner of the paper, x runs right and y runs down. Pictures for models and
sheets for people follow the same pages. Every trace and every baseline begins on a line of the 5 mm grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from cohorts.errors import UnknownNameError
from cohorts.recording import STANDARD_LEADS

MM_PER_SECOND = 25.0
MM_PER_MV = 10.0
SQUARES = (1.0, 5.0)
"""Sides of the small and of the large squares of the paper, mm."""

SECONDS = 10.0
"""What a page shows of a recording, from its beginning."""

PULSE_MV, PULSE_SECONDS = 1.0, 0.2
"""The calibration pulse."""

LAYOUTS = ("3x4", "12x1")

_MARGIN = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """A band of the page across its whole width; nothing of a row belongs into another.

    Attributes
    ----------
    top, height
        In mm. 0 mV is in the middle.
    pulse
        Where the calibration pulse begins, mm from the left; it rises from the baseline.
    """

    top: float
    height: float
    pulse: float

    @property
    def baseline(self) -> float:
        """Height of 0 mV on the page, mm from the top."""
        return self.top + self.height / 2


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of one lead.

    Attributes
    ----------
    lead
        Its standard name.
    row, column
        Where it is, counted from 0.
    start, seconds
        What it shows: from second ``start`` of the recording on.
    left
        Where it begins, mm from the left.
    name
        Left end and middle of the lead's name, mm from the left and from the top.
    """

    lead: str
    row: int
    column: int
    start: float
    seconds: float
    left: float
    name: tuple[float, float]

    @property
    def width(self) -> float:
        """Length on the page, mm."""
        return self.seconds * MM_PER_SECOND


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its size in mm, its rows from the top, and its strips row by row."""

    layout: str
    width: float
    height: float
    rows: tuple[Row, ...]
    strips: tuple[Strip, ...]


@cache
def page(layout: str) -> Page:
    """Give the page of a layout.

    ``"3x4"`` is the usual one of carts: three rows of four leads, each column the next quarter of
    the 10 s, and lead II in full below. Its rows reach 2.5 mV up and down (the last one 1.5 mV), and it fits
    on A4 across. ``"12x1"`` shows all of every lead, 1.5 mV up and down, and fits on A3 upright.

    Raises
    ------
    UnknownNameError
        If there is no such layout.

    Examples
    --------
    >>> page("3x4").strips[3]
    Strip(lead='V4', row=0, column=3, start=7.5, seconds=2.5, left=197.5, name=(198.5, 4.0))
    >>> [page(layout).width for layout in LAYOUTS], [page(layout).height for layout in LAYOUTS]
    ([265.0, 285.0], [180.0, 360.0])
    """
    if layout == "3x4":
        return _three_by_four()
    if layout == "12x1":
        return _twelve_by_one()
    raise UnknownNameError("layout", layout, LAYOUTS)


def _three_by_four() -> Page:
    left, columns = 10.0, 4
    rows = _rows((50.0, 50.0, 50.0, 30.0), pulse=2.5)
    quarter = SECONDS / columns
    strips = []
    for row in range(3):
        for column, lead in enumerate(STANDARD_LEADS[row::3]):
            start = column * quarter
            x = left + start * MM_PER_SECOND
            strips.append(Strip(lead, row, column, start, quarter, x, (x + 1, rows[row].top + 4)))
    strips.append(Strip("II", 3, 0, 0.0, SECONDS, left, (left + 1, rows[3].top + 4)))
    return _page("3x4", left, rows, strips)


def _twelve_by_one() -> Page:
    left = 30.0  # rows are low: names stand before the traces, not above them
    rows = _rows((30.0,) * len(STANDARD_LEADS), pulse=24.0)
    strips = [
        Strip(lead, row, 0, 0.0, SECONDS, left, (1.0, rows[row].baseline))
        for row, lead in enumerate(STANDARD_LEADS)
    ]
    return _page("12x1", left, rows, strips)


def _rows(heights: tuple[float, ...], pulse: float) -> tuple[Row, ...]:
    return tuple(Row(sum(heights[:at], 0.0), height, pulse) for at, height in enumerate(heights))


def _page(layout: str, left: float, rows: tuple[Row, ...], strips: list[Strip]) -> Page:
    width = left + SECONDS * MM_PER_SECOND + _MARGIN
    return Page(layout, width, rows[-1].top + rows[-1].height, rows, tuple(strips))

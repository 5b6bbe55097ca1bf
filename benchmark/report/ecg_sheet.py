"""A sheet of a 12-lead ECG for people: printed without scaling, a ruler reads 25 mm/s and 10 mm/mV."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from benchmark.report.figures import draw
from benchmark.report.style import FAINT, INK, WARNING, Picture, label
from cohorts.paper import MM_PER_MV, MM_PER_SECOND, PULSE_MV, PULSE_SECONDS, SQUARES, Page, Row, Strip, page
from cohorts.recording import Recording, select_leads

Doubles = npt.NDArray[np.float64]

PAPER = {"3x4": (297.0, 210.0), "12x1": (297.0, 420.0)}
"""A4 across and A3 upright, mm."""


_MM = 1 / 25.4  # inches
_BAND = 18.0  # mm, of the colour behind a trace
_FOR, _AGAINST = "#d55e00", "#0072b2"  # told apart with a colour vision deficiency
_HEADING = 14.0  # mm above the grid
_GRID = ("#f8dde0", "#efb1b8")
_LINES = (0.3, 0.5)  # points; of small and of large squares
_TRACE = 0.7


@dataclass(frozen=True, slots=True)
class Shade:
    """Colours behind the traces: orange above 0, blue below, the stronger the further from 0.

    Attributes
    ----------
    leads
        Names of the rows.
    seconds
        Length of a column.
    values
        ``[leads, columns]``, from the beginning of the recording.
    """

    leads: tuple[str, ...]
    seconds: float
    values: Doubles


def sheet(
    recording: Recording,
    title: str,
    *,
    note: str = "",
    layout: str = "3x4",
    shade: Shade | None = None,
    simulated: bool = False,
    name: str = "ecg",
) -> Picture:
    """Draw the first 10 s of a recording on ECG paper.

    Traces may leave their rows, as on paper. The median of each lead lies on its baseline. A missing
    sample is a gap.

    Parameters
    ----------
    recording
        Any that has the twelve standard leads, or the limb leads from which the others follow.
    title, note
        Above the grid, in bold and below it in grey; what is not ASCII becomes ``?``.
    layout
        ``"3x4"`` or ``"12x1"``, see `cohorts.paper.page`.
    shade
        What lies behind the traces in colour, such as what a model looked at.
    simulated
        Says so in red, for recordings that are not of a patient.
    name
        As in `draw`.

    Raises
    ------
    RecordError
        If a lead is missing and cannot be derived.
    UnknownNameError
        If there is no such layout.
    """
    paper = page(layout)
    leads = [strip.lead for strip in paper.strips]
    standard = select_leads(recording, leads)
    curves = [
        _curve(strip, paper.rows[strip.row], signal, recording.sampling_rate)
        for strip, signal in zip(paper.strips, standard.signal.astype(np.float64), strict=True)
    ]
    heading = label(title, 90)
    alt = f"12-lead ECG on paper, {layout}: {heading}." + (f" {WARNING}." if simulated else "")

    def figure() -> Figure:
        width, height = PAPER[layout]
        built = Figure(figsize=(width * _MM, height * _MM), facecolor="white")
        left = (width - paper.width) / 2
        bottom = (height - paper.height - _HEADING) / 2
        top = height - bottom - paper.height
        axes = built.add_axes(
            (left / width, bottom / height, paper.width / width, paper.height / height), frameon=False
        )
        axes.set(xlim=(0, paper.width), ylim=(paper.height, 0), xticks=[], yticks=[])
        _paper(axes, paper)
        if shade is not None:
            _shade(axes, paper, shade)
        for x, y in curves:
            axes.plot(x, y, color=INK, lw=_TRACE, solid_joinstyle="round")

        def write(x: float, y: float, text: str, **how: Any) -> None:
            built.text(x / width, 1 - y / height, text, va="center", **how)

        write(left, top - 10, heading, fontsize=11, weight="bold")
        write(left, top - 4, label(note, 150), color=FAINT)
        scale = f"{MM_PER_SECOND:g} mm/s   {MM_PER_MV:g} mm/mV   {recording.sampling_rate:g} Hz"
        write(width - left, top - 4, scale, color=FAINT, ha="right")
        if simulated:
            write(width - left, top - 10, WARNING, color="#b91c1c", weight="bold", ha="right")
        return built

    return draw(name, alt, figure)


def _curve(strip: Strip, row: Row, signal: Doubles, sampling_rate: float) -> tuple[Doubles, Doubles]:
    """Place the samples of one strip, mm from the left and from the top; the ends of neighbours meet."""
    known = signal[np.isfinite(signal)]
    middle = float(np.median(known)) if len(known) else 0.0
    first, last = (round(t * sampling_rate) for t in (strip.start, strip.start + strip.seconds))
    shown = signal[first : last + 1]
    seconds = (first + np.arange(len(shown))) / sampling_rate - strip.start
    return strip.left + seconds * MM_PER_SECOND, row.baseline - (shown - middle) * MM_PER_MV


def _shade(axes: Axes, paper: Page, shade: Shade) -> None:
    """Colour the stretch of each lead that a strip shows."""
    strongest = float(np.abs(shade.values).max(initial=0.0)) or 1.0
    for strip in paper.strips:
        if strip.lead not in shade.leads:
            continue
        row, end = paper.rows[strip.row], strip.start + strip.seconds
        for column, value in enumerate(shade.values[shade.leads.index(strip.lead)]):
            first = max(column * shade.seconds, strip.start)
            last = min((column + 1) * shade.seconds, end)
            if last <= first or abs(value) < 0.05 * strongest:
                continue
            left = strip.left + (first - strip.start) * MM_PER_SECOND
            height = min(_BAND, row.height)
            corner = (left, row.baseline - height / 2)
            colour = _FOR if value > 0 else _AGAINST
            axes.add_patch(
                Rectangle(
                    corner,
                    (last - first) * MM_PER_SECOND,
                    height,
                    fc=colour,
                    lw=0,
                    alpha=0.65 * abs(value) / strongest,
                )
            )


def _paper(axes: Axes, paper: Page) -> None:
    """Draw grid, calibration pulses and lead names."""
    for side, colour, width in zip(SQUARES, _GRID, _LINES, strict=True):
        down = [((x, 0.0), (x, paper.height)) for x in np.arange(0.0, paper.width + side / 2, side)]
        across = [((0.0, y), (paper.width, y)) for y in np.arange(0.0, paper.height + side / 2, side)]
        _polylines(axes, [*down, *across], colour, width)
    pulses = []
    for row in paper.rows:
        top, right = row.baseline - PULSE_MV * MM_PER_MV, row.pulse + PULSE_SECONDS * MM_PER_SECOND
        pulses.append(((row.pulse, row.baseline), (row.pulse, top), (right, top), (right, row.baseline)))
    _polylines(axes, pulses, INK, _TRACE)
    for strip in paper.strips:
        axes.text(*strip.name, strip.lead, va="center", fontsize=9, weight="bold")


def _polylines(
    axes: Axes, lines: Iterable[tuple[tuple[float, float], ...]], colour: str, width: float
) -> None:
    """Draw lines as one path: a path each would double the size of the file."""
    path = Path.make_compound_path(*(Path(np.array(line)) for line in lines))
    axes.add_patch(PathPatch(path, fill=False, edgecolor=colour, lw=width, clip_on=False))

"""A sheet of a 12-lead ECG as a small SVG: traces thinned to what can be seen, in whole tenths of a mm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from cohorts.paper import MM_PER_MV, MM_PER_SECOND, PULSE_MV, PULSE_SECONDS, SQUARES, Strip, page
from cohorts.recording import Recording, select_leads

UNIT = 0.1  # mm
_COLUMN = 3  # units, of which the lowest and the highest sample are kept: less than half a small square

Doubles = npt.NDArray[np.float64]

PAPER = page("3x4")


def _units(mm: float) -> int:
    return round(mm / UNIT)


def grid() -> Markup:
    """Give the paper's grid as definitions that every sheet of a page uses."""
    small, large = (_units(side) for side in SQUARES)
    return Markup(  # noqa: S704
        f'<svg class="defs" aria-hidden="true" width="0" height="0"><defs>'
        f'<pattern id="small" width="{small}" height="{small}" patternUnits="userSpaceOnUse">'
        f'<path d="M{small} 0H0V{small}" class="small"/></pattern>'
        f'<pattern id="large" width="{large}" height="{large}" patternUnits="userSpaceOnUse">'
        f'<path d="M0 0H{large}V{large}H0Z" fill="url(#small)" class="large"/></pattern>'
        f"</defs></svg>"
    )


def sheet(recording: Recording, alt: str, warning: str = "") -> Markup:
    """Draw the first 10 s of a recording, 25 mm/s and 10 mm/mV, three rows of four leads and lead II.

    The median of each lead lies on its baseline, a missing sample is a gap; `grid` must be on the page.
    ``warning`` stands on the paper itself, for whoever cuts the sheet out.

    Raises
    ------
    RecordError
        If a lead is missing and cannot be derived.
    """
    standard = select_leads(recording, [strip.lead for strip in PAPER.strips])
    traces = "".join(
        _trace(strip, PAPER.rows[strip.row].baseline, signal, recording.sampling_rate)
        for strip, signal in zip(PAPER.strips, standard.signal.astype(np.float64), strict=True)
    )
    pulses = "".join(
        f"M{_units(row.pulse)} {_units(row.baseline)}v{-_units(PULSE_MV * MM_PER_MV)}"
        f"h{_units(PULSE_SECONDS * MM_PER_SECOND)}v{_units(PULSE_MV * MM_PER_MV)}"
        for row in PAPER.rows
    )
    names = "".join(
        f'<text x="{_units(strip.name[0])}" y="{_units(strip.name[1])}">{strip.lead}</text>'
        for strip in PAPER.strips
    )
    width, height = _units(PAPER.width), _units(PAPER.height)
    if warning:
        names += Markup('<text class="warning" x="{}" y="{}">{}</text>').format(
            width - 20, height - 20, warning
        )
    return Markup(
        '<svg class="ecg" viewBox="0 0 {0} {1}" role="img" aria-label="{2}">'
        '<rect width="{0}" height="{1}" class="paper"/><rect width="{0}" height="{1}" fill="url(#large)"/>'
        '<path class="trace" d="{3}"/>{4}</svg>'
    ).format(width, height, alt, pulses + traces, Markup(names))  # noqa: S704


def _trace(strip: Strip, baseline: float, signal: Doubles, rate: float) -> str:
    """Give the path of one strip: a move to each first known sample, then steps in whole units."""
    known = signal[np.isfinite(signal)]
    if not len(known):
        return ""
    first, last = (round(t * rate) for t in (strip.start, strip.start + strip.seconds))
    shown = signal[first : last + 1]
    seconds = (first + np.arange(len(shown))) / rate - strip.start
    x = (strip.left + seconds * MM_PER_SECOND) / UNIT
    y = (baseline - (shown - np.median(known)) * MM_PER_MV) / UNIT
    path = []
    present = np.isfinite(y)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], present, [False]]).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        points = _thinned(x[start:end], y[start:end])
        steps = (f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in pairwise(points))
        path.append(f"M{points[0][0]} {points[0][1]}l" + " ".join(steps) if len(points) > 1 else "")
    return "".join(path)


def _thinned(x: Doubles, y: Doubles) -> list[tuple[int, int]]:
    """Keep the ends, and of each column the lowest and the highest sample in their order."""
    starts = np.flatnonzero(np.diff(np.floor(x / _COLUMN), prepend=-1.0))
    kept = {0, len(x) - 1}
    for start, end in pairwise([*starts.tolist(), len(x)]):
        part = y[start:end]
        kept |= {start + int(part.argmin()), start + int(part.argmax())}
    at = sorted(kept)
    points = zip(np.rint(x[at]).astype(int).tolist(), np.rint(y[at]).astype(int).tolist(), strict=True)
    return list(dict.fromkeys(points))

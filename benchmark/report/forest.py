"""Forest plot: macro AUROC with its interval, for every model on every cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.figures import FAINT, FONT, INK, PALETTE, RULE, Picture, draw, inches, label
from benchmark.report.text import UNDEFINED, count, entry_labels, interval, plural

AXIS, NUMBERS = 4.6, 3.9
"""Inches: width of the axis and of the numbers to its right; the names to its left get what they need."""

ROW, TOP, BOTTOM = 0.21, 0.15, 0.95
"""Inches: height of a row, space above and below the rows."""

BAND = "#f3f5f8"

MARKERS = {"external": "o", "internal": "s", "unknown": "D"}


def forest(boards: Sequence[Board]) -> Picture:
    """Draw all cells by cohort, real cohorts first; internal and unknown cells are hollow."""
    cells = [record for board in boards for record in board.records]
    alt = (
        f"Forest plot: macro AUROC with 95 % intervals, {plural(len(cells), 'cell')} on "
        f"{plural(sum(len(board.cohort_ids) for board in boards), 'cohort')}. The numbers are in a table."
    )
    return draw("forest", alt, lambda: _figure(boards))


def _figure(boards: Sequence[Board]) -> Figure:
    groups = [
        list(group)
        for board in boards
        for _, group in groupby(board.ordered(board.records), key=lambda record: record.cohort.id)
    ]
    entries = list(dict.fromkeys(entry for board in boards for entry in board.entries))
    labels = entry_labels(entries)
    colours = {entry: PALETTE[at % len(PALETTE)] for at, entry in enumerate(entries)}
    names = [[_name(record, labels) for record in records] for records in groups]
    left = 0.5 + max(1.2, inches((name for group in names for name in group), FONT))
    rows = max(3.0, sum(len(records) + 1.4 for records in groups))
    width, height = left + AXIS + NUMBERS, TOP + ROW * rows + BOTTOM
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes((left / width, BOTTOM / height, AXIS / width, ROW * rows / height))
    _prepare(axes, rows, [record for records in groups for record in records])
    if not groups:
        axes.text(0.75, rows / 2, "No finished cell", ha="center", va="center", color=FAINT)
    across = axes.get_yaxis_transform()  # x in fractions of the axis, y in rows
    y = 0.0
    for at, records in enumerate(groups):
        size = len(records) + 1.4
        if at % 2 == 0:
            corner, stretch = (_at(0.05 - left), y), _at(width - 0.1)
            band = Rectangle(
                corner, stretch, size, transform=across, color=BAND, clip_on=False, zorder=-1, lw=0
            )
            axes.add_patch(band)
        axes.text(
            _at(0.15 - left), y + 0.75, _header(records[0]), transform=across, va="center", weight="bold"
        )
        for row, (record, name) in enumerate(zip(records, names[at], strict=True)):
            _cell(axes, y + row + 1.65, record, name, colours[entry_of(record)])
        y += size
    _legend(figure, height)
    return figure


def _at(position: float) -> float:
    """Turn inches from the left end of the axis into fractions of it."""
    return position / AXIS


def _prepare(axes: Axes, rows: float, records: Sequence[ResultRecord]) -> None:
    estimates = [record.evaluation.macro.auroc for record in records]
    ends = [end for e in estimates for end in (e.value, e.low) if end is not None]
    axes.set_xlim(max(0.0, min([0.5, *ends]) - 0.04), 1.01)
    axes.set_ylim(rows, 0)
    axes.set_yticks([])
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.grid(True, axis="x", color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.axvline(0.5, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlabel("Macro AUROC over the eligible concepts, with its interval")


def _header(record: ResultRecord) -> str:
    """Cohort; a long id may be cut, the mark of synthetic patients never."""
    return label(record.cohort.id) + (" (simulated)" if record.cohort.simulated else "")


def _name(record: ResultRecord, labels: Mapping[Entry, str]) -> str:
    name = label(labels[entry_of(record)])
    return name if record.relation == "external" else f"{name} · {record.relation}"


def _cell(axes: Axes, y: float, record: ResultRecord, name: str, colour: str) -> None:
    macro, across = record.evaluation.macro, axes.get_yaxis_transform()
    estimate = macro.auroc
    axes.text(_at(-0.12), y, name, transform=across, ha="right", va="center")
    if estimate.value is None:
        numbers = f"{UNDEFINED}  {'undefined' if macro.concepts else 'too few positives'}"
    else:
        numbers = interval(estimate)
        if estimate.low is not None and estimate.high is not None:
            axes.plot([estimate.low, estimate.high], [y, y], color=colour, lw=1.6, solid_capstyle="butt")
        axes.plot([estimate.value], [y], **_marker(record.relation, colour))
    axes.text(_at(AXIS + 0.12), y, numbers, transform=across, va="center", color=INK)
    size = f"{plural(len(macro.concepts), 'concept')}, n {count(record.records.scored)}"
    axes.text(_at(AXIS + 1.95), y, size, transform=across, va="center", color=FAINT)


def _marker(relation: str, colour: str) -> dict[str, Any]:
    face = colour if relation == "external" else "white"
    return {"marker": MARKERS[relation], "ms": 5.5, "mfc": face, "mec": colour, "mew": 1.4, "ls": "none"}


def _legend(figure: Figure, height: float) -> None:
    meanings = {
        "external": "external: not seen in training",
        "internal": "internal: trained on this cohort, test fold",
        "unknown": "unknown: training data undisclosed",
    }
    handles = [Line2D([], [], label=text, **_marker(relation, INK)) for relation, text in meanings.items()]
    handles.append(Line2D([], [], color=FAINT, linestyle=(0, (4, 3)), linewidth=1, label="0.5: chance"))
    figure.legend(
        handles=handles,
        loc="lower center",
        ncols=4,
        frameon=False,
        bbox_to_anchor=(0.5, 0.1 / height),
        fontsize=8,
    )

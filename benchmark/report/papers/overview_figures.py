"""Forest plot and heat map of a run, small enough for a column."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmark.metrics.cell.evaluation import ConceptMetrics
from benchmark.records.record import ResultRecord
from benchmark.report.board import entry_of
from benchmark.report.papers.drawing import INCH, SMALL, SMALLER, WIDTHS, PaperFigure
from benchmark.report.papers.tables import chosen_cohorts, told_by_cohort, unlike
from benchmark.report.style import FAINT, PALETTE, RULE, label
from benchmark.report.tables import cohort_label
from benchmark.report.text import UNDEFINED, entry_labels, interval, number
from cohorts.errors import UsageError

ROW, CELL, TALLEST = 3.6, 6.5, 230.0
"""Millimetres: height of a row, least width of a cell with a number, height of a page."""

MARKERS = {"external": "o", "internal": "s", "unknown": "D"}


def forest_figure(records: Sequence[ResultRecord], cohorts: Sequence[str], width: str) -> PaperFigure:
    """Draw the macro AUROC of every model on some cohorts, or all of the run, with their intervals.

    A cohort on which no model has a value is named in the caption and takes no room.
    """
    asked = chosen_cohorts(records, cohorts)
    there = {r.cohort.id for r in records if r.evaluation.macro.auroc.value is not None}
    chosen = [cohort for cohort in asked if cohort in there] or asked
    shown = [record for cohort in chosen for record in records if record.cohort.id == cohort]
    left_out = ", ".join(cohort for cohort in asked if cohort not in chosen)
    names = entry_labels(dict.fromkeys(map(entry_of, shown)))
    caption = (
        "Macro-average AUROC with 95% percentile bootstrap intervals, over the eligible concepts of each "
        "cohort. Filled: external; hollow squares: internal, on the test fold; hollow diamonds: training "
        f"data undisclosed. {told_by_cohort(shown, chosen, names)}{unlike(shown, chosen)}"
        + (f" Not drawn, since no concept is eligible there: {left_out}." if left_out else "")
    )
    height = _height(len(shown) + len(chosen))
    return PaperFigure(f"forest-{width}", caption, lambda: _forest(shown, width, height))


def heatmap_figure(
    records: Sequence[ResultRecord], cohorts: Sequence[str], concepts: Sequence[str], width: str
) -> PaperFigure:
    """Draw the AUROC of one model for each concept and cohort.

    Parameters
    ----------
    records
        Cells of the model.
    concepts
        All that have an AUROC somewhere if not given.
    """
    chosen = chosen_cohorts(records, cohorts)
    shown = [record for cohort in chosen for record in records if record.cohort.id == cohort]
    there = [c for r in shown for c, m in r.evaluation.concepts.items() if m.auroc.value is not None]
    rows = list(dict.fromkeys(concepts or there))
    if not set(rows) <= set(there) or not rows:
        raise UsageError("No cell of this model on these cohorts has an AUROC of such a concept.")
    if len(shown) * CELL > 0.75 * WIDTHS[width]:
        raise UsageError(f"{len(shown)} cohorts do not fit into a {width}; choose some with --cohort.")
    first = shown[0]
    names = entry_labels([entry_of(first)])
    caption = (
        f"AUROC of {first.model.name} ({first.protocol}) by concept and cohort. In brackets: too few "
        f"positives or negatives for the macro average; {UNDEFINED}: undefined; blank: not annotated there "
        "or not told by the model. "
        f"{told_by_cohort(shown, chosen, names)}"
    )
    name, height = f"heatmap-{first.model.name}-{first.protocol}-{width}", _height(len(rows) + 5)
    return PaperFigure(name, caption, lambda: _heatmap(shown, rows, width, height))


def _height(rows: int) -> float:
    height = 14 + rows * ROW
    if height > TALLEST:
        raise UsageError(f"{rows} rows do not fit on a page; choose some with --cohort or --concept.")
    return height / INCH


def _forest(records: Sequence[ResultRecord], width: str, height: float) -> Figure:
    figure = Figure(figsize=(WIDTHS[width] / INCH, height), layout="constrained")
    axes = figure.add_subplot()
    names = entry_labels(dict.fromkeys(map(entry_of, records)))
    colours = {entry: PALETTE[at % len(PALETTE)] for at, entry in enumerate(names)}
    left: list[str] = []
    right: list[str] = []
    for at, record in enumerate(records):
        if at == 0 or record.cohort != records[at - 1].cohort:
            left.append(label(record.cohort.id) + (" (simulated)" if record.cohort.simulated else ""))
            right.append("")
        y, estimate, colour = len(left), record.evaluation.macro.auroc, colours[entry_of(record)]
        left.append(label(names[entry_of(record)], 24))
        right.append(interval(estimate))
        if estimate.value is not None:
            if estimate.interval is not None:
                axes.plot(estimate.interval, (y, y), color=colour)
            face = colour if record.relation == "external" else "white"
            axes.plot(estimate.value, y, MARKERS[record.relation], ms=3, mec=colour, mfc=face)
    axes.axvline(0.5, color=FAINT, linewidth=0.6, linestyle=(0, (4, 3)))
    axes.set(ylim=(len(left) - 0.3, -0.7), xlabel="Macro AUROC")
    axes.set_yticks(range(len(left)), left, fontsize=SMALLER)
    axes.tick_params(labelsize=SMALLER, length=0)
    axes.grid(axis="x", color=RULE, linewidth=0.3)
    for tick, text in zip(axes.get_yticklabels(), right, strict=True):
        tick.set_fontweight("normal" if text else "bold")
    numbers = axes.twinx()
    numbers.set_ylim(axes.get_ylim())
    numbers.set_yticks(range(len(right)), right, fontsize=SMALLER)
    numbers.tick_params(length=0)
    for one in (axes, numbers):
        one.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _heatmap(records: Sequence[ResultRecord], concepts: Sequence[str], width: str, height: float) -> Figure:
    figure = Figure(figsize=(WIDTHS[width] / INCH, height), layout="constrained")
    axes = figure.add_subplot()
    values = np.full((len(concepts), len(records)), np.nan)
    for column, record in enumerate(records):
        for row, concept in enumerate(concepts):
            metrics = record.evaluation.concepts.get(concept)
            if metrics is None:
                continue
            value = metrics.auroc.value
            values[row, column] = np.nan if value is None else value
            pale = value is None or 0.2 < value < 0.8
            text = axes.text(column, row, _number(metrics), ha="center", va="center", fontsize=SMALLER - 1)
            text.set_color("black" if pale else "white")
    image = axes.imshow(values, cmap=mpl.colormaps["RdBu"], vmin=0, vmax=1, aspect="auto")
    marks = {r.cohort.id: "" if r.relation == "external" else f", {r.relation}" for r in records}
    columns = [label(cohort_label(r.cohort), 40) + marks[r.cohort.id] for r in records]
    axes.set_xticks(range(len(records)), columns, rotation=45, ha="right", fontsize=SMALLER)
    axes.set_yticks(range(len(concepts)), [label(concept, 20) for concept in concepts], fontsize=SMALLER)
    axes.set_title(label(records[0].model.name), fontsize=SMALL)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.05, aspect=40, label="AUROC")
    bar.ax.tick_params(labelsize=SMALLER)
    return figure


def _number(metrics: ConceptMetrics) -> str:
    shown = number(metrics.auroc.value, 2)
    return shown if metrics.eligible or metrics.auroc.value is None else f"({shown})"

"""Heat map: AUROC by concept and cohort, one panel per model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from benchmark.metrics.cell.evaluation import ConceptMetrics
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.figures import FAINT, FONT, INK, RULE, Picture, draw, inches, label
from benchmark.report.text import UNDEFINED, entry_labels, plural

CELL, ROW = 0.34, 0.19
GAP = 0.22
"""Inches: width and height of a cell, space between panels."""

COLUMNS = 32
"""About as many cohort columns side by side; more panels wrap."""

COLOURS = mpl.colormaps["RdBu"].resampled(256)
"""Red below chance, white at it, blue above: distinct with any colour vision deficiency."""

SCALE = Normalize(0.0, 1.0)


class Column(NamedTuple):
    """One measured cohort of a board."""

    simulated: bool
    cohort: str


def heatmap(boards: Sequence[Board]) -> Picture:
    """Draw the AUROC of each model, concept and cohort.

    A number in brackets has too few positives or negatives to count, a hatched cell with a dash is
    undefined, an empty one is not annotated in the cohort or not an output of the model.
    """
    figure = _Grid(boards)
    alt = (
        f"Heat map: AUROC of {plural(len(figure.entries), 'model')}, "
        f"{plural(len(figure.concepts), 'concept')}, {plural(len(figure.columns), 'cohort')}. "
        "The numbers are in tables."
    )
    return draw("heatmap", alt, figure.draw)


class _Grid:
    """What is drawn where."""

    def __init__(self, boards: Sequence[Board]) -> None:
        records = [record for board in boards for record in board.records]
        self.entries = [
            e for e in dict.fromkeys(e for b in boards for e in b.entries) if e in map(entry_of, records)
        ]
        self.columns = [Column(b.simulated, cohort) for b in boards for cohort in b.cohort_ids]
        self.cells = {(entry_of(r), Column(r.cohort.simulated, r.cohort.id)): r for r in records}
        every = list(dict.fromkeys(concept for r in records for concept in r.evaluation.concepts))
        defined = {c for r in records for c, m in r.evaluation.concepts.items() if m.auroc.value is not None}
        self.concepts = [concept for concept in every if concept in defined] or every
        self.minimum = " / ".join(dict.fromkeys(str(board.minimum) for board in boards))
        self.not_drawn = len(every) - len(self.concepts)

    def draw(self) -> Figure:
        names = [label(concept, 28) for concept in self.concepts]
        labels = {entry: label(text) for entry, text in entry_labels(self.entries).items()}
        texts = {
            entry: [self._column_text(entry, column) for column in self.columns] for entry in self.entries
        }
        left = 0.35 + inches(names, FONT)
        top = 0.5 + inches((text for row in texts.values() for text in row), 8)
        panel = CELL * max(1, len(self.columns)), ROW * max(1, len(names))
        slot = GAP + max(panel[0], inches(labels.values(), 9.5, "bold"))
        across = max(1, min(len(self.entries), round(COLUMNS * CELL / slot)))
        down = max(1, -(-len(self.entries) // across))
        width = max(7.6, left + across * slot + 0.1)
        height = down * (top + panel[1]) + 1.0
        figure = Figure(figsize=(width, height), facecolor="white")
        if not self.concepts:
            nothing = "No concept was evaluated" if self.entries else "No finished cell"
            figure.text(0.5, 0.75, nothing, ha="center", color=FAINT)
        for at, entry in enumerate(self.entries if self.concepts else ()):
            x = left + (at % across) * slot
            y = height - (at // across + 1) * (top + panel[1])
            axes = figure.add_axes((x / width, y / height, panel[0] / width, panel[1] / height))
            axes.set_title(labels[entry], fontsize=9.5, weight="bold", pad=6, loc="left")
            axes.set_xticks(np.arange(len(self.columns)) + 0.5, texts[entry], rotation=90, fontsize=8)
            axes.set_yticks(np.arange(len(names)) + 0.5, names if at % across == 0 else [""] * len(names))
            _panel(axes, self._metrics(entry))
        self._legend(figure, width, height)
        return figure

    def _metrics(self, entry: Entry) -> list[list[ConceptMetrics | None]]:
        """Metrics ``[concepts, cohorts]`` of one entry; None where it was not measured."""
        own = [self.cells.get((entry, column)) for column in self.columns]
        return [[None if r is None else r.evaluation.concepts.get(c) for r in own] for c in self.concepts]

    def _column_text(self, entry: Entry, column: Column) -> str:
        record = self.cells.get((entry, column))
        relation = "" if record is None or record.relation == "external" else f" · {record.relation}"
        return label(column.cohort, 22) + (" · simulated" if column.simulated else "") + relation

    def _legend(self, figure: Figure, width: float, height: float) -> None:
        axes = figure.add_axes((0.35 / width, 0.45 / height, 1.8 / width, 0.12 / height))
        bar = figure.colorbar(ScalarMappable(SCALE, COLOURS), cax=axes, orientation="horizontal")
        bar.set_ticks([0, 0.25, 0.5, 0.75, 1.0])
        bar.outline.set_visible(False)
        axes.set_xlabel("AUROC (0.5: chance)", fontsize=7.5, labelpad=2)
        axes.tick_params(labelsize=7)
        lines = [
            f"(.87)  fewer than {self.minimum} positives or negatives: not in the macro average, not ranked",
            f"{UNDEFINED} hatched: undefined;  empty: not annotated there, or not an output",
        ]
        if self.not_drawn:
            lines.append(f"{plural(self.not_drawn, 'concept')} without any defined AUROC not drawn")
        figure.text(2.45 / width, 0.6 / height, "\n".join(lines), va="top", fontsize=7.5, color=FAINT)


def _panel(axes: Axes, metrics: Sequence[Sequence[ConceptMetrics | None]]) -> None:
    """Fill one panel: colours, hatches and numbers."""
    shape = len(metrics), len(metrics[0])
    values, undefined = np.full(shape, np.nan), []
    for row, column in np.ndindex(shape):
        found = metrics[row][column]
        if found is None or not found.n:
            continue
        if found.auroc.value is None:
            undefined.append(Rectangle((column, row), 1, 1))
            _number(axes, row, column, UNDEFINED, FAINT)
        elif found.eligible:
            values[row, column] = found.auroc.value
            _number(axes, row, column, _short(found.auroc.value), _readable_on(found.auroc.value))
        else:
            _number(axes, row, column, f"({_short(found.auroc.value)})", FAINT)
    # Rasterised: thousands of coloured squares would weigh more than all the text of the page.
    axes.pcolormesh(np.ma.masked_invalid(values), cmap=COLOURS, norm=SCALE, rasterized=True)
    if undefined:
        axes.add_collection(
            PatchCollection(undefined, facecolor="white", edgecolor="#dfe3e8", hatch="/////", linewidth=0)
        )
    axes.set_xlim(0, shape[1])
    axes.set_ylim(shape[0], 0)
    axes.tick_params(length=0, labeltop=True, labelbottom=False, pad=3, labelcolor=INK)
    axes.hlines(range(shape[0] + 1), 0, shape[1], color=RULE, lw=0.5, clip_on=False)
    axes.vlines(range(shape[1] + 1), 0, shape[0], color=RULE, lw=0.5, clip_on=False)
    axes.spines[:].set_visible(False)


def _number(axes: Axes, row: int, column: int, text: str, colour: str) -> None:
    axes.text(column + 0.5, row + 0.52, text, ha="center", va="center", fontsize=6.5, color=colour)


def _short(value: float) -> str:
    """Two decimals without the leading zero: ``.87``, and ``1.0`` where that rounds up."""
    text = f"{value:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


def _readable_on(value: float) -> str:
    red, green, blue, _ = COLOURS(SCALE(value))
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45 else INK

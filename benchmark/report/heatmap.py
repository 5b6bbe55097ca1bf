"""Heat map: AUROC by concept and cohort, one panel per model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from benchmark.metrics.cell.evaluation import ConceptMetrics
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.canvas import Canvas, Look, Segment, hatching, width_of
from benchmark.report.style import FAINT, INK, RULE, Picture, label
from benchmark.report.text import UNDEFINED, entry_labels
from cohorts.counts import plural

CELL, ROW = 24.5, 13.7
GAP = 16.0
"""Points: width and height of a cell, space between panels."""

COLUMNS = 32
"""About as many cohort columns side by side; more panels wrap."""

COLOURS = (
    (103, 0, 31),
    (178, 24, 43),
    (214, 96, 77),
    (244, 165, 130),
    (253, 219, 199),
    (247, 247, 247),
    (209, 229, 240),
    (146, 197, 222),
    (67, 147, 195),
    (33, 102, 172),
    (5, 48, 97),
)
"""Red below chance, white at it, blue above, at equal steps: distinct with any colour vision deficiency.

RdBu of ColorBrewer (Brewer, Cartography and Geographic Information Science 30:5, 2003), as matplotlib has it,
which takes longer to import than all that is drawn here.
"""

SHADES = 256

HATCH = "#dfe3e8"
TITLE, COLUMN, NUMBER, SMALL = 9.5, 8.0, 6.5, 7.5
"""Points: sizes of letters."""


class Column(NamedTuple):
    """One measured cohort of a board."""

    simulated: bool
    cohort: str


def heatmap(boards: Sequence[Board]) -> Picture:
    """Draw the AUROC of each model, concept and cohort.

    A number in brackets has too few positives or negatives to count, a hatched cell with a dash is
    undefined, an empty one is not annotated in the cohort or not an output of the model.
    """
    return _Grid(boards).draw()


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

    def draw(self) -> Picture:
        names = [label(concept, 28) for concept in self.concepts]
        labels = {entry: label(text) for entry, text in entry_labels(self.entries).items()}
        texts = {
            entry: [self._column_text(entry, column) for column in self.columns] for entry in self.entries
        }
        left = 25 + width_of(names)
        top = 36 + width_of((text for row in texts.values() for text in row), COLUMN)
        panel = CELL * max(1, len(self.columns)), ROW * max(1, len(names))
        slot = GAP + max(panel[0], width_of(labels.values(), TITLE, bold=True))
        across = max(1, min(len(self.entries), round(COLUMNS * CELL / slot)))
        down = max(1, -(-len(self.entries) // across))
        width, height = max(547.0, left + across * slot + 7), down * (top + panel[1]) + 72
        canvas = Canvas("heatmap", self._alt(), width, height)
        if not self.concepts:
            nothing = "No concept was evaluated" if self.entries else "No finished cell"
            canvas.text(width / 2, height / 4, nothing, Look(colour=FAINT, anchor="middle"))
        for at, entry in enumerate(self.entries if self.concepts else ()):
            x, y = left + (at % across) * slot, (at // across) * (top + panel[1]) + top
            canvas.text(x, y - top + 14, labels[entry], Look(TITLE, bold=True))
            for column, text in enumerate(texts[entry]):
                canvas.text(x + (column + 0.5) * CELL, y - 4, text, Look(COLUMN, upwards=True))
            for row, name in enumerate(names if at % across == 0 else ()):
                canvas.text(x - 4, y + (row + 0.5) * ROW, name, Look(anchor="end"))
            _panel(canvas, x, y, self._metrics(entry))
        self._legend(canvas, height)
        return canvas.picture()

    def _alt(self) -> str:
        return (
            f"Heat map: AUROC of {plural(len(self.entries), 'model')}, "
            f"{plural(len(self.concepts), 'concept')}, {plural(len(self.columns), 'cohort')}. "
            "The numbers are in tables."
        )

    def _metrics(self, entry: Entry) -> list[list[ConceptMetrics | None]]:
        """Metrics ``[concepts, cohorts]`` of one entry; None where it was not measured."""
        own = [self.cells.get((entry, column)) for column in self.columns]
        return [[None if r is None else r.evaluation.concepts.get(c) for r in own] for c in self.concepts]

    def _column_text(self, entry: Entry, column: Column) -> str:
        record = self.cells.get((entry, column))
        relation = "" if record is None or record.relation == "external" else f" · {record.relation}"
        return label(column.cohort, 22) + (" · simulated" if column.simulated else "") + relation

    def _legend(self, canvas: Canvas, height: float) -> None:
        x, y, wide, steps = 25.0, height - 42, 130.0, 64
        shades = {(0, step): _shade(step / (steps - 1)) for step in range(steps)}
        canvas.cells(x, y, wide / steps, 9, shades)
        for value in (0, 0.25, 0.5, 0.75, 1):
            look = Look(7, FAINT, anchor="middle")
            canvas.text(x + value * wide, y + 15, f"{value:.2f}", look)
        canvas.text(x + wide / 2, y + 26, "AUROC (0.5: chance)", Look(SMALL, anchor="middle"))
        lines = [
            f"(.87)  fewer than {self.minimum} positives or negatives: not in the macro average, not ranked",
            f"{UNDEFINED} hatched: undefined;  empty: not annotated there, or not an output",
        ]
        if self.not_drawn:
            lines.append(f"{plural(self.not_drawn, 'concept')} without any defined AUROC not drawn")
        for at, line in enumerate(lines):
            canvas.text(x + wide + 22, y + 3 + 10.5 * at, line, Look(SMALL, FAINT))


def _panel(canvas: Canvas, x: float, y: float, metrics: Sequence[Sequence[ConceptMetrics | None]]) -> None:
    """Fill one panel: colours, hatches and numbers."""
    colours: dict[tuple[int, int], str] = {}
    hatches: list[Segment] = []
    numbers: list[tuple[int, int, str, str]] = []
    for row, cells in enumerate(metrics):
        for column, found in enumerate(cells):
            if found is None or not found.n:
                continue
            value = found.auroc.value
            if value is None:
                hatches += hatching(x + column * CELL, y + row * ROW, CELL, ROW)
                numbers.append((row, column, UNDEFINED, FAINT))
            elif found.eligible:
                colours[row, column] = _shade(value)
                numbers.append((row, column, _short(value), _readable_on(value)))
            else:
                numbers.append((row, column, f"({_short(value)})", FAINT))
    canvas.cells(x, y, CELL, ROW, colours)
    canvas.lines(hatches, HATCH)
    down, across = len(metrics) * ROW, len(metrics[0]) * CELL
    rules: list[Segment] = [(x, y + at * ROW, x + across, y + at * ROW) for at in range(len(metrics) + 1)]
    rules += [(x + at * CELL, y, x + at * CELL, y + down) for at in range(len(metrics[0]) + 1)]
    canvas.lines(rules, RULE)
    for row, column, text, colour in numbers:
        look = Look(NUMBER, colour, anchor="middle")
        canvas.text(x + (column + 0.5) * CELL, y + (row + 0.5) * ROW, text, look)


def _short(value: float) -> str:
    """Two decimals without the leading zero: ``.87``, and ``1.0`` where that rounds up."""
    text = f"{value:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


@cache
def shade_of(step: int) -> tuple[str, bool]:
    """Give one of the shades, and whether it is dark."""
    place = step / (SHADES - 1) * (len(COLOURS) - 1)
    at = min(int(place), len(COLOURS) - 2)
    ends = zip(COLOURS[at], COLOURS[at + 1], strict=True)
    red, green, blue = (before + (place - at) * (after - before) for before, after in ends)
    dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.45 * 255
    return f"#{round(red):02x}{round(green):02x}{round(blue):02x}", dark


def _step(value: float) -> int:
    return min(SHADES - 1, int(SHADES * value))


def _shade(value: float) -> str:
    return shade_of(_step(value))[0]


def _readable_on(value: float) -> str:
    return "white" if shade_of(_step(value))[1] else INK

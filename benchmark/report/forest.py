"""Forest plot: macro AUROC with its interval, for every model on every cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from benchmark.metrics.estimates import Estimate
from benchmark.records.record import ResultRecord
from benchmark.report.board import Board, Entry, entry_of
from benchmark.report.canvas import Canvas, Look, Shape, width_of
from benchmark.report.style import FAINT, INK, PALETTE, RULE, Picture, label
from benchmark.report.text import UNDEFINED, count, entry_labels, interval
from cohorts.counts import plural

AXIS, NUMBERS = 331.0, 281.0
"""Points: width of the axis and of the numbers to its right; the names to its left get what they need."""

ROW, TOP, BOTTOM = 15.1, 11.0, 68.0
"""Points: height of a row, space above and below the rows."""

BAND = "#f3f5f8"

SHAPES: dict[str, Shape] = {"external": "circle", "internal": "square", "unknown": "diamond"}

STEPS = (0.02, 0.05, 0.1, 0.2)
"""Between marks of the axis: the first that gives at most ten."""


def forest(boards: Sequence[Board]) -> Picture:
    """Draw all cells by cohort, real cohorts first; internal and unknown cells are hollow.

    Cells of a cohort whose means are over other concepts stand apart.
    """
    found = [
        (board, of_others, records)
        for board in boards
        for _, group in groupby(board.ordered(board.records), key=lambda record: record.cohort.id)
        for of_others, records in enumerate(_by_concepts(board, list(group)))
    ]
    groups = [records for _, _, records in found]
    labels = entry_labels(dict.fromkeys(entry for board in boards for entry in board.entries))
    colours = {entry: PALETTE[at % len(PALETTE)] for at, entry in enumerate(labels)}
    names = [[_name(record, labels) for record in records] for records in groups]
    left = 36 + max(86.0, width_of(name for group in names for name in group))
    rows = max(3.0, sum(len(records) + 1.4 for records in groups))
    width, height = left + AXIS + NUMBERS, TOP + ROW * rows + BOTTOM
    canvas = Canvas("forest", _alt(boards), width, height)
    tops = [TOP]
    for at, records in enumerate(groups):
        size = ROW * (len(records) + 1.4)
        if at % 2 == 0:
            canvas.rectangle(4, tops[-1], width - 7, size, BAND)
        tops.append(tops[-1] + size)
    estimates = [[_auroc(board, record) for record in records] for board, _, records in found]
    sets = dict.fromkeys(b.within.concept_set for b in boards if b.within.concepts is not None)
    of_set = "".join(f" of '{label(name)}'" for name in sets)
    axis = _Axis(left, [one for group in estimates for one in group], of_set)
    axis.draw(canvas, TOP, TOP + ROW * rows)
    if not groups:
        look = Look(colour=FAINT, anchor="middle")
        canvas.text(left + AXIS / 2, TOP + ROW * rows / 2, "No finished cell", look)
    for (board, of_others, records), values, own_names, y in zip(found, estimates, names, tops, strict=False):
        header = _header(records[0]) + (", over other concepts" if of_others else "")
        canvas.text(11, y + 0.75 * ROW, header, Look(bold=True))
        for row, (record, value, name) in enumerate(zip(records, values, own_names, strict=True)):
            numbers = _numbers(board, record, value)
            _cell(
                canvas, axis, y + (row + 1.65) * ROW, record, value, numbers, name, colours[entry_of(record)]
            )
    _legend(canvas, width, height)
    return canvas.picture()


def _alt(boards: Sequence[Board]) -> str:
    return (
        f"Forest plot: macro AUROC with 95 % intervals, "
        f"{plural(sum(len(board.records) for board in boards), 'cell')} on "
        f"{plural(sum(len(board.cohort_ids) for board in boards), 'cohort')}. The numbers are in a table."
    )


def _by_concepts(board: Board, records: Sequence[ResultRecord]) -> list[list[ResultRecord]]:
    """Split the cells of a cohort by what their means are over, those of the reference first."""
    asked = frozenset(board.reference.get(records[0].cohort.id, ()))
    groups: dict[frozenset[str], list[ResultRecord]] = {asked: []} if asked else {}
    for record in records:
        concepts = frozenset(board.concepts_of(record))
        # One without a mean has no place of its own.
        groups.setdefault(concepts if concepts or not groups else next(iter(groups)), []).append(record)
    return [group for group in groups.values() if group]


def _auroc(board: Board, record: ResultRecord) -> Estimate:
    return replace(board, metric="auroc").macro_of(record)


class _Axis:
    """AUROC from left to right."""

    def __init__(self, left: float, estimates: Sequence[Estimate], of_set: str) -> None:
        ends = [end for e in estimates for end in (e.value, e.low) if end is not None]
        self.of_set = of_set
        self.left, self.lowest, self.highest = left, max(0.0, min([0.5, *ends]) - 0.04), 1.01

    def at(self, auroc: float) -> float:
        """Place an AUROC, in points."""
        return self.left + AXIS * (auroc - self.lowest) / (self.highest - self.lowest)

    def draw(self, canvas: Canvas, top: float, bottom: float) -> None:
        step = next((step for step in STEPS if (self.highest - self.lowest) / step <= 10), STEPS[-1])
        marks = [at * step for at in range(round(1 / step) + 1) if at * step >= self.lowest]
        canvas.lines([(self.at(mark), top, self.at(mark), bottom) for mark in marks], RULE)
        canvas.lines([(self.at(0.5), top, self.at(0.5), bottom)], FAINT, 1, dash=(4, 3))
        canvas.lines([(self.left, bottom, self.left + AXIS, bottom)], RULE, 0.8)
        for mark in marks:
            canvas.text(self.at(mark), bottom + 9, f"{mark:.2f}", Look(colour=FAINT, anchor="middle"))
        words = f"Macro AUROC over the eligible concepts{self.of_set}, with its interval"
        canvas.text(self.left + AXIS / 2, bottom + 24, words, Look(anchor="middle"))


def _header(record: ResultRecord) -> str:
    """Cohort; a long id may be cut, the mark of synthetic patients never."""
    return label(record.cohort.id) + (" (simulated)" if record.cohort.simulated else "")


def _name(record: ResultRecord, labels: Mapping[Entry, str]) -> str:
    name = label(labels[entry_of(record)])
    return name if record.relation == "external" else f"{name} · {record.relation}"


def _cell(
    canvas: Canvas,
    axis: _Axis,
    y: float,
    record: ResultRecord,
    estimate: Estimate,
    numbers: tuple[str, str],
    name: str,
    colour: str,
) -> None:
    right = axis.left + AXIS
    canvas.text(axis.left - 9, y, name, Look(anchor="end"))
    if estimate.value is not None:
        if estimate.low is not None and estimate.high is not None:
            canvas.lines([(axis.at(estimate.low), y, axis.at(estimate.high), y)], colour, 1.6)
        _marker(canvas, axis.at(estimate.value), y, record.relation, colour)
    canvas.text(right + 9, y, numbers[0])
    canvas.text(right + 140, y, numbers[1], Look(colour=FAINT))


def _numbers(board: Board, record: ResultRecord, estimate: Estimate) -> tuple[str, str]:
    """The mean with its interval or why there is none, and what it is of."""
    concepts = board.concepts_of(record)
    facts = f"{plural(len(concepts), 'concept')}, n {count(record.records.scored)}"
    if estimate.value is not None:
        return interval(estimate), facts
    few = "not of the set" if record.evaluation.macro.concepts else "too few positives"
    return f"{UNDEFINED}  {'undefined' if concepts else few}", facts


def _marker(canvas: Canvas, x: float, y: float, relation: str, colour: str) -> None:
    canvas.marker(x, y, SHAPES[relation], colour if relation == "external" else "#ffffff", colour)


def _legend(canvas: Canvas, width: float, height: float) -> None:
    meanings = {
        "external": "external: not seen in training",
        "internal": "internal: this cohort is not new to it",
        "unknown": "unknown: training data undisclosed",
        "": "0.5: chance",
    }
    look, y = Look(8), height - 14
    wide = [34 + width_of([text], look.size) for text in meanings.values()]
    x = (width - sum(wide)) / 2
    for (relation, text), step in zip(meanings.items(), wide, strict=True):
        if relation:
            _marker(canvas, x + 9, y, relation, INK)
        else:
            canvas.lines([(x, y, x + 18, y)], FAINT, 1, dash=(4, 3))
        canvas.text(x + 22, y, text, look)
        x += step

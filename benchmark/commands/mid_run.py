"""What is seen of a run while it goes on: its page, written from time to time, and a table on a terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from benchmark.metrics.names import Metric
from benchmark.progress import Reporter
from benchmark.records.record import ResultRecord, load_record
from benchmark.report.board import EVERYTHING, Within
from benchmark.report.sets import NONE, OwnSets
from benchmark.report.writing import write_report
from benchmark.run.states import Plan
from benchmark.text import visible
from cohorts.counts import plural
from cohorts.errors import LeadboardError

LEAST_SECONDS = 30.0
"""Between two reports of a run that goes on."""

SHARE = 20.0
"""The next report waits for as many times what the last one took: so they take a twentieth of the time."""

MOST_ROWS = 10


class MidRun:
    """Called after each cell of a run (see `benchmark.run.runner.run`).

    Parameters
    ----------
    folder
        Of the run.
    own
        A user's own sets, which the page ranks within too.
    """

    def __init__(
        self,
        folder: Path,
        rank_by: Metric,
        reporter: Reporter,
        within: Within = EVERYTHING,
        own: OwnSets = NONE,
    ) -> None:
        self.folder, self.rank_by, self.reporter = folder, rank_by, reporter
        self.within, self.own = within, own
        self._due = time.monotonic() + LEAST_SECONDS
        self._started = time.monotonic()
        self._records: dict[Path, ResultRecord] = {}
        self._cells = self._done = self._at_start = self._failed = 0

    def __call__(self, plan: Plan) -> None:
        """Take the state of the run, and write its report if that is due."""
        self._look(plan)
        if time.monotonic() < self._due or not self._done:
            return
        began = time.monotonic()
        try:
            write_report(self.folder, self.rank_by, self.within, own=self.own)
        except LeadboardError as error:  # what is measured is saved; the report at the end says it again
            self.reporter.say(f"The page is not up to date: {error}")
        took = time.monotonic() - began
        self._due = time.monotonic() + max(LEAST_SECONDS, SHARE * took)

    def _look(self, plan: Plan) -> None:
        done = [task for task in plan.tasks if task.state.status == "done"]
        if not self._cells:
            self._at_start = len(done)
        self._cells, self._done = len(plan.tasks), len(done)
        self._failed = sum(task.state.status == "failed" for task in plan.tasks)
        if not self.reporter.console.is_terminal:
            return
        for task in done:
            if task.cell.path not in self._records:
                try:
                    self._records[task.cell.path] = load_record(task.cell.path)
                except LeadboardError:
                    continue
        self.reporter.above = self.draw

    def draw(self) -> Table | Text:
        """Give the table: who is where so far, and how long the rest will take; first of all that alone."""
        found = standings(list(self._records.values()))
        if not found.rows:
            return Text(self._state(), style="dim italic")
        kind = "SIMULATED cohort" if found.simulated else "external cohort"
        patients = " (not patients)" if found.simulated else ""
        title = (
            f"So far, over {plural(found.cohorts, kind)}{patients} and the concepts that all of these have"
        )
        table = Table(title=title, caption=self._state())
        for column in ("Rank", "Model", "Protocol", "Mean AUROC", "Own cells"):
            table.add_column(column, justify="left" if column in ("Model", "Protocol") else "right")
        for rank, row in enumerate(found.rows[:MOST_ROWS], 1):
            mean = "–" if row.mean is None else f"{row.mean:.3f}"
            shown = "–" if row.mean is None else str(rank)
            table.add_row(shown, visible(row.model), visible(row.protocol), mean, str(row.cells))
        if len(found.rows) > MOST_ROWS:
            table.add_row("", f"and {len(found.rows) - MOST_ROWS} more", "", "", "")
        return table

    def _state(self) -> str:
        left = self._cells - self._done - self._failed
        now = self._done - self._at_start + self._failed
        eta = ""
        if now and left:
            seconds = (time.monotonic() - self._started) / now * left
            eta = (
                f", about {seconds / 60:,.0f} min left" if seconds >= 90 else f", about {seconds:,.0f} s left"
            )
        failed = f", {self._failed} failed" if self._failed else ""
        words = "no interval and no test yet: the page has them"
        return f"{self._done} of {plural(self._cells, 'cell')} done{failed}{eta}; {words}"


class Row(NamedTuple):
    """A model under a protocol: its mean, None where there is nothing to compare, and its cells so far."""

    model: str
    protocol: str
    mean: float | None
    cells: int


class Standings(NamedTuple):
    """Rows, best first; over how many cohorts the means are; whether these are simulated."""

    rows: list[Row]
    cohorts: int
    simulated: bool


def standings(records: Sequence[ResultRecord]) -> Standings:
    """Order models by their mean AUROC over the external cohorts and concepts that all of them have so far.

    Real cohorts alone where there are any. A model without an external cell has no mean.
    """
    external = [record for record in records if record.relation == "external"]
    simulated = bool(external) and all(record.cohort.simulated for record in external)
    cells: dict[tuple[str, str], dict[str, ResultRecord]] = {}
    for record in external:
        if record.cohort.simulated == simulated:
            cells.setdefault((record.model.name, record.protocol), {})[record.cohort.id] = record
    shared = set.intersection(*map(set, cells.values())) if cells else set()
    concepts = {
        cohort: set.intersection(*(set(own[cohort].evaluation.macro.concepts) for own in cells.values()))
        for cohort in shared
    }
    concepts = {cohort: names for cohort, names in concepts.items() if names}
    rows = []
    for name in dict.fromkeys((record.model.name, record.protocol) for record in records):
        means = [_mean(cells[name][cohort], names) for cohort, names in concepts.items() if name in cells]
        count = sum((record.model.name, record.protocol) == name for record in records)
        rows.append(Row(*name, fmean(means) if means else None, count))
    rows.sort(key=lambda row: (row.mean is None, -(row.mean or 0.0)))
    return Standings(rows, len(concepts), simulated)


def _mean(record: ResultRecord, concepts: set[str]) -> float:
    """Mean AUROC over concepts of the macro average, each of which has one."""
    values = [record.evaluation.concepts[name].auroc.value for name in sorted(concepts)]
    return fmean(math.nan if value is None else value for value in values)

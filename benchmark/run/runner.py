"""A whole run: plan it, print the plan, execute what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.progress import Reporter
from benchmark.records.run_file import PlannedCell
from benchmark.run.engines import AfterCell, Engine, Here
from benchmark.run.plan_text import plan_lines
from benchmark.run.planning import make_plan
from benchmark.run.states import RunOptions
from cohorts.counts import plural


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    cells, computed
        How many there are, and how many of them were computed now.
    failures
        The cells that have no result.
    """

    cells: int
    computed: int
    failures: tuple[PlannedCell, ...]

    @property
    def failed(self) -> int:
        """How many cells have no result."""
        return len(self.failures)

    @property
    def sentence(self) -> str:
        """Say it in a sentence or two."""
        if not self.computed and not self.failures:
            return (
                f"Nothing to do: {'the cell is' if self.cells == 1 else f'all {self.cells} cells are'} done."
            )
        said = f"{self.computed} of {plural(self.cells, 'cell')} computed now, {self.failed} failed."
        models: dict[str, list[str]] = {}
        for cell in self.failures:
            shown = cell.model if cell.protocol == "as-is" else f"{cell.model}, {cell.protocol},"
            models.setdefault(shown, []).append(cell.cohort)
        named = [f"{model} on {', '.join(cohorts)}" for model, cohorts in models.items()]
        return f"{said} Without a result: {'; '.join(named)}." if named else said


def run(
    options: RunOptions,
    reporter: Reporter,
    after_cell: AfterCell | None = None,
    engine: Engine | None = None,
) -> Outcome:
    """Evaluate models on cohorts, going on past every model or cohort that fails.

    Parameters
    ----------
    after_cell
        Called with the plan once before the first cell, and after each one when all of it is saved.
    engine
        Prepares the cohorts and computes the cells; this process if not given.

    Raises
    ------
    UsageError
        If a name is unknown or there is nothing to evaluate.
    """
    engine = engine or Here()
    plan = make_plan(options, reporter, lambda cohorts: engine.prepare(cohorts, options.places, reporter))
    for line in plan_lines(plan):
        reporter.say(line)
    computed = engine.compute(plan, reporter, after_cell or (lambda _: None))
    failures = tuple(cell for cell in plan.cells if cell.status == "failed")
    return Outcome(len(plan.cells), computed, failures)

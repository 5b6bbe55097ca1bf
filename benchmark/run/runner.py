"""A whole run: plan it, print the plan, execute what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmark.progress import Reporter
from benchmark.protocols.scorer import Scorer
from benchmark.records.run_folder import RUN, PlannedCell, RunFile, read_run_file
from benchmark.run.execution import former_predictions, measure_and_save, predict_and_save
from benchmark.run.plan_text import plan_lines
from benchmark.run.planning import Plan, RunOptions, Task, make_plan
from benchmark.run.thresholds import Validation
from cohorts.errors import LeadboardError


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes
    ----------
    cells, computed
        How many there are, and how many of them were computed now.
    failures
        The cells that have no result.
    changed
        Whether the report of the run is no longer of what is in it.
    """

    cells: int
    computed: int
    failures: tuple[PlannedCell, ...]
    changed: bool

    @property
    def failed(self) -> int:
        """How many cells have no result."""
        return len(self.failures)

    @property
    def sentence(self) -> str:
        """Say it in a sentence or two."""
        if not self.computed and not self.failures:
            return f"Nothing to do: all {self.cells} cells are done."
        said = f"{self.computed} of {self.cells} cells computed now, {self.failed} failed."
        models: dict[str, list[str]] = {}
        for cell in self.failures:
            shown = cell.model if cell.protocol == "as-is" else f"{cell.model}, {cell.protocol},"
            models.setdefault(shown, []).append(cell.cohort)
        named = [f"{model} on {', '.join(cohorts)}" for model, cohorts in models.items()]
        return f"{said} Without a result: {'; '.join(named)}." if named else said


def run(options: RunOptions, reporter: Reporter) -> Outcome:
    """Evaluate models on cohorts, going on past every model or cohort that fails.

    Raises
    ------
    UsageError
        If a name is unknown or there is nothing to evaluate.
    """
    plan = make_plan(options, reporter)
    for line in plan_lines(plan):
        reporter.say(line)
    before = _saved(options)
    computed = execute(plan, reporter)
    failures = tuple(cell for cell in plan.cells if cell.status == "failed")
    return Outcome(len(plan.cells), computed, failures, bool(computed) or plan.run_file() != before)


def _saved(options: RunOptions) -> RunFile | None:
    """What an earlier call left in ``run.json``."""
    try:
        return read_run_file(options.folder) if (options.folder / RUN).is_file() else None
    except LeadboardError:
        return None


def execute(plan: Plan, reporter: Reporter) -> int:
    """Compute what is not done, saving the plan after each cell; gives how many cells were computed."""
    plan.save()
    options = plan.options
    scorer = Scorer(options.places.cache, options.hardware, reporter)
    validation = Validation(plan.source, scorer, reporter)
    to_do = plan.to_do
    for task in to_do:
        try:
            _compute(task, plan, scorer, validation, reporter)
        except LeadboardError as error:
            reporter.say(f"FAILED {task.cell.label}: {error}")
            task.fail(str(error))
        plan.save()
    return sum(task.state.status == "done" for task in to_do)


def _compute(task: Task, plan: Plan, scorer: Scorer, validation: Validation, reporter: Reporter) -> None:
    cell = task.cell
    say: Callable[[str], None] = reporter.say
    predictions = former_predictions(cell, task.former, say)
    if predictions is None:
        with reporter.step(cell.label, quiet_without_work=True) as progress:
            predictions = predict_and_save(cell, scorer, progress)
    record = measure_and_save(cell, predictions, validation.thresholds(cell), plan.options.settings)
    task.finish(record)

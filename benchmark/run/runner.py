"""A whole run: plan it, print the plan, execute what is missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmark.files import sweep
from benchmark.progress import Reporter
from benchmark.protocols.scorer import Scorer
from benchmark.records.run_folder import PlannedCell, find_run_file, lock_path
from benchmark.run.execution import former_predictions, measure_and_save, predict_and_save
from benchmark.run.plan_text import plan_lines
from benchmark.run.planning import former_states, make_plan, plan_task
from benchmark.run.states import Plan, RunOptions, Task
from benchmark.run.thresholds import Validation
from cohorts.errors import LeadboardError
from cohorts.locks import alone, alone_or_not

AfterCell = Callable[[Plan], None]


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
            return f"Nothing to do: all {self.cells} cells are done."
        said = f"{self.computed} of {self.cells} cells computed now, {self.failed} failed."
        models: dict[str, list[str]] = {}
        for cell in self.failures:
            shown = cell.model if cell.protocol == "as-is" else f"{cell.model}, {cell.protocol},"
            models.setdefault(shown, []).append(cell.cohort)
        named = [f"{model} on {', '.join(cohorts)}" for model, cohorts in models.items()]
        return f"{said} Without a result: {'; '.join(named)}." if named else said


def run(options: RunOptions, reporter: Reporter, after_cell: AfterCell | None = None) -> Outcome:
    """Evaluate models on cohorts, going on past every model or cohort that fails.

    Parameters
    ----------
    after_cell
        Called with the plan once before the first cell, and after each one when all of it is saved.

    Raises
    ------
    UsageError
        If a name is unknown or there is nothing to evaluate.
    """
    plan = make_plan(options, reporter)
    for line in plan_lines(plan):
        reporter.say(line)
    computed = execute(plan, reporter, after_cell or (lambda _: None))
    failures = tuple(cell for cell in plan.cells if cell.status == "failed")
    return Outcome(len(plan.cells), computed, failures)


def execute(plan: Plan, reporter: Reporter, after_cell: AfterCell) -> int:
    """Compute what is not done, saving the plan after each cell; gives how many cells were computed.

    A cell that another call is computing is left for the end, and waited for there.
    """
    plan.save()
    folder = plan.options.folder
    sweep((folder, *dict.fromkeys(task.cell.path.parent for task in plan.tasks)))
    validation = Validation(
        plan.source, Scorer(plan.options.places.cache, plan.options.hardware, reporter), reporter
    )
    left = []
    after_cell(plan)
    for task in plan.to_do:
        with alone_or_not(lock_path(folder, task.cell.path)) as free:
            if free:
                _attempt(task, plan, validation, reporter)
            else:
                left.append(task)
        after_cell(plan)
    for task in left:
        with alone(lock_path(folder, task.cell.path), f"computing {task.cell.label}"):
            _attempt(task, plan, validation, reporter)
        after_cell(plan)
    plan.save()  # for those that another call was faster with
    return sum(task.computed for task in plan.tasks)


def _attempt(task: Task, plan: Plan, validation: Validation, reporter: Reporter) -> None:
    """Compute a cell, unless another call has done so since the plan was made."""
    now = former_states(find_run_file(plan.options.folder)).get(task.cell.name)
    before = plan.former.get(task.cell.name)
    if now is not None and now.status == "done" and now != before:
        found = plan_task(task.cell, now)
        if found.state.status == "done":
            task.state = found.state
            return
    try:
        _compute(task, plan, validation, reporter)
    except LeadboardError as error:
        reporter.say(f"FAILED {task.cell.label}: {error}")
        task.fail(str(error))
    plan.save()


def _compute(task: Task, plan: Plan, validation: Validation, reporter: Reporter) -> None:
    cell = task.cell
    say: Callable[[str], None] = reporter.say
    predictions = former_predictions(cell, task.former, say)
    if predictions is None:
        with reporter.step(cell.label, quiet_without_work=True) as progress:
            predictions = predict_and_save(cell, validation.scorer, progress)
    record = measure_and_save(cell, predictions, validation.thresholds(cell), plan.options.settings)
    task.finish(record)

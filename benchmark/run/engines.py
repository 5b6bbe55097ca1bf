"""Where the cells of a plan are computed: one after the other in this process, or as an engine has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from benchmark.config import Places
from benchmark.files import sweep
from benchmark.progress import Reporter
from benchmark.protocols.scorer import Scorer
from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import find_run_file, lock_path
from benchmark.run.execution import former_predictions, measure_and_save, predict_and_save
from benchmark.run.planning import former_states, plan_task
from benchmark.run.states import Plan, Task
from benchmark.run.thresholds import Validation
from cohorts.errors import LeadboardError
from cohorts.locks import alone, alone_or_not

AfterCell = Callable[[Plan], None]


class Engine(Protocol):
    """Where cohorts are prepared and cells computed."""

    def prepare(self, cohorts: Sequence[str], places: Places, reporter: Reporter) -> None:
        """Prepare cohorts of this machine; one that cannot be is left to who opens it."""

    def compute(self, plan: Plan, reporter: Reporter, after_cell: AfterCell) -> int:
        """Compute what is not done, saving the plan after each cell; gives how many cells were computed."""


def begin(plan: Plan) -> None:
    """Enter the plan in its folder, and sweep up what calls that were cut off have left there."""
    plan.save()
    sweep((plan.options.folder, *dict.fromkeys(task.cell.path.parent for task in plan.tasks)))


class Here:
    """In this process."""

    def prepare(self, cohorts: Sequence[str], places: Places, reporter: Reporter) -> None:
        """Leave it to who opens them, which is this process too."""

    def compute(self, plan: Plan, reporter: Reporter, after_cell: AfterCell) -> int:
        """Compute one cell after the other.

        A cell that another call is computing is left for the end, and waited for there.
        """
        begin(plan)
        folder = plan.options.folder
        validation = Validation(
            plan.source, Scorer(plan.options.places.cache, plan.options.hardware, reporter), reporter
        )

        def work(task: Task) -> None:
            if not done_meanwhile(task, plan):
                attempt(task, plan, reporter, lambda: _compute(task, plan, validation, reporter))

        left = []
        after_cell(plan)
        for task in plan.to_do:
            with alone_or_not(lock_path(folder, task.cell.path)) as free:
                if free:
                    work(task)
                else:
                    left.append(task)
            after_cell(plan)
        for task in left:
            with alone(lock_path(folder, task.cell.path), f"computing {task.cell.label}"):
                work(task)
            after_cell(plan)
        plan.save()  # for those that another call was faster with
        return sum(task.computed for task in plan.tasks)


def done_meanwhile(task: Task, plan: Plan) -> bool:
    """Whether another call has computed a cell since the plan was made; its result is taken then."""
    now = former_states(find_run_file(plan.options.folder)).get(task.cell.name)
    before = plan.former.get(task.cell.name)
    if now is not None and now.status == "done" and now != before:
        found = plan_task(task.cell, now)
        if found.state.status == "done":
            task.state = found.state
            return True
    return False


def attempt(task: Task, plan: Plan, reporter: Reporter, work: Callable[[], ResultRecord]) -> None:
    """Finish a cell with the record that the work gives, or let it fail with what the work says."""
    try:
        task.finish(work())
    except LeadboardError as error:
        reporter.say(f"FAILED {task.cell.label}: {error}")
        task.fail(str(error))
    plan.save()


def _compute(task: Task, plan: Plan, validation: Validation, reporter: Reporter) -> ResultRecord:
    cell = task.cell
    say: Callable[[str], None] = reporter.say
    predictions = former_predictions(cell, task.former, say)
    if predictions is None:
        with reporter.step(cell.label, quiet_without_work=True) as progress:
            predictions = predict_and_save(cell, validation.scorer, progress)
    options, thresholds = plan.options, validation.thresholds(cell)
    return measure_and_save(cell, predictions, thresholds, options.settings, options.hardware.device)

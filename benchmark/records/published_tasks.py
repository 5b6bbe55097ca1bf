"""What a result on a published task says beside its numbers, to stand next to the published ones."""

from __future__ import annotations

from statistics import fmean

from benchmark.metrics.cell.evaluation import Evaluation
from benchmark.metrics.checks import ELIGIBLE_MINIMUM
from cohorts.tasks import all_tasks


def is_task(cohort: str) -> bool:
    """Whether a result with this cohort id is one on a published task."""
    return cohort in all_tasks()


def task_notes(evaluation: Evaluation, cohort: str) -> list[str]:
    """Sentences for a result on a published task; none for any other.

    The authors average over every class of the test fold, however rare it is there, while the macro average
    of this project wants some of each kind. Both are given.
    """
    task = all_tasks().get(cohort)
    if task is None:
        return []
    measured = [evaluation.concepts[name] for name in task.classes if name in evaluation.concepts]
    values = [metrics.auroc.value for metrics in measured if metrics.auroc.value is not None]
    every = (
        f"Averaged as the authors do, over every class with a positive and a negative test record "
        f"({len(values)} of {len(task.classes)}), the macro AUROC is {fmean(values):.4f}; the one shown is "
        f"over those with at least {ELIGIBLE_MINIMUM} of each."
        if values
        else "No class has a positive and a negative test record."
    )
    about = (
        f"Published task {task.name} ({task.title}), by {task.citation}: never in a ranking across hospitals."
    )
    return [about, every, *([task.remark] if task.remark else [])]

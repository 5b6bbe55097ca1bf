"""Published tasks by name: labels and folds as their authors made them, beside the ontology.

They are there to put a number beside a published table. None takes part in the ranking across hospitals.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cohorts.errors import UnknownNameError
from cohorts.tasks import code, cpsc_2018, merl, ptb_xl
from cohorts.tasks.task import PublishedTask

__all__ = ["PublishedTask", "all_tasks", "cohort_of", "find_task"]

_TASKS: Mapping[str, PublishedTask] = MappingProxyType(
    {task.name: task for module in (ptb_xl, cpsc_2018, code, merl) for task in module.TASKS}
)


def all_tasks() -> Mapping[str, PublishedTask]:
    """Give every task by name; the mapping is read-only."""
    return _TASKS


def find_task(name: str) -> PublishedTask:
    """Look a task up.

    Raises
    ------
    UnknownNameError
        With the nearest name that exists.
    """
    if name not in _TASKS:
        raise UnknownNameError("task", name, _TASKS)
    return _TASKS[name]


def cohort_of(name: str) -> str:
    """Id of the cohort whose records a task is of; any other name is given back."""
    return _TASKS[name].cohort.id if name in _TASKS else name

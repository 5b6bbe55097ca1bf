"""Why a record has the label of a published task's class that it has."""

from __future__ import annotations

from collections.abc import Collection

from cohorts.ontology.reasons import Meaning, Reason
from cohorts.tasks.task import PublishedTask


class TaskReasons:
    """Tells why records are labelled for one class of a published task as they are.

    Parameters
    ----------
    name
        Of the class; a concept that the task is not about is not annotated in it.
    """

    def __init__(self, task: PublishedTask, name: str) -> None:
        self._task, self._class = task, name

    def of(self, codes: Collection[str]) -> Reason:
        """Say what decides the label of a record with these codes."""
        if self._class not in self._task.classes:
            return Reason(-1, "not annotated in this cohort", note=f"{self._task.name} is not about it")
        yes = tuple(code for code in dict.fromkeys(codes) if self._class in self._classes(code))
        if yes:
            return Reason(1, "a code says yes", yes)
        if not (self._task.keeps_unlabelled or any(map(self._classes, codes))):
            return Reason(-1, "left out by the task", note="it has none of the task's classes")
        return Reason(0, "no code speaks of it", note="silence means no in a published task")

    def name(self, code: str) -> str:
        """Give a code in words; a task has none."""
        return ""

    def meanings(self, code: str) -> list[Meaning]:
        """Give the classes of a code, if the one asked for is among them."""
        if self._class not in self._classes(code):
            return []
        return [Meaning(code, "", self._class, "same", f"as {self._task.name} defines it")]

    def _classes(self, code: str) -> tuple[str, ...]:
        return self._task.means.get(code.partition("+")[0], ())

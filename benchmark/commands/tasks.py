"""Command about published tasks: list."""

from __future__ import annotations

from typing import Any

from benchmark.commands.options import JsonOption, print_json


def tasks(*, as_json: JsonOption = False) -> int:
    """List the published tasks: labels and folds as their authors made them, never ranked.

    Parameters
    ----------
    as_json
        Print JSON.
    """
    from benchmark.commands.printing import print_table
    from cohorts.tasks import all_tasks

    rows: list[dict[str, Any]] = [
        {
            "id": task.name,
            "classes": len(task.classes),
            "cohort": task.cohort.id,
            "folds": _folds(task.folds.training, task.folds.validation, task.folds.test),
            "needs": f"{task.folder}/" if task.splits else "",
            "title": task.title,
            "names": list(task.classes),
            "lists": list(task.splits),
            "remark": task.remark,
            "citation": task.citation,
        }
        for task in all_tasks().values()
    ]
    print_json(rows) if as_json else print_table(rows, hide=("names", "lists", "remark", "citation"))
    return 0


def _folds(training: tuple[int, ...], validation: tuple[int, ...], test: tuple[int, ...]) -> str:
    """Say how the records are split."""
    if not training:
        return "test only"
    return f"{len(training)} training, {len(validation)} validation, {len(test)} test"

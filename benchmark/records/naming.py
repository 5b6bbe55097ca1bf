"""Cells of a run by what people call them: MODEL, or MODEL/PROTOCOL, and a cohort."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmark.records.record import ResultRecord
from benchmark.records.run_folder import load_run
from benchmark.text import printable
from cohorts.errors import UnknownNameError, UsageError


def named(name: str, records: Sequence[ResultRecord]) -> tuple[str, str]:
    """Find the model and protocol of a run that MODEL or MODEL/PROTOCOL means.

    Raises
    ------
    UsageError
        If there is none, or MODEL was evaluated under several protocols.
    """
    there = list(dict.fromkeys((record.model.name, record.protocol) for record in records))
    matching = [pair for pair in there if name in (pair[0], "/".join(pair))]
    if not matching:
        known = dict.fromkeys(shown for pair in there for shown in (pair[0], "/".join(pair)))
        raise UnknownNameError("model of this run", printable(name, 64), known)
    if len(matching) > 1:
        several = ", ".join("/".join(pair) for pair in matching)
        raise UsageError(f"{name} was evaluated under several protocols; name one of {several}.")
    return matching[0]


def cells_of(run: Path, name: str) -> list[ResultRecord]:
    """Read the records of a model of a run, in plan order.

    Raises
    ------
    UsageError
        If there is no such model in the run, or the name means several.
    """
    records = load_run(run)[1]
    found = named(name, records)
    return [record for record in records if (record.model.name, record.protocol) == found]


def find_cell(run: Path, name: str, cohort: str) -> ResultRecord:
    """Read the record of a model on a cohort.

    Raises
    ------
    UsageError
        If there is no such cell in the run, or the name means several.
    """
    there = {record.cohort.id: record for record in cells_of(run, name)}
    if cohort not in there:
        raise UnknownNameError(
            f"cohort on which {printable(name, 64)} was evaluated", printable(cohort, 64), there
        )
    return there[cohort]

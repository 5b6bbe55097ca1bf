"""The folder of one run: ``run.json``, and ``<model>/<protocol>/<cohort>`` with three suffixes.

``.json`` is the result record, ``.parquet`` the predictions, ``.resamples.npz`` the resampled figures.
Several calls may write into one folder at once, also from several machines: each file appears whole or not at
all, each cell is computed by one call at a time, and ``run.json`` is changed by one at a time. What the locks
in ``.locks`` hold back is named by their paths.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path

from benchmark.metrics.cell.evaluation import Resampled
from benchmark.records.comparability import resampling_of
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import predictions_path
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.resamples import CellName, Draws, ReadAhead, name_of, resamples_path
from benchmark.records.run_file import RUN, RUN_SCHEMA, PlannedCell, RunFile, read_run_file, save_run
from benchmark.records.salvage import salvaged
from benchmark.records.strict_json import read_json
from benchmark.text import unnamed
from cohorts.counts import plural
from cohorts.errors import LeadboardError, UsageError
from cohorts.locks import alone

logger = logging.getLogger("leadboard")

LOCKS = ".locks"


def cell_path(run: Path, model: str, protocol: str, cohort: str) -> Path:
    """Path of a cell's result record; the predictions lie beside it as ``.parquet``."""
    return run / model / protocol / f"{cohort}.json"


def lock_path(run: Path, path: Path) -> Path:
    """Path of the lock of a file of a run."""
    return run / LOCKS / path.relative_to(run).with_suffix(".lock")


def run_name(run: Path) -> str:
    """Name of a run: that of its folder, however it is written."""
    return run.name if run.name not in ("", "..") else run.resolve().name or "run"


def change_run(run: Path, change: Callable[[RunFile | None], RunFile]) -> RunFile:
    """Replace ``run.json`` by what a function makes of it, while no other call does so.

    Parameters
    ----------
    change
        Given the content as it is now, None where there is none.
    """
    with alone(lock_path(run, run / RUN), f"writing {run / RUN}"):
        content = change(find_run_file(run))
        save_run(run, content)
    return content


def load_run_file(run: Path) -> RunFile:
    """Read ``run.json``; if that cannot be done, make it again from the records of the run, and say so.

    Raises
    ------
    UsageError
        If the folder is not a run.
    """
    try:
        return read_run_file(run)
    except LeadboardError as error:
        content = _made_again(run)
        wrong = str(error)
        if isinstance(error, UsageError):
            if not content.cells:
                raise
            wrong = f"{run / RUN} is missing."
        done = sum(cell.status == "done" for cell in content.cells)
        logger.warning("%s Made again from %s.", wrong, plural(done, "record"))
        return content


def find_run_file(run: Path) -> RunFile | None:
    """Do what `load_run_file` does, or give None if the folder is not a run yet."""
    try:
        return load_run_file(run)
    except UsageError:
        return None


def _made_again(run: Path) -> RunFile:
    """Put the plan of a run together from its records, and from what can be read of ``run.json``.

    Without its seed and resamples, those of most records are taken; records of others do not belong.
    """
    try:
        content = salvaged(read_json(run / RUN), RunFile) | {"schema_version": RUN_SCHEMA}
    except LeadboardError:
        content = {}
    found: dict[tuple[int, int], list[PlannedCell]] = {}
    for record in unlisted_records(run, ()):
        seed, resamples, _ = resampling_of(record)
        found.setdefault((seed, resamples), []).append(finished_cell(record))
    usual = RunSettings()
    drawn = max(found, key=lambda drawn: len(found[drawn]), default=(usual.seed, usual.resamples))
    if "seed" in content and "resamples" in content:
        drawn = content["seed"], content["resamples"]
    cells = {cell.name: cell for cell in content.pop("cells", ())}
    cells |= {cell.name: cell for cell in found.get(drawn, ())}
    usually = {"name": run_name(run), "absent": (), "warnings": (), "environment": {}}
    about = {"seed": drawn[0], "resamples": drawn[1], "cells": tuple(cells.values())}
    return RunFile.model_validate(usually | content | about)


def unlisted_records(run: Path, listed: Container[CellName]) -> Iterator[ResultRecord]:
    """Give the records of a folder that can be read and lie in their place, other than those listed."""
    for path in sorted(run.glob("*/*/*.json")):
        place = (path.parts[-3], path.parts[-2], path.stem)
        if place in listed or not predictions_path(path).is_file():
            continue
        try:
            record = load_record(path)
        except LeadboardError:
            continue
        if name_of(record) == place:
            yield record


def finished_cell(record: ResultRecord) -> PlannedCell:
    """The line of the plan whose result this record is."""
    return PlannedCell(
        model=record.model.name,
        protocol=record.protocol,
        cohort=record.cohort.id,
        relation=record.relation,
        key=record.key,
        status="done",
    )


def load_run(run: Path) -> tuple[RunFile, list[ResultRecord]]:
    """Read ``run.json`` and the result records of its finished cells, in plan order.

    A cell whose record cannot be read has failed, for that reason.

    Raises
    ------
    UsageError
        If the folder is not a run.
    """
    content, cells = load_cells(run)
    return content, [record for _, record in cells]


def load_cells(run: Path, ahead: ReadAhead | None = None) -> tuple[RunFile, list[tuple[Path, ResultRecord]]]:
    """Do what `load_run` does, with the path of each record.

    Parameters
    ----------
    ahead
        Begins to read the resamples meanwhile.
    """
    content = load_run_file(run)
    states: list[PlannedCell] = []
    found: list[tuple[Path, ResultRecord]] = []
    for cell in content.cells:
        state = cell
        if cell.status == "done":
            path = cell_path(run, *cell.name)
            if ahead is not None:
                ahead.begin(resamples_path(path))
            try:
                found.append((path, load_named_record(path, cell.name)))
            except LeadboardError as error:
                logger.warning("%s", error)
                reason = str(error).replace(f"{run}/", "")  # it is shown on the page
                state = cell.model_copy(update={"status": "failed", "reason": reason, "files": {}})
        states.append(state)
    return content.model_copy(update={"cells": tuple(states)}), found


def load_named_record(path: Path, name: CellName) -> ResultRecord:
    """Read a record, and check that it is of the cell whose place it has.

    Raises
    ------
    LeadboardError
        If it is not, or cannot be read.
    """
    record = load_record(path)
    if name_of(record) != name:
        raise LeadboardError(f"{path} is the record of another cell; run the cell again.")
    return record


def load_draws(
    cells: Iterable[tuple[Path, ResultRecord]], ahead: ReadAhead
) -> tuple[Draws, dict[CellName, str]]:
    """Read the resampled figures of finished cells.

    Parameters
    ----------
    cells
        Records with their paths, as `load_cells` gives them.

    Returns
    -------
    tuple
        What could be read, and why the others could not.
    """
    found: dict[CellName, Resampled] = {}
    lacking: dict[CellName, str] = {}
    for path, record in cells:
        try:
            found[name_of(record)] = ahead.load(record, resamples_path(path))
        except LeadboardError as error:
            lacking[name_of(record)] = unnamed(str(error))
    return found, lacking

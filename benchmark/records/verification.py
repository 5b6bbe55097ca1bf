"""Verifying results: a submission, a run or a single record, recomputed from predictions and labels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from benchmark.files import inside
from benchmark.models.model_card import ModelCard
from benchmark.records.checks import check_record, check_same_model
from benchmark.records.comparability import why_other_resamples
from benchmark.records.faults import first_fault
from benchmark.records.findings import Verification
from benchmark.records.locations import RecordFiles, files_of, in_run, in_submission
from benchmark.records.manifest import (
    CARD,
    ENVIRONMENT,
    MANIFEST,
    README,
    RECORDS,
    Environment,
    Manifest,
    hashes,
)
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import name_of
from benchmark.records.run_file import RUN, PlannedCell, read_run_file
from benchmark.records.strict_json import read_json
from benchmark.text import some
from cohorts.errors import LeadboardError, UsageError
from cohorts.labelled import LabelledCohorts

Schema = TypeVar("Schema")

MOST_ABOUT_BYTES = 4 * 2**20
"""Of a manifest, of cards and of an environment; a manifest of a thousand records has a tenth of it."""

Records = Mapping[str, ResultRecord]


def verify(path: Path, stores: LabelledCohorts) -> Verification:
    """Check everything about some results that can be checked on this machine.

    Parameters
    ----------
    path
        The folder of a submission or of a run, or one result record.
    stores
        Gives the prepared cohort of an id, None where the release is not here.

    Returns
    -------
    Verification
        Whatever differs is named in it. Who makes every file anew can make them agree with each other, but
        numbers stay those that the predictions give.

    Raises
    ------
    UsageError
        If the path is none of these, or holds no result at all.
    """
    found = Verification()
    if (path / MANIFEST).is_file():
        _submission(found, path, stores)
    elif (path / RUN).is_file():
        _run(found, path, stores)
    elif path.is_file() and path.suffix == ".json":
        check_record(found.at(path.name), files_of(path), stores)
    else:
        raise UsageError(
            f"{path} is no submission ({MANIFEST}), no run ({RUN}) and no record (.json); check the path."
        )
    if not (found.agreed or found.differences):
        raise UsageError(f"{path} holds no finished result to check.")
    return found


def _submission(found: Verification, folder: Path, stores: LabelledCohorts) -> None:
    present = hashes(folder)
    manifest = read_about(found, folder / MANIFEST, Manifest)
    if manifest is not None:
        check_manifest(found, folder, manifest, present)
    records: dict[str, ResultRecord] = {}
    for name in present:
        if not _is_record(name):
            continue
        path = PurePosixPath(name)
        record = _record(found, folder, name, in_submission(path.parent.name, path.stem), stores)
        if record is not None:
            records[name] = record
            stated = f"{RECORDS}/{record.protocol}/{record.cohort.id}.json"
            found.at(name).check(stated == name, f"is a record of {record.protocol} on {record.cohort.id}")
        if record is not None and manifest is not None:
            found.at(name).check(
                record.model.name == manifest.model,
                f"is of {record.model.name}, but the submission is of {manifest.model}",
            )
    for name in _unpaired(present):
        found.at(name).check(False, "has no record beside it, or is no file of a submission")
    found.at(str(folder)).check(bool(records), "has no result record")
    _check_alike(found, records)
    _check_about(found, folder, records)


def check_manifest(found: Verification, folder: Path, manifest: Manifest, present: Mapping[str, str]) -> None:
    """Check the files of a submission, with their hashes, against its manifest, and its folder's name."""
    for name in manifest.files.keys() - present.keys():
        found.at(name).check(False, "is in the manifest, but is missing")
    for name, sha256 in present.items():
        stated = manifest.files.get(name)
        if found.at(name).check(stated is not None, "is not in the manifest"):
            found.at(name).check(sha256 == stated, "is not the file of the manifest (its SHA-256 differs)")
    name = folder.resolve().name
    found.at(MANIFEST).check(
        name == manifest.folder, f"makes this the submission {manifest.folder}, but the folder is {name}"
    )


def _is_record(name: str) -> bool:
    path = PurePosixPath(name)
    return len(path.parts) == 3 and path.parts[0] == RECORDS and path.suffix == ".json"


def _unpaired(present: Mapping[str, str]) -> list[str]:
    """Files that are neither records, nor predictions of one, nor about all of them."""
    expected = {CARD, ENVIRONMENT, README}
    for path in (PurePosixPath(name) for name in present if _is_record(name)):
        expected |= {file.as_posix() for file in in_submission(path.parent.name, path.stem)}
    return [name for name in present if name not in expected]


def _check_about(found: Verification, folder: Path, records: Records) -> None:
    """Check the card and the environment of a submission against its records."""
    cards = read_about(found, folder / CARD, dict[str, ModelCard])
    environment = read_about(found, folder / ENVIRONMENT, Environment)
    for name, record in records.items():
        if cards is not None:
            card = cards.get(record.protocol)
            same = card is not None and card == record.model.model_copy(update={"outputs": card.outputs})
            found.at(name).check(same, f"has another card than {CARD}")
        if environment is not None:
            other = why_other_resamples(record, environment.seed, environment.resamples, ENVIRONMENT)
            found.at(name).check(not other, other)
    if cards is not None:
        unused = cards.keys() - {record.protocol for record in records.values()}
        found.at(CARD).check(not unused, f"has cards without a record: {some(sorted(unused))}")


def _run(found: Verification, folder: Path, stores: LabelledCohorts) -> None:
    content = read_run_file(folder)
    records: dict[str, ResultRecord] = {}
    for cell in content.cells:
        name = f"{cell.model}/{cell.protocol}/{cell.cohort}"
        if cell.status != "done":
            found.at(name).skip(f"{cell.status}: {cell.reason or 'not run yet'}")
            continue
        record = _record(found, folder, name, in_run(Path(f"{name}.json")), stores)
        if record is None:
            continue
        records[name] = record
        _check_cell(found, name, cell, record)
        other = why_other_resamples(record, content.seed, content.resamples, RUN)
        found.at(name).check(not other, other)
    _check_alike(found, records)


def _check_cell(found: Verification, name: str, cell: PlannedCell, record: ResultRecord) -> None:
    stated = name_of(record)
    found.at(name).check(stated == cell.name, f"is a record of {' / '.join(stated)}")
    found.at(name).check(
        (record.key, record.relation) == (cell.key, cell.relation),
        f"has another key or relation than in {RUN}",
    )


def _record(
    found: Verification, folder: Path, name: str, files: RecordFiles, stores: LabelledCohorts
) -> ResultRecord | None:
    try:
        return check_record(found.at(name), files.below(folder), stores)
    except LeadboardError as error:
        found.at(name).check(False, str(error))
        return None


def _check_alike(found: Verification, records: Records) -> None:
    first: dict[tuple[str, str], ResultRecord] = {}
    for name, record in records.items():
        leader = first.setdefault((record.model.name, record.protocol), record)
        if leader is not record:
            check_same_model(found.at(name), leader, record)


def read_about(found: Verification, path: Path, schema: type[Schema]) -> Schema | None:
    """Read a JSON file of a submission, or say what is wrong with it."""
    try:
        content: Any = read_json(inside(path.parent, path.name), most=MOST_ABOUT_BYTES)
        return TypeAdapter(schema).validate_python(content)
    except LeadboardError as error:
        found.at(path.name).check(False, str(error))
    except ValidationError as error:
        found.at(path.name).check(False, f"is not as it should be: {first_fault(error)}")
    return None

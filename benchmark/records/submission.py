"""Packing a model's results into one folder that can be reviewed and checked.

::

    <model>-<hash>/
      records/<protocol>/<cohort>.json          result records, as they lie in the run
      predictions/<protocol>/<cohort>.parquet   what they were made from
      validation/<protocol>.parquet             what their thresholds were chosen from
      card.json                                 protocol -> card of the model
      environment.json                          the run: seed, resamples, software
      manifest.json                             SHA-256 of every other file
      README.md                                 for the reviewer
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmark.files import sha256_of, write_atomically
from benchmark.records.checks import check_record, check_same_model
from benchmark.records.findings import Verification
from benchmark.records.locations import RecordFiles, in_run, in_submission
from benchmark.records.manifest import (
    CARD,
    ENVIRONMENT,
    MANIFEST,
    README,
    Environment,
    Manifest,
    hashes,
)
from benchmark.records.record import ResultRecord, cohorts_of
from benchmark.records.resamples import name_of
from benchmark.records.run_file import PlannedCell, RunFile
from benchmark.records.run_folder import load_run_file
from benchmark.text import printable, some
from cohorts.catalogue import is_private, measured_cards
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.locks import alone, alone_or_not


@dataclass(frozen=True, slots=True)
class PackedCell:
    """One cell as it goes into a submission."""

    record: ResultRecord
    files: RecordFiles


def pack(
    run: Path, to: Path, model: str | None = None, *, simulated: bool = False
) -> tuple[Path, list[PackedCell]]:
    """Pack a model's results of a run; the same results give the same folder.

    Parameters
    ----------
    to
        Folder of all submissions.
    model
        May be left out where the run has one model only.
    simulated
        Whether cells of simulated cohorts may be among them.

    Returns
    -------
    The folder, and what is in it.

    Raises
    ------
    UsageError
        If the model is not in the run, a cell of it is unfinished, failed, simulated or of a private cohort,
        or another submission is in the way.
    LeadboardError
        If a cell does not agree with its own predictions, or a folder cannot be written.
    """
    content, chosen, cells = cells_to_pack(run, model, simulated=simulated)
    _refuse_private(cells)
    return put_in_place(to, lambda building: _build(building, chosen, cells, content)), cells


def cells_to_pack(run: Path, model: str | None, *, simulated: bool) -> tuple[RunFile, str, list[PackedCell]]:
    """Read a model's results of a run, and check that each belongs to its predictions.

    Returns
    -------
    The content of ``run.json``, the model's name, and its cells.

    Raises
    ------
    UsageError, LeadboardError
        As `pack`.
    """
    content = load_run_file(run)
    chosen = _choose(content, model)
    cells = [_load(run, cell) for cell in _finished(content, chosen)]
    _refuse_simulated(cells, simulated)
    return content, chosen, cells


def put_in_place(to: Path, build: Callable[[Path], Manifest]) -> Path:
    """Have a submission written into an empty folder, and move it to where its manifest says, whole.

    Raises
    ------
    UsageError
        If another submission is in the way.
    LeadboardError
        If a folder cannot be written.
    """
    try:
        with _workshop(to) as building:
            folder = to / build(building).folder
            if folder.is_dir():
                if sha256_of(folder / MANIFEST) != sha256_of(building / MANIFEST):
                    raise UsageError(f"{folder} is there and has other content; it is not overwritten.")
            else:
                building.rename(folder)
    except OSError as error:
        raise LeadboardError(f"Cannot write below {to}: {error.strerror}.") from error
    return folder


_UNFINISHED = ".unfinished-"
_LOCK = ".lock"


@contextmanager
def _workshop(to: Path) -> Iterator[Path]:
    """Give an empty folder that is gone afterwards, as are those of calls that were killed."""
    to.mkdir(parents=True, exist_ok=True)
    for left in to.glob(f"{_UNFINISHED}*"):
        # A living call has the lock of its folder before it puts anything there.
        if any(path.name != _LOCK for path in left.iterdir()):
            with alone_or_not(left / _LOCK) as free:
                if free:
                    shutil.rmtree(left, ignore_errors=True)
    place = Path(tempfile.mkdtemp(dir=to, prefix=_UNFINISHED))
    try:
        with alone(place / _LOCK, f"packing in {place}"):
            building = place / "submission"
            building.mkdir()
            yield building
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _choose(content: RunFile, model: str | None) -> str:
    models = dict.fromkeys(cell.model for cell in content.cells)
    if model is None and len(models) != 1:
        raise UsageError(f"The run has {len(models)} models ({some(models)}); name one with --model.")
    if model is not None and model not in models:
        raise UnknownNameError("model of this run", printable(model, 64), map(printable, models))
    return model if model is not None else next(iter(models))


def _finished(content: RunFile, model: str) -> list[PlannedCell]:
    cells = [cell for cell in content.cells if cell.model == model]
    without = [cell for cell in cells if cell.status != "done"]
    if without:
        said = [f"{cell.protocol} on {cell.cohort} ({cell.reason or 'not run yet'})" for cell in without]
        raise UsageError(
            f"{len(without)} of {len(cells)} cells of {printable(model, 64)} are not finished: "
            f"{printable('; '.join(said), 400)}. Run them first."
        )
    return cells


def _load(run: Path, cell: PlannedCell) -> PackedCell:
    """Read one finished cell and check that record and predictions belong together."""
    place = f"{cell.model}/{cell.protocol}/{cell.cohort}"
    files = in_run(Path(f"{place}.json")).below(run)
    found = Verification()
    record = check_record(found.at(place), files, lambda _, signals=True: None)
    for where, what in found.differences[:1]:
        raise LeadboardError(f"{where} {what}; run it again.")
    if record is None or name_of(record) != cell.name:
        raise LeadboardError(f"{printable(place)} is not the cell that run.json says; run it again.")
    return PackedCell(record, files)


def _refuse_simulated(cells: Sequence[PackedCell], simulated: bool) -> None:
    names = [cell.record.cohort.id for cell in cells if cell.record.cohort.simulated]
    if names and not simulated:
        raise UsageError(
            f"{some(names)} {'is' if len(names) == 1 else 'are'} simulated: results on simulated cohorts say "
            "nothing about patients; pack them with --simulated if that is what you want."
        )


def _refuse_private(cells: Sequence[PackedCell]) -> None:
    """Refuse what names single records of a private cohort, or counts those that a model learnt from."""
    touched = dict.fromkeys(cohort for cell in cells for cohort in cohorts_of(cell.record))
    private = [cohort for cohort in touched if is_private(cohort)]
    if private:
        verb = "is" if len(private) == 1 else "are"
        raise UsageError(
            f"{some(private)} {verb} private: predictions, record ids and counts stay in the run; pack what "
            "tells of no single record with --aggregate."
        )


def _build(folder: Path, model: str, cells: Sequence[PackedCell], content: RunFile) -> Manifest:
    """Write every file of a submission into an empty folder."""
    first: dict[str, ResultRecord] = {}
    found = Verification()
    for cell in cells:
        protocol, cohort = cell.record.protocol, cell.record.cohort.id
        check_same_model(
            found.at(f"{protocol}/{cohort}"), first.setdefault(protocol, cell.record), cell.record
        )
        targets = in_submission(protocol, cohort).below(folder)
        _copy(cell.files.record, targets.record)
        _copy(cell.files.predictions, targets.predictions)
        if _may_show_validation(cell):
            _copy(cell.files.validation, targets.validation)
    for where, what in found.differences[:1]:
        raise LeadboardError(f"{where} {what}; run the model on all cohorts again.")
    cards = {protocol: record.model.model_dump(mode="json") for protocol, record in first.items()}
    environment = Environment(seed=content.seed, resamples=content.resamples, environment=content.environment)
    write_atomically(folder / CARD, json.dumps(cards, indent=2, ensure_ascii=False) + "\n")
    write_atomically(folder / ENVIRONMENT, environment.model_dump_json(indent=2) + "\n")
    write_atomically(folder / README, _readme(model))
    manifest = Manifest(model=model, files=hashes(folder))
    write_atomically(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
    return manifest


def _may_show_validation(cell: PackedCell) -> bool:
    """Whether the scores that a cell's thresholds were chosen from are there, and of a cohort open to all."""
    source = measured_cards().get(cell.record.provenance.thresholds.source or "")
    return source is not None and source.access == "open" and cell.files.validation.is_file()


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _readme(model: str) -> str:
    return f"""# Submission of {model}

Packed by `leadboard submit`: result records, the predictions that they were made from, the model's card and
the software of the run. Every number follows from the predictions and the labels of the cohort:

    leadboard verify . --data RELEASES

It names every difference. Without `--data` it checks hashes, cards, relations and sums, and says that the
numbers are unchecked. Thresholds are chosen again where `validation/` has the scores that they come from.

For the reviewer:

- Does `trained_on` in `card.json` name every cohort that the weights have seen? Which source says so?
- Are these all the cohorts that the model can be measured on, or the favourable ones?
- Do licence and citation in the card allow the results to be shown?
- Do the terms of the releases allow record ids and scores to be shared?
"""

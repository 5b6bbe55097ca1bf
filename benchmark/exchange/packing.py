"""Packing an aggregate submission: what would leave is shown before a byte of it is written.

::

    <model>-aggregate-<hash>/
      cells/<protocol>/<cohort>.json   metrics, intervals, standard errors, rounded counts
      card.json                        protocol -> card of the model
      manifest.json                    SHA-256 of every other file
      README.md                        what this is, and what it is not
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmark.exchange.aggregate import CELLS, AggregateManifest
from benchmark.exchange.disclosure import MINIMUM, WITHHELD
from benchmark.exchange.identity import travelling
from benchmark.exchange.summarising import aggregate_of
from benchmark.files import write_atomically
from benchmark.records.checks import check_same_model
from benchmark.records.findings import Verification
from benchmark.records.manifest import CARD, MANIFEST, README
from benchmark.records.record import ResultRecord
from benchmark.records.resamples import load_resamples, resamples_path
from benchmark.records.submission import PackedCell, cells_to_pack, put_in_place
from cohorts.errors import LeadboardError

STAMP = 315_532_800
"""1 January 1980 as the time of every file: when somebody worked on it is nobody's business."""

_ABOUT = {
    CARD: "card of the model, as its author wrote it",
    MANIFEST: "SHA-256 of the other files",
    README: "what this is, for its reader",
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """An aggregate submission that is not written yet.

    Attributes
    ----------
    files
        Content by path below its folder, in the order in which they are shown.
    """

    manifest: AggregateManifest
    files: Mapping[str, bytes]

    def listing(self) -> list[tuple[str, int, str]]:
        """Give each file's path, size in bytes, and what is in it."""
        told = "metrics, intervals, standard errors, rounded counts"
        return [(name, len(content), _ABOUT.get(name, told)) for name, content in self.files.items()]


def prepare_parcel(
    run: Path, key: bytes, model: str | None = None, *, simulated: bool = False, minimum: int = MINIMUM
) -> Parcel:
    """Make the aggregate submission of a model's results of a run, in memory.

    Parameters
    ----------
    key
        Secret of this site (`disclosure.site_key`).
    model
        May be left out where the run has one model only.
    simulated
        Whether cells of simulated cohorts may be among them.
    minimum
        Smallest count that is given, and what the others are rounded to.

    Raises
    ------
    UsageError
        If the model is not in the run, or a cell of it is unfinished, failed or simulated.
    LeadboardError
        If a cell does not agree with its own predictions or resamples.
    """
    _, chosen, cells = cells_to_pack(run, model, simulated=simulated)
    _check_alike(cells)
    files: dict[str, bytes] = {}
    cards = {}
    for cell in cells:
        record = cell.record
        resampled = load_resamples(record, resamples_path(cell.files.record))
        aggregate = aggregate_of(record, resampled, minimum, key)
        files[f"{CELLS}/{record.protocol}/{record.cohort.id}.json"] = _text(
            aggregate.model_dump_json(indent=2)
        )
        cards[record.protocol] = travelling(record.model).model_dump(mode="json")
    files[CARD] = _text(json.dumps(cards, indent=2, ensure_ascii=False))
    files[README] = _text(_readme(chosen, minimum))
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    manifest = AggregateManifest(model=chosen, files=hashes)
    return Parcel(manifest, files | {MANIFEST: _text(manifest.model_dump_json(indent=2))})


def _check_alike(cells: list[PackedCell]) -> None:
    first: dict[str, ResultRecord] = {}
    found = Verification()
    for cell in cells:
        record = cell.record
        place = found.at(f"{record.protocol}/{record.cohort.id}")
        check_same_model(place, first.setdefault(record.protocol, record), record)
    for where, what in found.differences[:1]:
        raise LeadboardError(f"{where} {what}; run the model on all cohorts again.")


def _text(content: str) -> bytes:
    return f"{content.rstrip()}\n".encode()


def write_parcel(parcel: Parcel, to: Path) -> Path:
    """Write an aggregate submission below a folder; the same results give the same folder.

    Raises
    ------
    UsageError
        If another submission is in the way.
    LeadboardError
        If a folder cannot be written.
    """

    def build(folder: Path) -> AggregateManifest:
        for name, content in parcel.files.items():
            write_atomically(folder / name, content)
        for path in sorted(folder.rglob("*"), reverse=True):
            os.utime(path, (STAMP, STAMP))
        os.utime(folder, (STAMP, STAMP))
        return parcel.manifest

    return put_in_place(to, build)


def _readme(model: str, minimum: int) -> str:
    return f"""# Aggregate results of {model}

Packed by `leadboard submit --aggregate`: metrics with intervals and standard errors, for each concept and as
macro averages, and the model's card. There are no predictions, no record ids, no dates and nothing else of a
single recording or patient in here.

- Every count is rounded to a multiple of {minimum}; `"< {minimum}"` stands for any smaller one, 0 included,
  and `"{WITHHELD}"` for records that may be of fewer than {minimum} patients.
- A figure that a small count could be worked out from is left out.

Nobody can make these numbers again: they are self-reported, and a leaderboard shows them apart from those
that can be. `leadboard verify .` checks hashes, the schema and whether the numbers go together.
"""

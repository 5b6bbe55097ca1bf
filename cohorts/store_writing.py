"""Writing a store: stream the release once, check and quarantine, label, fingerprint.

Layout of the file::

    /                  attributes: format, stamp, fingerprint, ontology_hash, ontology_version, card (JSON)
    /index/COLUMN      text and statements as JSON, age float64, fold int64 (-1 for NA)
    /labels, /concepts int8 [records, concepts] and the ids of the concepts
    /quarantine/...    record_id, reason
    /warnings, /unknown_codes   sentences
    /signals/counts    int16, all records one after the other, each [12 leads, samples]
    /signals/...       offset, length (samples), rate (Hz), crc32 [records];
                       gain (counts per mV), baseline [records, 12]

How tables are kept, and what guards their bytes, is described in `cohorts.store_file`.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from array import array
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import numpy.typing as npt
import pandas as pd

from cohorts.cohort import Cohort
from cohorts.counts import plural
from cohorts.errors import RecordError, some
from cohorts.ontology.labelling import hash_of_labelling
from cohorts.ontology.ontology import Ontology
from cohorts.recording import MISSING, STANDARD_LEADS, Counts, DigitalRecording, standard_leads
from cohorts.store_file import FORMAT, open_file, read_numbers, write_json, write_numbers
from cohorts.store_staleness import Stamp

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

_CHUNK = 1 << 20  # samples

Progress = Callable[[int, int], None]


def write_store(
    path: Path,
    cohort: Cohort,
    ontology: Ontology,
    stamp: Stamp,
    progress: Progress | None,
    check: Callable[[], None],
) -> None:
    """Write a cohort to a new file; memory does not grow with its signals.

    Parameters
    ----------
    check
        Called after each record; raises what shall end the work.
    """
    listed = cohort.index()
    odd_gains: dict[str, float] = {}
    unusable: dict[str, str] = {}
    with open_file(path, "w") as file:
        signals = _SignalWriter(file.create_group("signals"))
        for number, (record_id, source) in enumerate(zip(listed["record_id"], listed["path"], strict=True)):
            try:
                native = cohort.read_path(source)
                digital = standard_leads(native)
                check_usable(digital.counts)
            except RecordError as error:
                unusable[record_id] = str(error)
            else:
                signals.append(digital)
                if cohort.declared_gain is not None and (native.gain != cohort.declared_gain).any():
                    odd_gains[record_id] = float(native.gain[native.gain != cohort.declared_gain][0])
            if progress is not None:
                progress(number + 1, len(listed))
            check()
        signals.finish()
        index = listed[~listed["record_id"].isin(unusable)].reset_index(drop=True)
        quarantine = pd.concat(
            [
                cohort.unreadable,
                pd.DataFrame({"record_id": unusable.keys(), "reason": unusable.values()}, dtype="str"),
            ]
        ).sort_values(["record_id", "reason"])
        _write_index(file.create_group("index"), index)
        _write_texts(file.create_group("quarantine"), quarantine)
        write_json(file, "warnings", [*stamp.warnings, *_warnings(cohort, odd_gains)])
        write_labels(file, index["statements"].tolist(), ontology, cohort.card.id, cohort.card.vocabulary)
        file.attrs["format"] = FORMAT
        # As bytes of a fixed number: these lie in the header that HDF5 checks, text does not.
        file.attrs["card"] = np.bytes_(cohort.card.model_dump_json().encode())
        file.attrs["stamp"] = np.bytes_(stamp.digest)
        file.attrs["fingerprint"] = np.bytes_(_fingerprint(cohort.card.id, index, signals.tables()))


def write_statements(file: h5py.File, cohort: Cohort, index: pd.DataFrame, stamp: Stamp) -> None:
    """Write again what is stated of the records of a store, and what follows from it but for the labels.

    Parameters
    ----------
    index
        Of the records that are in the store, in its order.
    """
    write_json(file["index"], "statements", index["statements"].tolist())
    write_json(file, "warnings", [*stamp.warnings, *_warnings(cohort, {})])
    tables = {name: read_numbers(file["signals"], name) for name in SIGNAL_TABLES}
    file.attrs["card"] = np.bytes_(cohort.card.model_dump_json().encode())
    file.attrs["fingerprint"] = np.bytes_(_fingerprint(cohort.card.id, index, tables))


def write_labels(
    file: h5py.File,
    statements: Sequence[tuple[str, ...]],
    ontology: Ontology,
    cohort_id: str,
    vocabulary: str,
) -> None:
    """Write, or write again, the labels that an ontology gives to statements."""
    labels = ontology.labels(cohort_id, vocabulary, statements)
    write_numbers(file, "labels", labels.to_numpy(dtype=np.int8))
    write_json(file, "concepts", list(labels.columns))
    write_json(file, "unknown_codes", _unknown_codes(ontology, cohort_id, vocabulary, statements))
    labelling = hash_of_labelling(ontology.label_hashes(cohort_id, vocabulary))
    file.attrs["ontology_hash"] = np.bytes_(labelling)
    file.attrs["ontology_version"] = np.bytes_(ontology.version)


class _SignalWriter:
    """Appends recordings to one flat dataset, a chunk at a time."""

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self._counts = group.create_dataset("counts", (0,), "<i2", maxshape=(None,), chunks=(_CHUNK,))
        self._buffer = np.empty(_CHUNK, np.int16)
        self._written = self._filled = 0
        self.offset, self.length, self.crc32 = array("q"), array("q"), array("L")
        self.rate, self.gain, self.baseline = array("d"), array("d"), array("d")

    def append(self, recording: DigitalRecording) -> None:
        """Add one recording of the twelve standard leads."""
        flat = np.ascontiguousarray(recording.counts).reshape(-1)
        self.offset.append(self._written + self._filled)
        self.length.append(recording.counts.shape[1])
        self.crc32.append(zlib.crc32(flat.data))
        self.rate.append(recording.sampling_rate)
        self.gain.frombytes(recording.gain.tobytes())
        self.baseline.frombytes(recording.baseline.tobytes())
        while len(flat):
            piece = flat[: _CHUNK - self._filled]
            self._buffer[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)
            flat = flat[len(piece) :]
            if self._filled == _CHUNK:
                self._flush()

    def _flush(self) -> None:
        self._counts.resize((self._written + self._filled,))
        self._counts[self._written :] = self._buffer[: self._filled]
        self._written += self._filled
        self._filled = 0

    def finish(self) -> None:
        """Write what is left, and where each record lies."""
        self._flush()
        for name, values in self.tables().items():
            write_numbers(self._group, name, values)

    def tables(self) -> dict[str, npt.NDArray[np.generic]]:
        """Numbers that belong to each record, without the counts themselves."""
        leads = len(STANDARD_LEADS)
        return {
            "offset": np.array(self.offset, "<i8"),
            "length": np.array(self.length, "<i8"),
            "rate": np.array(self.rate, "<f8"),
            "crc32": np.array(self.crc32, "<u4"),
            "gain": np.array(self.gain, "<f8").reshape(-1, leads),
            "baseline": np.array(self.baseline, "<f8").reshape(-1, leads),
        }


def check_usable(counts: Counts) -> None:
    """Refuse a signal without information; one flat lead among others is fine."""
    flat = bool((counts == counts[:, :1]).all())
    if not flat and counts.min() == MISSING:
        valid = counts != MISSING
        low = np.where(valid, counts, -(MISSING + 1)).min(axis=1)
        flat = bool((np.where(valid, counts, MISSING).max(axis=1) <= low).all())
    if flat:
        raise RecordError("No sample is finite." if (counts == MISSING).all() else "All leads are flat.")


def _warnings(cohort: Cohort, odd_gains: dict[str, float]) -> list[str]:
    """Say what is odd about the release as it lies here, one sentence each."""
    card = cohort.card
    found = list(cohort.warnings())
    if card.signal_note:
        found.append(f"The signals of {card.name} were {card.signal_note}.")
    if odd_gains:
        examples = some(f"{record} ({gain:g}/mV)" for record, gain in sorted(odd_gains.items()))
        found.append(
            f"{plural(len(odd_gains), 'header declares', 'headers declare')} another gain than the "
            f"{cohort.declared_gain:g}/mV of {card.name} {card.version}, and "
            f"{'is' if len(odd_gains) == 1 else 'are'} believed: {examples}."
        )
    if cohort.unknown_sexes:
        examples = some(f"'{text}' ({count}x)" for text, count in sorted(cohort.unknown_sexes.items()))
        found.append(f"Sexes that are not understood, so that the sex is unknown: {examples}.")
    return found


def _unknown_codes(
    ontology: Ontology, cohort_id: str, vocabulary: str, statements: Sequence[tuple[str, ...]]
) -> list[str]:
    unknown = ontology.unknown_codes(vocabulary, statements, cohort_id)
    if not unknown:
        return []
    records = sum(not unknown.keys().isdisjoint(codes) for codes in statements)
    examples = some(f"{code} ({count}x)" for code, count in sorted(unknown.items()))
    return [
        f"Records with a code in no table of the vocabulary '{vocabulary}', not annotated (-1) for what no "
        f"other of their codes states: {records:,}; the codes are {examples}."
    ]


def _write_index(group: h5py.Group, index: pd.DataFrame) -> None:
    _write_texts(group, index[["record_id", "patient_id", "sex", "report", "path"]])
    write_json(group, "statements", index["statements"].tolist())
    write_numbers(group, "age", index["age"].to_numpy(np.float64))
    write_numbers(group, "fold", index["fold"].fillna(-1).to_numpy(np.int64))


def _write_texts(group: h5py.Group, table: pd.DataFrame) -> None:
    """Write columns of text; NA is null."""
    for name in table:
        column = table[name]
        write_json(group, str(name), column.astype("object").where(column.notna(), None).tolist())


def _fingerprint(cohort_id: str, index: pd.DataFrame, tables: Mapping[str, npt.NDArray[np.generic]]) -> str:
    """Hash what the records say, in order: not where they lie, nor when they were prepared."""
    digest = hashlib.sha256()
    hash_index(digest, cohort_id, index)
    for name in SIGNAL_TABLES:
        if name != "offset":
            digest.update(tables[name].tobytes())
    return digest.hexdigest()


def hash_index(digest: Hash, cohort_id: str, index: pd.DataFrame) -> None:
    """Hash what an index says of the records of a cohort, in order."""
    digest.update(json.dumps(cohort_id).encode())
    columns = [index[name].astype("object").where(index[name].notna(), None) for name in _DECISIVE]
    for row in zip(*columns, strict=True):
        digest.update(json.dumps(row).encode() + b"\n")


SIGNAL_TABLES = ("offset", "length", "rate", "crc32", "gain", "baseline")
"""Numbers that belong to each record, beside its counts; their order decides the fingerprint."""

_DECISIVE = ("record_id", "patient_id", "age", "sex", "fold", "statements", "report")

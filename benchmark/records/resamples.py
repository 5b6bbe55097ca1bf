"""The resampled figures of a cell, beside its record: ``<cohort>.resamples.npz``.

From them follow differences between models and between cohorts, with their intervals, without the model and
without the cohort. Files of earlier versions have the AUPRC of the macro average alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmark.files import refusing, write_atomically
from benchmark.metrics.cell.evaluation import Drawn, Resampled
from benchmark.metrics.intervals import Values, percentile_interval, variance
from benchmark.records.npz import names_in, read_npz, read_stored, shape_of
from benchmark.records.record import ResultRecord, save_record
from cohorts.errors import LeadboardError

CellName = tuple[str, str, str]
"""Model, protocol, cohort."""

Draws = Mapping[CellName, Resampled]
"""The resampled figures of the cells of a run."""

ALWAYS = ("macro_auroc", "macro_auprc", "auroc")
"""Arrays of every file, beside its key."""

COLUMNS = 16

TOLERANCE = 1e-9

MOST_BYTES = 2**28
"""Unpacked: many times what the most resamples of every concept take."""


READERS = 2
"""Files that are read at once: checksums and variances, which take most of the time, need no interpreter."""

KEPT = 4
"""Cells of which one metric of every concept stays in memory once asked for: of the two that are compared."""


def name_of(record: ResultRecord) -> CellName:
    """Name the cell of a record."""
    return record.model.name, record.protocol, record.cohort.id


def resamples_path(record: Path) -> Path:
    """Path of the resamples that belong to the record at a path."""
    return record.with_suffix(".resamples.npz")


def resamples_key(record: ResultRecord) -> str:
    """Hash what decides the resampled figures of a cell; anyone can compute it again from the record."""
    evaluation = record.evaluation
    decides = {
        "predictions": record.predictions.sha256,
        "cohort": record.cohort.fingerprint,
        "ontology": record.ontology.hash,
        "bootstrap": evaluation.bootstrap.model_dump(),
        "counts": {name: (m.n, m.positives) for name, m in evaluation.concepts.items()},
        "macro": evaluation.macro.concepts,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def save_resamples(record: ResultRecord, resampled: Resampled, path: Path) -> None:
    """Write the resampled figures of a record.

    They are not compressed: it would save a seventh of the room and take most of the time of reading them.
    """
    buffer = io.BytesIO()
    arrays = {
        "key": np.array(resamples_key(record)),
        "macro_auroc": resampled.macro_auroc,
        "macro_auprc": resampled.macro_auprc,
        "auroc": resampled.auroc,
    }
    if resampled.auprc is not None:
        arrays["auprc"] = resampled.auprc
    np.savez(buffer, allow_pickle=False, **arrays)
    write_atomically(path, buffer.getvalue())


def save_measured(record: ResultRecord, resampled: Resampled, path: Path) -> None:
    """Write a record and, before it, its resampled figures: where a record is, all is there."""
    save_resamples(record, resampled, resamples_path(path))
    save_record(record, path)


class _Content(NamedTuple):
    """What was read of a file: its macro averages, and shapes and types of all arrays."""

    state: tuple[int, ...]
    key: str
    macro: tuple[Values, Values]
    shapes: list[tuple[tuple[int, ...], str]]
    variances: tuple[float, ...]
    has_auprc: bool


def load_resamples(
    record: ResultRecord, path: Path, content: Callable[[], _Content] | None = None
) -> Resampled:
    """Read the resampled figures of a record and check that they are its own.

    AUROC and AUPRC of every concept are read once more where they are asked for: those of a large run fill
    the memory.

    Parameters
    ----------
    content
        Gives what was read of the file, where that is done elsewhere.

    Raises
    ------
    LeadboardError
        If the file is missing, damaged, of other predictions, labels or settings, or does not give the
        intervals of the record.
    """
    if not path.is_file():
        raise LeadboardError(f"{path.name} is missing; run the cell again to have it")
    with refusing(lambda why: LeadboardError(f"{path.name} is damaged ({why}); run the cell again")):
        found = content() if content else _content(path)
    if found.key != resamples_key(record):
        raise LeadboardError(f"{path.name} is of other predictions, labels or settings; run the cell again")
    evaluation = record.evaluation
    drawn, concepts = evaluation.bootstrap.resamples, evaluation.macro.concepts
    macro, each = ((drawn,), "float64"), ((drawn, len(concepts)), "float32")
    if found.shapes != [macro, macro, each, each][: len(found.shapes)]:
        raise LeadboardError(f"{path.name} is of another shape than its record says; run the cell again")
    for values, estimate in zip(found.macro, (evaluation.macro.auroc, evaluation.macro.auprc), strict=True):
        interval = percentile_interval(values, evaluation.bootstrap.level)
        if estimate.low is None or estimate.high is None:
            continue
        if interval is None or not np.allclose(interval, (estimate.low, estimate.high), 0, TOLERANCE):
            raise LeadboardError(f"{path.name} does not give the intervals of its record; run the cell again")
    return Resampled(
        *found.macro,
        concepts,
        drawn=partial(_read_again, path, found.state, "auroc"),
        variances=found.variances,
        drawn_auprc=partial(_read_again, path, found.state, "auprc") if found.has_auprc else None,
    )


class ReadAhead:
    """Reads files of resamples, two at once, while records are parsed or others checked."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(READERS)
        self._begun: dict[Path, Future[_Content]] = {}

    def __enter__(self) -> ReadAhead:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def begin(self, path: Path) -> None:
        """Begin to read a file, unless that was begun; whether it is there and whole is told by `load`."""
        if path not in self._begun:
            self._begun[path] = self._pool.submit(_content, path)

    def load(self, record: ResultRecord, path: Path) -> Resampled:
        """Do what `load_resamples` does, once."""
        self.begin(path)
        return load_resamples(record, path, self._begun.pop(path).result)


def _content(path: Path) -> _Content:
    """Read a file and compare its checksums; whatever is raised here is for `refusing` to catch."""
    state = _state(path)
    found = read_npz(path, MOST_BYTES, ("key", *ALWAYS))
    macro_auroc, macro_auprc, auroc = arrays = [found[name] for name in ALWAYS]
    shapes = [(array.shape, array.dtype.name) for array in arrays]
    has_auprc = "auprc" in names_in(path)
    shapes += [shape_of(path, "auprc")] if has_auprc else []
    variances = tuple(_variances(auroc)) if auroc.ndim == 2 else ()
    return _Content(state, str(found["key"]), (macro_auroc, macro_auprc), shapes, variances, has_auprc)


def _variances(drawn: Drawn) -> Iterator[float]:
    """Variance of each column, a few at a time: all of them as float64 would not stay in the cache."""
    for start in range(0, drawn.shape[1], COLUMNS):
        columns = drawn[:, start : start + COLUMNS].T.astype(np.float64, order="C")
        if len(drawn) < 2 or np.isnan(columns).any():
            yield from map(variance, columns)
        else:
            yield from np.var(columns, axis=1, ddof=1).tolist()


@lru_cache(maxsize=KEPT)
def _read_again(path: Path, state: tuple[int, ...], metric: str) -> Drawn:
    """Read one metric of every concept again from a file that was checked; threads may do so at once."""
    try:
        if _state(path) != state:
            raise ValueError("it is another file")
        drawn: Drawn = read_stored(path, metric)
    except (OSError, ValueError, KeyError, struct.error, zipfile.BadZipFile):
        raise LeadboardError(
            f"{path.name} was replaced while it was read; give the command once more."
        ) from None
    drawn.setflags(write=False)
    return drawn


def _state(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns

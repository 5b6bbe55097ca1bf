"""The resampled figures of a cell, beside its record: ``<cohort>.resamples.npz``.

From them follow differences between models and between cohorts, with their intervals, without the model and
without the cohort.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmark.files import refusing, write_atomically
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.intervals import percentile_interval, variance
from benchmark.records.npz import read_npz
from benchmark.records.record import ResultRecord, save_record
from cohorts.errors import LeadboardError

CellName = tuple[str, str, str]
"""Model, protocol, cohort."""

Draws = Mapping[CellName, Resampled]
"""The resampled figures of the cells of a run."""

TOLERANCE = 1e-9

MOST_BYTES = 2**28
"""Unpacked: many times what the most resamples of every concept take."""


KEPT = 24
"""Cells whose AUROCs stay in memory once asked for: those of one model on all cohorts, mostly."""


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
    """Write the resampled figures of a record."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        key=np.array(resamples_key(record)),
        macro_auroc=resampled.macro_auroc,
        macro_auprc=resampled.macro_auprc,
        auroc=resampled.auroc,
    )
    write_atomically(path, buffer.getvalue())


def save_measured(record: ResultRecord, resampled: Resampled, path: Path) -> None:
    """Write a record and, before it, its resampled figures: where a record is, all is there."""
    save_resamples(record, resampled, resamples_path(path))
    save_record(record, path)


def load_resamples(record: ResultRecord, path: Path) -> Resampled:
    """Read the resampled figures of a record and check that they are its own.

    The AUROC of every concept is read once more where it is asked for: those of a large run fill the memory.

    Raises
    ------
    LeadboardError
        If the file is missing, damaged, of other predictions, labels or settings, or does not give the
        intervals of the record.
    """
    if not path.is_file():
        raise LeadboardError(f"{path.name} is missing; run the cell again to have it")
    with refusing(lambda why: LeadboardError(f"{path.name} is damaged ({why}); run the cell again")):
        state = _state(path)
        found = read_npz(path, MOST_BYTES)
        key = str(found["key"])
        macro_auroc, macro_auprc, auroc = (found[name] for name in ("macro_auroc", "macro_auprc", "auroc"))
    if key != resamples_key(record):
        raise LeadboardError(f"{path.name} is of other predictions, labels or settings; run the cell again")
    evaluation = record.evaluation
    drawn, concepts = evaluation.bootstrap.resamples, evaluation.macro.concepts
    shapes = [(drawn,), (drawn,), (drawn, len(concepts))]
    kinds = [np.float64, np.float64, np.float32]
    arrays = (macro_auroc, macro_auprc, auroc)
    if [array.shape for array in arrays] != shapes or [array.dtype for array in arrays] != kinds:
        raise LeadboardError(f"{path.name} is of another shape than its record says; run the cell again")
    for values, estimate in zip(arrays, (evaluation.macro.auroc, evaluation.macro.auprc), strict=False):
        interval = percentile_interval(values, evaluation.bootstrap.level)
        if estimate.low is None or estimate.high is None:
            continue
        if interval is None or not np.allclose(interval, (estimate.low, estimate.high), 0, TOLERANCE):
            raise LeadboardError(f"{path.name} does not give the intervals of its record; run the cell again")
    variances = tuple(variance(column) for column in auroc.T.astype(np.float64, order="C"))
    return Resampled(macro_auroc, macro_auprc, concepts, partial(_auroc, path, state), variances)


@lru_cache(maxsize=KEPT)
def _auroc(path: Path, state: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Read the AUROCs again from a file that was checked."""
    changed = LeadboardError(f"{path.name} was replaced while it was read; give the command once more.")
    with refusing(lambda _: changed):
        if _state(path) != state:
            raise changed
        auroc: npt.NDArray[np.float32] = read_npz(path, MOST_BYTES)["auroc"]
    auroc.setflags(write=False)
    return auroc


def _state(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_ino, facts.st_size, facts.st_mtime_ns

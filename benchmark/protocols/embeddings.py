"""Features of a whole cohort, computed once for a model's weights and kept in the cache."""

from __future__ import annotations

import functools
import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.files import sweep, write_atomically
from benchmark.models.contract import Encoder, Floats, Model
from benchmark.models.model_card import ModelCard
from benchmark.models.model_files import ModelFiles
from benchmark.models.worker.standalone import hash_of_file
from benchmark.progress import Callback
from benchmark.protocols.batches import BatchSize
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.inference import array_of
from benchmark.protocols.precision import ScoringPrecision, asked_in
from benchmark.protocols.rooms import SCORE_ROOMS
from benchmark.protocols.shards import Arrays, Shards
from cohorts.errors import LeadboardError, ModelError
from cohorts.hashing import code_hash, hash_of_json
from cohorts.locks import alone
from cohorts.store import Store

logger = logging.getLogger("leadboard")

FILES = ("features.npy", "starts.npy")

_UNREADABLE = (OSError, ValueError, KeyError, TypeError)

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Features of the windows of all records of a store, in order.

    Attributes
    ----------
    features
        float32 ``[windows, features]``, on disk.
    starts
        int64 ``[records + 1]``: the windows of record r are ``starts[r]`` to ``starts[r + 1]``.
    seconds
        How long it took to compute them.
    batch_size
        Windows that the model was asked about at once.
    """

    features: Floats
    starts: npt.NDArray[np.int64]
    seconds: float
    batch_size: int

    def first_windows(self, positions: Rows) -> Floats:
        """Features of the first window of each record: float32 ``[records, features]``."""
        return np.asarray(self.features[self.starts[positions]], dtype=np.float32)

    def in_memory(self) -> Embeddings:
        """Give the same without its file."""
        return Embeddings(np.array(self.features), self.starts, self.seconds, self.batch_size)

    def share(self, positions: Rows) -> float:
        """Seconds that these records' part of the work took, on average."""
        return self.seconds * len(positions) / max(1, len(self.starts) - 1)


def embeddings_key(weights: str, card: ModelCard, store: Store) -> str:
    """Hash of everything that decides the features.

    Parameters
    ----------
    weights
        A hash of the model's code and of the weights that it has.
    """
    made_from = [weights, card.input.model_dump(mode="json"), store.recordings, code_hash(*SCORE_ROOMS)]
    return hash_of_json(made_from)


def embed_store(
    model: Callable[[], Model],
    records: PreparedRecords,
    folder: Path,
    hardware: Hardware,
    progress: Callback | None = None,
    files: ModelFiles | None = None,
    precision: ScoringPrecision = "float32",
) -> Embeddings:
    """Embed all records of a store, or open what an earlier call computed; what is damaged is made again.

    Parameters
    ----------
    model
        Gives the model; called only if there is something to compute.
    records
        All of the store, as the model asks for them.
    folder
        Where they lie or will lie; complete once ``made.json`` is there.
    files
        Those that the model reads.
    precision
        In which the model computes.

    Raises
    ------
    ModelError
        If the model raises or its features are not finite numbers of one shape.
    """
    if (found := _kept(folder)) is not None:
        return found
    with alone(folder / ".lock", f"computing the features in {folder}"):
        if (found := _kept(folder)) is None:
            sweep((folder,))
            asked = model()
            compute = functools.partial(_features, asked, BatchSize(hardware, asked), hardware, precision)
            _embed(compute, records, folder, progress, files or ModelFiles())
    return found or _opened(folder)


def embed_shard(
    model: Callable[[], Model],
    records: PreparedRecords,
    folder: Path,
    hardware: Hardware,
    start: int,
    files: ModelFiles,
    precision: ScoringPrecision,
) -> None:
    """Compute one shard of what `embed_store` puts together, and keep it where that looks for it.

    Parameters
    ----------
    start
        First record of the shard.

    Raises
    ------
    ModelError
        As `embed_store`.
    """
    if not (folder / "made.json").is_file():
        asked = model()
        compute = functools.partial(_features, asked, BatchSize(hardware, asked), hardware, precision)
        Shards(folder / "shards", files).shard(records, start, compute)


def _kept(folder: Path) -> Embeddings | None:
    """Open what an earlier call computed, if it is whole; what is damaged is removed, and that is said."""
    made = folder / "made.json"
    if not made.is_file():
        return None
    try:
        return _opened(folder)
    except _UNREADABLE as error:
        logger.warning("The features in %s are damaged (%s); they are made again.", folder, error)
        made.unlink(missing_ok=True)
        return None


def _opened(folder: Path) -> Embeddings:
    """Open what was computed, after comparing it with what was written."""
    made = json.loads((folder / "made.json").read_bytes())
    for name in FILES:
        if hash_of_file(folder / name)[0] != made["sha256"][name]:
            raise ValueError(f"{name} is not what was written")
    features, starts = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in FILES)
    return Embeddings(features, np.array(starts), float(made["seconds"]), int(made["batch_size"]))


def _embed(
    compute: Callable[[PreparedRecords, Callback], Arrays],
    records: PreparedRecords,
    folder: Path,
    progress: Callback | None,
    files: ModelFiles,
) -> None:
    shards = Shards(folder / "shards", files)
    partial = folder / "features.partial"
    windows, seconds, batch_size = [], 0.0, 0
    width: int | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            for shard in shards.of(records, compute, progress):
                features = checked_features(shard["features"], len(shard["features"]), width)
                width = features.shape[1]
                file.write(features.tobytes())
                windows.append(shard["windows"])
                seconds, batch_size = seconds + float(shard["seconds"]), int(shard["batch_size"])
        counts = np.concatenate(windows)
        _finish(partial, folder / "features.npy", (int(counts.sum()), width or 0))
        np.save(folder / "starts.npy", np.concatenate([[0], np.cumsum(counts)]), allow_pickle=False)
    except OSError as error:
        raise LeadboardError(
            f"The embeddings cannot be written to {folder} ({error.strerror}); free some space."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    hashes = {name: hash_of_file(folder / name)[0] for name in FILES}
    made = {"seconds": seconds, "batch_size": batch_size, "sha256": hashes}
    write_atomically(folder / "made.json", json.dumps(made) + "\n")
    shutil.rmtree(folder / "shards", ignore_errors=True)


def _features(
    model: Model,
    size: BatchSize,
    hardware: Hardware,
    precision: ScoringPrecision,
    records: PreparedRecords,
    progress: Callback,
) -> Arrays:
    """Embed some records: ``features [windows, width]``, and how many ``windows`` each record has."""
    windows = np.zeros(len(records), dtype=np.int64)
    found: list[Floats] = []
    ask = asked_in(precision, hardware.device, functools.partial(_embedded, model))
    for batch, rows in records.window_batches(size.read):
        for some, answer in size.answers("embed", model, ask, batch):
            width = found[0].shape[1] if found else None
            found.append(checked_features(answer, len(rows[some]), width))
        np.add.at(windows, rows, 1)
        progress(int(rows[-1]) + 1, len(records))
    features = np.concatenate(found) if found else np.empty((0, 0), np.float32)
    return {"features": features, "windows": windows, "batch_size": np.array(size.used)}


def _finish(raw: Path, path: Path, shape: tuple[int, int]) -> None:
    """Put the header of a NumPy file before raw values, a piece at a time."""
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        with raw.open("rb") as values:
            while piece := values.read(1 << 24):
                file.write(piece)


def _embedded(model: Model, batch: Any) -> Any:
    if not isinstance(model, Encoder):
        raise ModelError(f"{type(model).__name__} has no 'embed'.")
    return model.embed(batch)


def checked_features(answer: Any, records: int, width: int | None) -> Floats:
    """Check what ``embed`` returned.

    Raises
    ------
    ModelError
        If it is not one row of finite numbers a record, as wide as in the batches before.
    """
    features = array_of(answer, "embed")
    if not np.issubdtype(features.dtype, np.floating):
        raise ModelError(f"embed returned {features.dtype} instead of floating point numbers.")
    if features.ndim != 2 or len(features) != records or features.shape[1] != (width or features.shape[1]):
        expected = f"({records}, {width or 'features'})"
        raise ModelError(f"embed returned features of shape {features.shape} instead of {expected}.")
    with np.errstate(over="ignore"):
        features = np.ascontiguousarray(features, dtype="<f4")
    bad = int(np.count_nonzero(~np.isfinite(features)))
    if bad:
        raise ModelError(f"embed returned {bad} NaN or infinite features in one batch.")
    return features

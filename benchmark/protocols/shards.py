"""What a long pass over a cohort has computed so far, kept so that a kill costs minutes and not the pass."""

from __future__ import annotations

import io
import logging
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from benchmark.files import write_atomically
from benchmark.models.model_files import ModelFile, ModelFiles
from benchmark.progress import Callback
from benchmark.protocols.harmonise import PreparedRecords

logger = logging.getLogger("leadboard")

SIZE = 16_384
"""Records of a shard: a multiple of the usual batch sizes, so that batches are what they would be without."""

Arrays: TypeAlias = Mapping[str, npt.NDArray[Any]]

_FILES = TypeAdapter(tuple[ModelFile, ...])
_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


def shard_starts(records: int) -> range:
    """Give the first record of each shard of a pass over so many."""
    return range(0, max(1, records), SIZE)


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of one pass.

    Attributes
    ----------
    folder
        Where they lie; its name says what decides them. None to keep nothing.
    files
        Those that the model reads: with other weights, earlier shards are not those of this model.
    """

    folder: Path | None
    files: ModelFiles

    def of(
        self,
        records: PreparedRecords,
        compute: Callable[[PreparedRecords, Callback], Arrays],
        progress: Callback | None = None,
    ) -> Iterator[Arrays]:
        """Give what is computed of the records, shard by shard; see `shard`."""
        for start in shard_starts(len(records)):
            yield self.shard(records, start, compute, progress)

    def shard(
        self,
        records: PreparedRecords,
        start: int,
        compute: Callable[[PreparedRecords, Callback], Arrays],
        progress: Callback | None = None,
    ) -> Arrays:
        """Give what is computed of the records of one shard, now or earlier, and the ``seconds`` it took.

        A pass of one shard leaves no file.

        Parameters
        ----------
        start
            One of `shard_starts`.
        compute
            Gives arrays of some records; the first axis of one may be records or windows.
        """
        tell = progress or (lambda done, of: None)
        part = records.part(start, start + SIZE)
        path = None if self.folder is None or len(records) <= SIZE else self.folder / f"{start}.npz"
        kept = path and self._kept(path)
        if kept:
            if len(part):
                tell(start + len(part), len(records))
            return kept
        began = time.perf_counter()
        computed = compute(part, lambda done, _: tell(start + done, len(records)))
        found = {**computed, "seconds": np.array(time.perf_counter() - began)}
        if path is not None:
            self._keep(path, found)
        return found

    def _keep(self, path: Path, arrays: Arrays) -> None:
        read = np.frombuffer(_FILES.dump_json(self.files.now()), np.uint8)
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, files=read, **arrays)
        write_atomically(path, content.getvalue())

    def _kept(self, path: Path) -> Arrays | None:
        if not path.is_file():
            return None
        try:
            content = io.BytesIO(path.read_bytes())
            with np.load(content, allow_pickle=False) as file:  # its members have checksums
                found = {name: file[name] for name in file.files}
            read = _FILES.validate_json(found.pop("files").tobytes())
        except _UNREADABLE as error:
            logger.warning("A part of a pass in %s is damaged (%s) and is computed again.", path, error)
            return None
        if not self.files.are_still(read):
            return None
        # Nobody may ask the model again in this process, and its result is to name them.
        self.files.reported.update({file.path: file for file in read})
        return found

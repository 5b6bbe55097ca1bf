"""Data files that the code of a model opens, such as weights beside it, and whether they have changed.

Files that are opened while a model is made are part of the hash of its code. Those that are opened later,
such as with the first batch, are only known afterwards: they are noted in the cache, and once one of them has
changed the model has another hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from benchmark.files import write_atomically
from benchmark.models.worker.standalone import OpenedFiles, hash_of_file, located
from cohorts.errors import LeadboardError
from cohorts.hashing import ROOT, hash_of_json

logger = logging.getLogger("leadboard")

SUITE = (ROOT / "benchmark", ROOT / "cohorts")


class ModelFile(BaseModel):
    """A file as the code of a model has opened it.

    Attributes
    ----------
    path
        Relative to the folder of the model's file or package; ``~`` stands for the home folder.
    size
        In bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    sha256: str
    size: int


class Origin(BaseModel):
    """What a model was before it learnt anything for the cell.

    Attributes
    ----------
    code
        Hash of its Python files and of the data files that these open; of a model that was handed over as an
        object, which nobody can hash, a number that no other has.
    weights
        Hash of the published weights that it starts from, None where it starts from others or from none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    weights: str | None


_LIST = TypeAdapter(tuple[ModelFile, ...])


@dataclass
class ModelFiles:
    """The files of one model.

    Attributes
    ----------
    folder
        What their paths are relative to.
    opened
        Those that were opened in this process.
    reported
        Those that a worker has reported, by their paths.
    at_start
        Those that were opened while the model was found and made for the first time.
    """

    folder: Path = Path()
    opened: OpenedFiles | None = None
    reported: dict[str, ModelFile] = field(default_factory=dict)
    at_start: tuple[ModelFile, ...] = ()

    def now(self) -> tuple[ModelFile, ...]:
        """All files that were opened so far, with what they hold now."""
        here = [] if self.opened is None else map(ModelFile.model_validate, self.opened.hashed())
        found = self.reported | {file.path: file for file in here}
        return tuple(found[path] for path in sorted(found))

    def are_still(self, recorded: Iterable[ModelFile]) -> bool:
        """Whether the model would open the files of an earlier result, and they hold what they held then."""
        earlier = {file.path: file.sha256 for file in recorded}
        start = {file.path: file.sha256 for file in self.at_start}
        now = {path: self._sha256(path) for path in earlier} | start
        return now == earlier

    @contextlib.contextmanager
    def watched(self, cache: Path | None = None) -> Iterator[None]:
        """Note which files are opened meanwhile; those in the suite's cache are its own."""
        if self.opened is None:
            yield
            return
        if cache is not None:
            self.opened.skip(cache)
        with self.opened:
            yield

    def note_later_ones(self, notes: Path) -> None:
        """Add the files that were not opened at the start to a file of notes; what stands there stays.

        Unless it is damaged: it cannot be added to, and is replaced.
        """
        start = {file.path for file in self.at_start}
        noted = {file.path: file for file in self.now() if file.path not in start}
        with contextlib.suppress(_DamagedError):
            noted |= {file.path: file for file in _noted(notes)}
        if noted:
            write_atomically(notes, _LIST.dump_json(tuple(noted.values()), indent=2))

    def changed_since(self, notes: Path) -> list[tuple[str, str | None]]:
        """Path and hash of every noted file that holds something else now; None for one that is gone.

        Nobody can tell of damaged notes: they are taken for a changed file themselves, and that is logged.
        """
        try:
            noted = _noted(notes)
        except _DamagedError as error:
            logger.warning("%s is damaged, and counts as a changed file of the model.", notes)
            return [(notes.name, str(error))]
        now = [(file, self._sha256(file.path)) for file in noted]
        return [(file.path, sha256) for file, sha256 in now if sha256 != file.sha256]

    def _sha256(self, path: str) -> str | None:
        file = located(path, self.folder)
        return hash_of_file(file)[0] if file.is_file() else None


def hash_with_files(code_hash: str, files: Iterable[ModelFile]) -> str:
    """Hash code together with the files that it opened, of which there may be none."""
    content = [(file.path, file.sha256) for file in files]
    return hash_of_json([code_hash, content]) if content else code_hash


def hash_with_later_files(code_hash: str, files: ModelFiles, folder: Path) -> str:
    """Hash code together with those noted files that have changed (see `notes_of`)."""
    while changed := files.changed_since(notes_of(folder, code_hash)):
        code_hash = hash_of_json([code_hash, changed])
    return code_hash


def notes_of(folder: Path, code_hash: str) -> Path:
    """Where files are noted that code of this hash opens after its start."""
    return folder / f"{code_hash[:32]}.json"


class _DamagedError(Exception):
    """Notes that cannot be read; the message is a hash of what stands there."""


def _noted(notes: Path) -> tuple[ModelFile, ...]:
    try:
        content = notes.read_bytes()
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise LeadboardError(f"{notes} cannot be read ({error.strerror}); delete it and run again.") from None
    try:
        return _LIST.validate_json(content)
    except ValidationError:
        raise _DamagedError(hashlib.sha256(content).hexdigest()) from None

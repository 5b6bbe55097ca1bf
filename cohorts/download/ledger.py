"""What was verified already, so that a second run neither fetches nor hashes it again.

One JSON list a line, only ever appended: a process that is killed loses at most its last line,
and a line that cannot be read only means that its file is looked at once more.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock

from pydantic import TypeAdapter

from cohorts.download.disk import disk_errors, size_of
from cohorts.download.listing import RemoteFile
from cohorts.errors import LeadboardError, UsageError

Known = Mapping[str, Sequence[RemoteFile]]
"""What is in place of files, by path: the file itself, or what was in the archive."""

_LINE = TypeAdapter(tuple[RemoteFile, list[RemoteFile]])


Add = Callable[[RemoteFile, Sequence[RemoteFile]], None]
"""Notes that a file is verified, and what is in place of it."""


@contextmanager
def open_ledger(path: Path) -> Iterator[Add]:
    """Open a ledger for appending; UsageError if another process is at it."""
    lock = Lock()

    def add(verified: RemoteFile, pieces: Sequence[RemoteFile]) -> None:
        with lock:
            file.write(json.dumps((verified, pieces)) + "\n")
            file.flush()

    with ExitStack() as stack:
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = stack.enter_context(path.open("a", encoding="utf-8"))
            try:
                # The kernel lets go of it when the process ends, in whatever way.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = f"Another process is downloading to {path.parent}; wait until it is done."
                raise UsageError(text) from None
        if file.tell():
            file.write("\n")  # ends a line that a killed process left torn
        yield add


def read_ledger(path: Path, root: Path, files: Mapping[str, RemoteFile]) -> Known:
    """Give what is in place of a release's ``files`` below ``root``; only sizes are looked at again."""
    known: dict[str, Sequence[RemoteFile]] = {}
    if path.is_file():
        with disk_errors(path), path.open("rb") as lines:
            for line in lines:
                with suppress(ValueError, LeadboardError):
                    file, pieces = _LINE.validate_json(line)
                    same = file.path in files and files[file.path].sum == file.sum
                    if same and pieces and all(size_of(root / piece.path) == piece.size for piece in pieces):
                        known[file.path] = pieces
    return known

"""What was verified already, so that a second run neither fetches nor hashes it again.

One JSON list a line, only ever appended: a process that is killed loses at most its last line,
and a line that cannot be read only means that its file is looked at once more.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from threading import Lock
from typing import TextIO

from pydantic import TypeAdapter

from cohorts.download.disk import disk_errors, size_of
from cohorts.download.listing import RemoteFile, Row
from cohorts.errors import LeadboardError, UsageError

_LINE: TypeAdapter[tuple[Row, list[Row]]] = TypeAdapter(tuple[Row, list[Row]])


class Ledger:
    """The record of one release's folder, open for writing in this process alone."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, Lock()

    def add(self, file: RemoteFile, pieces: Sequence[RemoteFile]) -> None:
        """Note that a file is verified and what is in place of it: itself, or what was in the archive."""
        with self._lock:
            self._file.write(json.dumps([astuple(file), [astuple(piece) for piece in pieces]]) + "\n")
            self._file.flush()


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open a ledger for appending, and keep other processes out (UsageError if there is one)."""
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
        yield Ledger(file)


def read_ledger(path: Path, root: Path, files: Mapping[str, RemoteFile]) -> dict[str, list[RemoteFile]]:
    """Give what is in place of files of a release, by path; only its sizes are compared with the disk.

    Parameters
    ----------
    root
        The release's folder.
    files
        What the release consists of, by path.
    """
    known: dict[str, list[RemoteFile]] = {}
    if path.is_file():
        with path.open("rb") as lines:
            for line in lines:
                with suppress(ValueError, LeadboardError):
                    (name, digest, *_), rows = _LINE.validate_json(line)
                    pieces = [RemoteFile(*row) for row in rows]
                    same = name in files and files[name].sum == digest
                    if same and pieces and all(size_of(root / piece.path) == piece.size for piece in pieces):
                        known[name] = pieces
    return known

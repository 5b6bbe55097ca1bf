"""What was verified already, so that a second run neither fetches nor hashes it again.

One JSON object a line, only ever appended: a process that is killed loses at most its last line,
and a line that cannot be read only means that its file is looked at once more.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TextIO

from cohorts.download.listing import RemoteFile
from cohorts.errors import LeadboardError, UsageError


@dataclass(frozen=True, slots=True)
class Member:
    """A file that was unpacked from an archive: path below the release's folder, bytes, ``sha256:...``."""

    path: str
    size: int
    sum: str


@dataclass(frozen=True, slots=True)
class Known:
    """What a ledger says about the files of a release that are still there with their size.

    Attributes
    ----------
    verified
        Sizes of files, by path.
    unpacked
        Members of archives, all of them in place, by the archive's path.
    """

    verified: dict[str, int] = field(default_factory=dict)
    unpacked: dict[str, list[Member]] = field(default_factory=dict)


class Ledger:
    """The record of one release's folder, open for writing in this process alone."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lock = Lock()

    def add(self, file: RemoteFile, size: int) -> None:
        """Note that a file is in place and verified."""
        self._append({"path": file.path, "sum": file.sum, "size": size})

    def add_unpacked(self, archive: RemoteFile, members: list[Member]) -> None:
        """Note that an archive was verified and all of its members are in place."""
        contents = [[member.path, member.size, member.sum] for member in members]
        self._append({"archive": archive.path, "sum": archive.sum, "members": contents})

    def _append(self, line: dict[str, Any]) -> None:
        text = json.dumps(line) + "\n"
        with self._lock:
            self._file.write(text)
            self._file.flush()


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open a ledger for appending, and keep other processes out.

    Raises
    ------
    UsageError
        If another process is at it.
    LeadboardError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
    except OSError as error:
        raise LeadboardError(f"Cannot write {path}: {error.strerror}; choose another folder.") from None
    with file:
        try:
            # The kernel lets go of it when the process ends, in whatever way.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"Another process is downloading to {path.parent}; wait until it is done."
            ) from None
        if file.tell():
            file.write("\n")  # ends a line that a killed process left torn
        yield Ledger(file)


def read_ledger(path: Path, root: Path, files: Mapping[str, RemoteFile]) -> Known:
    """Compare a ledger with what is on disk now; only sizes are looked at.

    Parameters
    ----------
    root
        The release's folder.
    files
        What the release consists of, by path.
    """
    known = Known()
    if not path.is_file():
        return known
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            entry = _entry(line)
            file = files.get(str(entry.get("path", entry.get("archive"))))
            if file is None or entry.get("sum") != file.sum:
                continue
            if "archive" not in entry:
                size = size_of(root / file.path)
                if size is not None and size == entry.get("size"):
                    known.verified[file.path] = size
                continue
            members = _members(entry.get("members"))
            if members and all(size_of(root / member.path) == member.size for member in members):
                known.unpacked[file.path] = members
    return known


def size_of(path: Path) -> int | None:
    """Size of a regular file, or None if there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _entry(line: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _members(contents: object) -> list[Member]:
    try:
        return [Member(str(path), int(size), str(digest)) for path, size, digest in contents]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return []

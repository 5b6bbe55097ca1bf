"""The disk's side of a download: names, sums, room, and what the system says of a file in a sentence."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

from cohorts.errors import LeadboardError

CHUNK = 1 << 20
PART, WRONG, ASIDE = ".part", ".wrong-sum", ".set-aside"
"""Ends of names: of what is not complete, was fetched wrong, or lay there and is wrong."""


class FileError(Exception):
    """One file cannot be had or not be used; the others go on."""


class StoppedError(Exception):
    """The download was stopped from outside."""


class Meter:
    """Counts the bytes that all threads of a download have done, and is how they are stopped."""

    def __init__(self, total: int = 0, progress: Callable[[int, int], None] | None = None) -> None:
        self._done, self._total, self._progress = 0, total, progress
        self._lock, self._stopped = Lock(), Event()

    def count(self, size: int) -> None:
        """Note that more bytes are done; less than 0 where some have to be done again."""
        with self._lock:
            self._done += size
            if self._progress is not None:
                self._progress(max(0, self._done), max(self._total, self._done))

    def stop(self) -> None:
        """Let every thread end at its next look."""
        self._stopped.set()

    def wait(self, seconds: float = 0.0) -> None:
        """Sleep for some seconds; StoppedError as soon as the download is stopped."""
        if self._stopped.wait(seconds):
            raise StoppedError


def has_sum(path: Path, expected: str, meter: Meter, *, counted: bool = True) -> bool:
    """Whether a file has the sum that it should have, ``"sha256:..."`` or ``"md5:..."``."""
    kind, _, wanted = expected.partition(":")
    digest = hashlib.new(kind, usedforsecurity=False)
    with disk_errors(path), path.open("rb") as file:
        while chunk := file.read(CHUNK):
            meter.wait()
            digest.update(chunk)
            if counted:
                meter.count(len(chunk))
    return digest.hexdigest() == wanted


def beside(path: Path, suffix: str) -> Path:
    """Give the path with something more at the end of its name."""
    return path.with_name(path.name + suffix)


def size_of(path: Path) -> int | None:
    """Size of a regular file, or None if there is none."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def free_space(folder: Path) -> int:
    """Bytes free where a folder is or would be."""
    return shutil.disk_usage(
        next(path for path in (folder, *folder.absolute().parents) if path.exists())
    ).free


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise what the system says of a file as a LeadboardError, the full disk above all."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise LeadboardError(
                f"The disk is full: {path} does not fit into the {free_space(path.parent):,} bytes that are "
                "free; what was fetched is kept, free some space and run the same command again."
            ) from None
        raise LeadboardError(f"Cannot use {error.filename or path}: {error.strerror or error}.") from None

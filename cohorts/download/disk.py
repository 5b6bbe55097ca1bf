"""The files of a release, and the disk's side of them: safe paths, sums, room, errors in a sentence."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Event, Lock
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field

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
        self._done, self._total, self._progress = 0, total, progress or (lambda done, total: None)
        self._lock, self.stopped = Lock(), Event()

    def count(self, size: int) -> None:
        """Note that more bytes are done; less than 0 where some have to be done again."""
        with self._lock:
            self._done += size
            self._progress(max(0, self._done), max(self._total, self._done))

    def wait(self, seconds: float = 0.0) -> None:
        """Sleep for some seconds; StoppedError as soon as the download is stopped."""
        if self.stopped.wait(seconds):
            raise StoppedError


def is_safe(path: str) -> bool:
    """Whether a path stays in its folder on every system, and is none of our own names."""
    return (
        path.isprintable()
        and not any(part in ("", ".", "..") or part != part.strip() for part in path.split("/"))
        and all(len(part.encode()) <= 240 for part in path.split("/"))
        and "\\" not in path
        and not re.match("[A-Za-z]:", path)
        and not path.endswith((PART, WRONG, ASIDE))
    )


def known_sum(text: str) -> str:
    """Give a sum in lower case; LeadboardError if it is neither md5 nor sha256."""
    if not re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", text.lower()):
        raise LeadboardError(f"The publisher's list has {text[:80]!a} where an md5 or sha256 sum should be")
    return text.lower()


Size = Annotated[int, Field(ge=0, lt=1 << 62)]


class RemoteFile(NamedTuple):
    """A file of a release: where it goes below the release's folder, and lies below the publisher's address.

    Its sum is ``"sha256:..."`` or ``"md5:..."``; its size is None where the list does not say.
    """

    path: str
    sum: Annotated[str, AfterValidator(known_sum)]
    location: str
    size: Size | None = None


def file_and_folder(paths: Iterable[str]) -> str | None:
    """Find a path that is there twice, or is a file and, by another path, a folder."""
    parts = sorted(path.split("/") for path in paths)
    return next(("/".join(one) for one, after in pairwise(parts) if after[: len(one)] == one), None)


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


def write(path: Path, chunks: Iterable[bytes], meter: Meter, mode: str) -> None:
    """Write a file or its continuation (mode ``"wb"`` or ``"ab"``), and see it on the disk."""
    with path.open(mode) as file:
        for chunk in chunks:
            meter.wait()
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def beside(path: Path, suffix: str) -> Path:
    """Give the path with something more at the end of its name."""
    return path.with_name(path.name + suffix)


def size_of(path: Path) -> int | None:
    """Size of a regular file, or None if there is none."""
    with disk_errors(path):
        return path.stat().st_size if path.is_file() else None


def free_space(folder: Path) -> int:
    """Bytes free where a folder is or would be."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


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

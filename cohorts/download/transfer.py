"""One file: fetched in as many pieces as it takes, verified, and only then given its name."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import requests

from cohorts.download.listing import PART, WRONG, RemoteFile
from cohorts.download.web import CHUNK, AddressError, DeniedError, PassingError, Web, chunks, shown
from cohorts.errors import LeadboardError

ATTEMPTS = 5
"""Attempts at one address that bring nothing new before the next address is tried."""

BACKOFF = 0.5
"""Seconds before the second attempt; twice as long before each further one."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FileError(Exception):
    """One file could not be had, or not be used; the others go on."""


class StoppedError(Exception):
    """The download was stopped from outside."""


def fetch(
    file: RemoteFile,
    target: Path,
    urls: Sequence[str],
    web: Web,
    *,
    most: int,
    stop: Event,
    advance: Callable[[int], None],
) -> int:
    """Fetch a file from the first address that has it, verify it, and move it into place.

    What is there of it from an earlier run is kept, and only the rest is asked for.

    Parameters
    ----------
    target
        Where it belongs; until it is verified it is called ``<name>.part``.
    most
        Bytes to give up at, for a file of unknown size.
    advance
        Told how many more bytes are here; less than 0 where some have to be fetched again.

    Returns
    -------
    int
        Which of the addresses had it.

    Raises
    ------
    FileError
        If no address has it. What has another sum is kept as ``<name>.wrong-sum``.
    DeniedError
        If every address asks for an account.
    LeadboardError
        If the disk is full or cannot be written to.
    """
    part, aside = beside(target, PART), beside(target, WRONG)
    kept = ""
    failures: list[AddressError] = []
    for number, url in enumerate(urls):
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with _Part(part, file.sum, advance) as piece:
                    _receive_all(url, piece, file.size, most, web, stop)
                    if not piece.right and piece.doubtful:
                        piece.restart()
                        _receive_all(url, piece, file.size, most, web, stop)
                if piece.right:
                    part.replace(target)
                    if kept:  # another address had it after all
                        aside.unlink()
                    return number
                part.replace(aside)
                kept = f"; what came is kept as {aside}"
                failures.append(AddressError(f"{shown(url)} has another {file.sum.split(':')[0]} sum"))
            except AddressError as error:
                failures.append(error)
    if all(isinstance(error, DeniedError) for error in failures):
        raise failures[0]
    raise FileError("; ".join(map(str, failures)) + kept)


def has_sum(path: Path, expected: str, stop: Event, advance: Callable[[int], None]) -> bool:
    """Whether a file on disk has the sum that it should have."""
    digest = _hash(expected)
    with disk_errors(path), path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if stop.is_set():
                raise StoppedError
            digest.update(chunk)
            advance(len(chunk))
    return digest.hexdigest() == expected.partition(":")[2]


def beside(path: Path, suffix: str) -> Path:
    """Give the path with something more at the end of its name."""
    return path.with_name(path.name + suffix)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Tell what the system says of a file in a sentence.

    Raises
    ------
    LeadboardError
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise _full(path) from None
        if error.errno is None:  # not the system's: a damaged archive
            raise
        raise LeadboardError(f"Cannot use {error.filename or path}: {error.strerror}.") from None


class _Part:
    """The part of a file that is here already, and its running sum.

    Attributes
    ----------
    doubtful
        Whether pieces of different files may have been joined, or the end may be missing.
    etag
        Which version of the file the server sent last.
    """

    def __init__(self, path: Path, expected: str, advance: Callable[[int], None]) -> None:
        self.path = path
        self.expected = expected
        self.etag = ""
        self._advance = advance

    def __enter__(self) -> Self:
        self._file = self.path.open("a+b", buffering=0)
        self._clear()
        self._file.seek(0)
        while chunk := self._file.read(CHUNK):
            self._count(chunk)
        self.doubtful = self.length > 0
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            os.fsync(self._file.fileno())
        self._file.close()
        if kind is not None or not self.right:
            self._advance(-self.length)
        if kind is not None and not self.length:
            self.path.unlink()

    @property
    def right(self) -> bool:
        return self._digest.hexdigest() == self.expected.partition(":")[2]

    def write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            view = view[self._file.write(view) or 0 :]
        self._count(chunk)

    def restart(self) -> None:
        self._file.truncate(0)
        self._advance(-self.length)
        self._clear()

    def _clear(self) -> None:
        self._digest = _hash(self.expected)
        self.length = 0
        self.doubtful = False

    def _count(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self.length += len(chunk)
        self._advance(len(chunk))


def _receive_all(url: str, piece: _Part, size: int | None, most: int, web: Web, stop: Event) -> None:
    """Go on asking one address until the file is complete."""
    failures, furthest = 0, piece.length
    while True:
        try:
            return _receive(url, piece, size, most, web, stop)
        except PassingError as error:
            # Bytes that were never here before are progress; anything else counts as a failure, so
            # that no server can keep this going for ever.
            grown = piece.length >= furthest + CHUNK
            furthest = max(furthest, piece.length)
            failures = 0 if grown else failures + 1
            if failures == ATTEMPTS:
                raise AddressError(f"{error}, {ATTEMPTS} times") from None
            if stop.wait(error.wait or BACKOFF * 2 ** max(0, failures - 1)):
                raise StoppedError from None


def _receive(url: str, piece: _Part, size: int | None, most: int, web: Web, stop: Event) -> None:
    """Make one request for what is missing."""
    if size is not None and piece.length > size:
        piece.restart()
    if piece.length == size:
        return
    headers = {"Range": f"bytes={piece.length}-"} if piece.length else {}
    if piece.length and piece.etag:
        headers["If-Range"] = piece.etag
    with web.open(url, headers) as response:
        if response.status_code == 416 and piece.length:
            piece.doubtful = True  # nothing comes after what is here: the sum will tell
            return
        _agree_on_start(url, response, piece)
        _check_length(url, response, piece, size)
        etag = response.headers.get("ETag", "")
        piece.etag = etag if etag.startswith('"') else ""  # a weak one does not stand for the bytes
        for chunk in chunks(response):
            if stop.is_set():
                raise StoppedError
            if piece.length + len(chunk) > (most if size is None else size):
                raise AddressError(f"{shown(url)} sends more bytes than the file can have")
            piece.write(chunk)
    if size is not None and piece.length < size:
        raise PassingError(f"{shown(url)} ended early")


def _agree_on_start(url: str, response: requests.Response, piece: _Part) -> None:
    """See to it that the body begins where the part ends."""
    if response.status_code == 200 and piece.length:
        piece.restart()  # the server gives no ranges, or has another version by now
    elif response.status_code != 200:
        start = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if not piece.length or start is None or int(start[1]) != piece.length:
            piece.restart()
            raise PassingError(f"{shown(url)} sent another range than was asked for")
        piece.doubtful = piece.doubtful or not piece.etag


def _check_length(url: str, response: requests.Response, piece: _Part, size: int | None) -> None:
    """Refuse a file of another size before it is fetched, and one that the disk cannot hold."""
    length = response.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit()):
        piece.doubtful = True
        return
    total = piece.length + int(length)
    if size is not None and total != size:
        raise AddressError(f"{shown(url)} offers {total:,} bytes where the publisher lists {size:,}")
    if int(length) > shutil.disk_usage(piece.path.parent).free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(piece.path))


def _full(path: Path) -> LeadboardError:
    folder = next(parent for parent in path.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    return LeadboardError(
        f"The disk is full: {path} does not fit into the {free:,} bytes that are free; "
        "what was fetched is kept, free some space and run the same command again."
    )


def _hash(expected: str) -> hashlib._Hash:
    return hashlib.new(expected.partition(":")[0], usedforsecurity=False)

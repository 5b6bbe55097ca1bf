"""One file: fetched in as many pieces as it takes, verified, and only then given its name."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Sequence
from pathlib import Path

import requests

from cohorts.download.disk import (
    CHUNK,
    PART,
    WRONG,
    FileError,
    Meter,
    beside,
    disk_errors,
    free_space,
    has_sum,
    size_of,
)
from cohorts.download.listing import RemoteFile
from cohorts.download.web import DeniedError, PassingError, Web, chunks, shown

ATTEMPTS = 5
"""Attempts at one address that bring nothing new before the next address is tried."""
BACKOFF = 0.5
"""Seconds before the second attempt; twice as long before each further one."""


def fetch(file: RemoteFile, target: Path, urls: Sequence[str], web: Web, most: int, meter: Meter) -> int:
    """Fetch a file from the first address that has it, verify it, and move it into place.

    What is there of it from an earlier run, as ``<name>.part``, is kept, and only the rest is asked for.
    Without a sum it comes in one piece, and an answer that may have been cut is refused.

    Parameters
    ----------
    most
        Bytes to give up at, for a file of unknown size.

    Returns
    -------
    int
        Which of the addresses had it.

    Raises
    ------
    FileError
        If no address has it (DeniedError: if all of them ask for an account). What has another sum is
        kept as ``<name>.wrong-sum``.
    """
    aside, kept = beside(target, WRONG), ""
    failures: list[FileError] = []
    for number, url in enumerate(urls):
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = _Part(beside(target, PART), file, most, meter)
            try:
                if part.complete(url, web):
                    part.path.replace(target)
                    if kept:  # another address had it after all
                        aside.unlink()
                    return number
                part.path.replace(aside)
                kept = f"; what came is kept as {aside}"
                failures.append(FileError(f"{shown(url)} has another {file.sum.split(':')[0]} sum"))
            except FileError as error:
                failures.append(error)
    if all(isinstance(error, DeniedError) for error in failures):
        raise failures[0]
    raise FileError("; ".join(map(str, failures)) + kept)


class _Part:
    """The part of a file that is here already.

    It is doubtful where it was joined from pieces, which may be of different files, or may lack its end; the
    etag is the version of the file that the server sent last.
    """

    def __init__(self, path: Path, file: RemoteFile, most: int, meter: Meter) -> None:
        self.path, self._file, self._meter = path, file, meter
        self._most = most if file.size is None else file.size
        self._length, self._etag, self._doubtful = size_of(path) or 0, "", False
        meter.count(self._length)

    def complete(self, url: str, web: Web) -> bool:
        """Ask one address for what is missing until all is here; whether it has the right sum."""
        right = False
        try:
            self._persist(url, web)
            right = self._is_right()
            if not right and self._doubtful:
                self._restart()
                self._persist(url, web)
                right = self._is_right()
        finally:
            if not right:
                self._meter.count(-self._length)
        return right

    def _is_right(self) -> bool:
        return not self._file.sum or has_sum(self.path, self._file.sum, self._meter, counted=False)

    def _restart(self) -> None:
        self.path.unlink(missing_ok=True)
        self._meter.count(-self._length)
        self._length, self._doubtful = 0, False

    def _persist(self, url: str, web: Web) -> None:
        """Ask again after what may pass.

        Bytes that were never here before are progress; anything else counts as a failure, so that no
        server can keep this going for ever.
        """
        failures, furthest = 0, self._length
        while True:
            try:
                return self._ask(url, web)
            except PassingError as error:
                failures = 0 if self._length >= furthest + CHUNK else failures + 1
                furthest = max(furthest, self._length)
                if failures == ATTEMPTS:
                    raise FileError(f"{error}, {ATTEMPTS} times") from None
                self._meter.wait(error.wait or BACKOFF * 2 ** max(0, failures - 1))

    def _ask(self, url: str, web: Web) -> None:
        size = self._file.size
        if (size is not None and self._length > size) or not self._file.sum:
            self._restart()
        headers = {}
        if self._length:
            self._doubtful = True
            headers["Range"] = f"bytes={self._length}-"
            if self._length == size:
                return
            if self._etag:
                headers["If-Range"] = self._etag
        with web.open(url, headers) as response:
            if response.status_code == 416 and self._length:
                return  # nothing comes after what is here: the sum will tell
            self._agree_on_start(url, response)
            self._check_length(url, response)
            with self.path.open("ab") as stream:
                for chunk in chunks(response):
                    self._meter.wait()
                    if self._length + len(chunk) > self._most:
                        raise FileError(f"{shown(url)} sends more bytes than the file can have")
                    stream.write(chunk)
                    self._length += len(chunk)
                    self._meter.count(len(chunk))
                stream.flush()
                os.fsync(stream.fileno())
        if size is not None and self._length < size:
            raise PassingError(f"{shown(url)} ended early")

    def _agree_on_start(self, url: str, response: requests.Response) -> None:
        """See to it that the body begins where the part ends."""
        if response.status_code == 200 and self._length:
            self._restart()  # the server gives no ranges, or has another version by now
        elif response.status_code != 200:
            where = response.headers.get("Content-Range", "")
            if not self._length or not where.startswith(f"bytes {self._length}-"):
                self._restart()
                raise PassingError(f"{shown(url)} sent another range than was asked for")
        etag = response.headers.get("ETag", "")
        self._etag = etag if etag.startswith('"') else ""  # a weak one does not stand for the bytes

    def _check_length(self, url: str, response: requests.Response) -> None:
        """Refuse a file of another size before it is fetched, and one that the disk cannot hold."""
        length, size = response.headers.get("Content-Length", ""), self._file.size
        if not re.fullmatch("[0-9]{1,18}", length):
            self._doubtful = self._doubtful or not response.raw.chunked
            if self._doubtful and not self._file.sum:
                raise FileError(f"{shown(url)} does not say how long its answer is")
        elif size is not None and self._length + int(length) != size:
            offered = self._length + int(length)
            raise FileError(f"{shown(url)} offers {offered:,} bytes where the publisher lists {size:,}")
        elif int(length) > free_space(self.path.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

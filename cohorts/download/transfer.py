"""One file: asked for politely, fetched in as many pieces as it takes, verified, only then given a name.

TLS is always verified, no redirect to plain HTTP is followed, and passwords only go to their owner.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth
from requests.utils import get_netrc_auth

from cohorts.download import disk
from cohorts.download.disk import CHUNK, FileError, Meter, RemoteFile

ATTEMPTS = 5
"""Attempts at one address that bring nothing new before the next address is tried."""
BACKOFF = 0.5
"""Seconds before the second attempt; twice as long before each further one."""

_TIMEOUT = (10.0, 60.0)  # seconds to wait for a connection, and for the next bytes of an answer
_LONGEST_WAIT = 10.0  # seconds, when a server asks for a pause
_REDIRECTS = 10
# Answers that pass, and seconds to wait; figshare answers 202 until it has a file ready.
_PASSING = {202: 5.0} | dict.fromkeys((408, 425, 429, 500, 502, 503, 504), 0.0)


class DeniedError(FileError):
    """The server wants an account (401 or 403)."""


class PassingError(Exception):
    """May go away: worth another attempt at the same address, after ``wait`` seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class Addresses(NamedTuple):
    """Where to ask for lists and for files, in this order.

    They may be plain HTTP on this machine if ``loopback``; the host ``login_to`` is sent the user's account.
    """

    lists: tuple[str, ...]
    files: tuple[str, ...]
    loopback: bool = False
    login_to: str = ""


class Web(requests.Session):
    """HTTP connections for one download."""

    def __init__(self, addresses: Addresses) -> None:
        super().__init__()
        self._addresses = addresses
        self.auth = self._sign  # or requests looks for a password of its own accord
        # Sums and ranges are those of the file, not of a compressed transfer of it.
        self.headers.update({"User-Agent": "leadboard", "Accept-Encoding": "identity"})

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        url = request.url or ""
        login = account(url) if urlsplit(url).netloc == self._addresses.login_to else None
        # Bytes, because requests would refuse a password outside of Latin-1.
        return HTTPBasicAuth(login[0].encode(), login[1].encode())(request) if login else request

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Keep requests from following redirects, and from reading the bodies that come with them."""

    def open(self, url: str, headers: Mapping[str, Any]) -> requests.Response:
        """Ask for a file; PassingError or FileError unless the status is 200, 206 or 416."""
        name = shown(url)
        try:
            for _ in range(_REDIRECTS):
                response = self.get(url, headers=headers, stream=True, timeout=_TIMEOUT)
                if not response.is_redirect:
                    return _usable(name, response)
                response.close()
                url = urljoin(url, response.headers["location"])
                if not trusted(url, self._addresses.loopback):
                    raise requests.exceptions.InvalidURL
        except requests.exceptions.SSLError:
            raise FileError(f"{name} has no TLS certificate that can be verified") from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            raise PassingError(f"{name} cannot be reached") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
            raise FileError(f"{name} is, or redirects to, no https:// address that can be fetched") from None
        raise FileError(f"{name} redirects more than {_REDIRECTS} times")


def _usable(name: str, response: requests.Response) -> requests.Response:
    status, asked = response.status_code, response.headers.get("Retry-After", "")
    if status in (200, 206, 416):
        return response
    response.close()
    if status in _PASSING:
        wait = min(float(asked), _LONGEST_WAIT) if asked.isascii() and asked.isdigit() else 0.0
        raise PassingError(f"{name} answered {status}", wait or _PASSING[status])
    raise (DeniedError if status in (401, 403) else FileError)(f"{name} answered {status}")


def account(url: str) -> tuple[str, str] | None:
    """Give the user's PhysioNet account, from the environment or the netrc file."""
    user, password = os.environ.get("PHYSIONET_USER"), os.environ.get("PHYSIONET_PASSWORD")
    return (user, password) if user and password else get_netrc_auth(url)


def trusted(url: str, loopback: bool) -> bool:
    """Whether an address is encrypted, or plain HTTP to this machine where that is allowed."""
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
        if scheme == "http" and loopback:
            return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
        return scheme == "https" and bool(host)
    except ValueError:
        return False


def shown(url: str) -> str:
    """Give an address for a message: without a signature, a user name or a password in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Transfer:
    """One file on its way, and the part of it that is here already, from an earlier run as well.

    The part is doubtful where it was joined from pieces, which may be of different files, or may lack its
    end; the etag is the version of the file that the server sent last. A file without a sum comes in one
    piece; one of unknown size is given up at ``most`` bytes.
    """

    def __init__(self, file: RemoteFile, target: Path, web: Web, most: int, meter: Meter) -> None:
        self._file, self._target, self._web, self._meter = file, target, web, meter
        self._path, self._most = disk.beside(target, disk.PART), most if file.size is None else file.size
        self._length, self._etag, self._doubtful = disk.size_of(self._path) or 0, "", False
        meter.count(self._length)

    def fetch(self, urls: Sequence[str]) -> int:
        """Fetch the file, verify it, and move it into place; tell which of the addresses had it.

        A FileError if none has it (DeniedError: if all of them ask for an account); what has another sum is
        kept as ``<name>.wrong-sum``.
        """
        failures: list[FileError] = []
        with disk.disk_errors(self._target):
            self._target.parent.mkdir(parents=True, exist_ok=True)
            for number, url in enumerate(urls):
                try:
                    self._complete(url)
                    return number
                except FileError as error:
                    failures.append(error)
        self._meter.count(-self._length)
        kind = DeniedError if all(isinstance(error, DeniedError) for error in failures) else FileError
        raise kind("; ".join(map(str, failures)))

    def _complete(self, url: str) -> None:
        """Ask one address for what is missing until all is here and has the right sum."""
        self._etag, aside = "", disk.beside(self._target, disk.WRONG)
        kind = self._file.sum.partition(":")[0]
        for again in (True, False):
            self._persist(url)
            right = not kind or disk.has_sum(self._path, self._file.sum, self._meter, counted=False)
            if right or not (again and self._doubtful):
                break
            self._restart()
        if not right:
            self._path.replace(aside)
            self._restart()
            raise FileError(f"{shown(url)} has another {kind} sum; what came is kept as {aside}")
        self._path.replace(self._target)
        aside.unlink(missing_ok=True)

    def _restart(self) -> None:
        self._path.unlink(missing_ok=True)
        self._meter.count(-self._length)
        self._length, self._doubtful = 0, False

    def _persist(self, url: str) -> None:
        """Ask again after what may pass.

        Bytes that were never here before are progress; anything else counts as a failure, so that no
        server can keep this going for ever.
        """
        failures, furthest = 0, self._length
        while True:
            try:
                return self._ask(url)
            except PassingError as error:
                failures = 0 if self._length >= furthest + CHUNK else failures + 1
                furthest = max(furthest, self._length)
                if failures == ATTEMPTS:
                    raise FileError(f"{error}, {ATTEMPTS} times") from None
                self._meter.wait(error.wait or BACKOFF * 2 ** max(0, failures - 1))

    def _ask(self, url: str) -> None:
        size = self._file.size
        if (size is not None and self._length > size) or not self._file.sum:
            self._restart()
        self._doubtful = self._doubtful or self._length > 0
        if self._length and self._length == size:
            return
        headers = {"Range": f"bytes={self._length}-", "If-Range": self._etag or None} if self._length else {}
        with self._web.open(url, headers) as response:
            if response.status_code == 416 and self._length:
                return  # nothing comes after what is here: the sum will tell
            self._agree(shown(url), response)
            disk.write(self._path, self._received(response), self._meter, "ab")
        if size is not None and self._length < size:
            raise PassingError(f"{shown(url)} ended early")

    def _agree(self, name: str, response: requests.Response) -> None:
        """See to it that the body begins where the part ends, and that the file has its size and fits."""
        headers, size = response.headers, self._file.size
        where, length = headers.get("Content-Range", ""), headers.get("Content-Length", "")
        goes_on = where.startswith(f"bytes {self._length}-") and response.status_code == 206
        if not (self._length and goes_on):
            self._restart()  # the server gives no ranges, or has another version by now
            if response.status_code != 200:
                raise PassingError(f"{name} sent another range than was asked for")
        etag = headers.get("ETag", "")
        self._etag = etag if etag.startswith('"') else ""  # a weak one does not stand for the bytes
        if not re.fullmatch("[0-9]{1,18}", length):
            self._doubtful = self._doubtful or not response.raw.chunked
            if self._doubtful and not self._file.sum:
                raise FileError(f"{name} does not say how long its answer is")
        elif size is not None and (offered := self._length + int(length)) != size:
            raise FileError(f"{name} offers {offered:,} bytes where the publisher lists {size:,}")
        elif int(length) > disk.free_space(self._target.parent):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _received(self, response: requests.Response) -> Iterator[bytes]:
        for chunk in _chunks(response):
            if self._length + len(chunk) > self._most:
                raise FileError(f"{shown(response.url)} sends more bytes than the file can have")
            yield chunk
            self._length += len(chunk)
            self._meter.count(len(chunk))


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """Read the body as it was sent; PassingError if it is cut before its announced end."""
    try:
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        raise PassingError(f"the connection to {urlsplit(response.url).hostname} was cut") from None

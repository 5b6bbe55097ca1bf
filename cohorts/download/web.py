"""One polite HTTP client: TLS always verified, no redirect to plain HTTP, passwords only to their owner."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import IO
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_netrc_auth

from cohorts.errors import UsageError

CHUNK = 1 << 20
TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes of an answer."""

_REDIRECTS = 10
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_WAIT = 60.0
_WHILE_PREPARED = 5.0  # seconds; figshare answers 202 until it has a file ready


class PassingError(Exception):
    """May go away: worth another attempt at the same address."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


class AddressError(Exception):
    """Nothing to be had at this address; another may do."""


class DeniedError(AddressError):
    """The server wants an account (401 or 403)."""


class _NoLogin(AuthBase):
    """Keeps requests from looking for a password of its own accord."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Session(requests.Session):
    """Leaves redirects, and the bodies that come with them, to `Web`."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Web:
    """HTTP sessions for one download.

    Parameters
    ----------
    connections
        How many are kept open.
    loopback
        Allow plain HTTP to this machine, for a mirror on it.
    login_to
        Host that may be sent the user's PhysioNet account (``PHYSIONET_USER`` and
        ``PHYSIONET_PASSWORD``, or the netrc file), if any.
    """

    def __init__(self, connections: int = 4, *, loopback: bool = False, login_to: str = "") -> None:
        self._loopback = loopback
        self._login_to = login_to
        self._session = _Session()
        self._session.auth = _NoLogin()
        self._session.headers["User-Agent"] = f"leadboard/{_version()}"
        # Sums and ranges are those of the file, not of a compressed transfer of it.
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self._session.mount("http://", HTTPAdapter(pool_maxsize=connections))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @contextmanager
    def open(self, url: str, headers: Mapping[str, str]) -> Iterator[requests.Response]:
        """Ask for a file; the answer's status is 200, 206 or 416 and its body is not read yet.

        Raises
        ------
        PassingError, AddressError
        """
        response = self._follow(url, headers)
        try:
            status = response.status_code
            if status == 202:
                raise PassingError(f"{shown(url)} is being prepared", _seconds(response) or _WHILE_PREPARED)
            if status in _PASSING:
                raise PassingError(f"{shown(url)} answered {status}", _seconds(response))
            if status in (401, 403):
                raise DeniedError(f"{shown(url)} answered {status}")
            if status not in (200, 206, 416):
                raise AddressError(f"{shown(url)} answered {status}")
            yield response
        finally:
            response.close()

    def save(self, url: str, file: IO[bytes], most: int) -> None:
        """Copy a whole answer to a file.

        Raises
        ------
        PassingError
            If it was cut: also where the server does not say how long it is, since half a list looks
            like a whole one.
        AddressError
            If there is none, or it is longer than ``most`` bytes.
        """
        with self.open(url, {}) as response:
            if not (response.raw.chunked or "Content-Length" in response.headers):
                raise AddressError(f"{shown(url)} does not say how long its answer is")
            for chunk in chunks(response):
                if file.tell() + len(chunk) > most:
                    raise AddressError(f"{shown(url)} is longer than {most:,} bytes")
                file.write(chunk)

    def _follow(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        start = url
        for _ in range(_REDIRECTS):
            try:
                response = self._session.get(
                    url,
                    headers=dict(headers),
                    auth=self._login(url),
                    stream=True,
                    allow_redirects=False,
                    timeout=TIMEOUT,
                )
            except requests.exceptions.SSLError:
                raise AddressError(f"{shown(url)} has no TLS certificate that can be verified") from None
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                raise PassingError(f"{shown(url)} cannot be reached") from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError):
                raise AddressError(f"{shown(url)} is no address that can be fetched") from None
            if not response.is_redirect:
                return response
            response.close()
            url = self._next(start, url, response.headers["location"])
        raise AddressError(f"{shown(start)} redirects more than {_REDIRECTS} times")

    def _next(self, start: str, url: str, location: str) -> str:
        """Where a redirect leads to, if that is an address that may be followed."""
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            safe = parts.scheme == "https" or (
                parts.scheme == "http" and self._loopback and is_loopback(target)
            )
        except ValueError:
            raise AddressError(f"{shown(start)} redirects to something that is no address") from None
        if not safe:
            raise AddressError(f"{shown(start)} redirects to {shown(target)}, which is not encrypted")
        return target

    def _login(self, url: str) -> AuthBase | None:
        parts = urlsplit(url)
        if not self._login_to or parts.netloc != self._login_to:
            return None
        user, password = os.environ.get("PHYSIONET_USER"), os.environ.get("PHYSIONET_PASSWORD")
        found = (user, password) if user and password else get_netrc_auth(url)
        # Bytes, because requests would refuse a password outside of Latin-1.
        return HTTPBasicAuth(found[0].encode(), found[1].encode()) if found else None


def has_login(url: str) -> bool:
    """Whether the user has given a PhysioNet account, in the environment or the netrc file."""
    named = os.environ.get("PHYSIONET_USER") and os.environ.get("PHYSIONET_PASSWORD")
    return bool(named) or get_netrc_auth(url) is not None


def chunks(response: requests.Response) -> Iterator[bytes]:
    """Read the body, 1 MiB at a time, as it was sent.

    Raises
    ------
    PassingError
        If the connection is cut before the announced end.
    """
    try:
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        raise PassingError(f"the connection to {urlsplit(response.url).hostname} was cut") from None


def check_mirror(url: str) -> str:
    """Give a mirror's address with a ``/`` at its end.

    Raises
    ------
    UsageError
        If it is not ``https://`` (``http://`` to this machine itself will do) or holds a password.
    """
    try:
        parts = urlsplit(url)
        host, name = parts.hostname, parts.username
    except ValueError:
        host = name = None
    if name is not None:
        raise UsageError("The mirror's address holds a user name; give it without one.")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))):
        raise UsageError(f"The mirror '{url}' is no https:// address; give one, such as https://host/path/.")
    return url.rstrip("/") + "/"


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """Give an address for a message: without a signature, a user name or a password in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _seconds(response: requests.Response) -> float:
    """How long the server asks to wait; 0 if it does not say so in seconds."""
    value = response.headers.get("Retry-After", "")
    return min(float(value), _LONGEST_WAIT) if value.isascii() and value.isdigit() else 0.0


def _version() -> str:
    try:
        return version("leadboard")
    except PackageNotFoundError:
        return "0"

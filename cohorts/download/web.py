"""One polite HTTP client: TLS always verified, no redirect to plain HTTP, passwords only to their owner."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth
from requests.utils import get_netrc_auth

from cohorts.download.disk import CHUNK, FileError
from cohorts.errors import UsageError

TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes of an answer."""
LONGEST_WAIT = 10.0
"""Seconds to wait at the most when a server asks for a pause."""
REDIRECTS = 10

_PASSING = {202, 408, 425, 429, 500, 502, 503, 504}
_WHILE_PREPARED = 5.0  # seconds; figshare answers 202 until it has a file ready


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
    """HTTP connections for one download; ``connections`` of them are kept open."""

    def __init__(self, addresses: Addresses, connections: int = 1) -> None:
        super().__init__()
        self._addresses = addresses
        self.auth = lambda request: request  # or requests looks for a password of its own accord
        # Sums and ranges are those of the file, not of a compressed transfer of it.
        self.headers.update({"User-Agent": "leadboard", "Accept-Encoding": "identity"})
        self.mount("https://", HTTPAdapter(pool_maxsize=connections))
        self.mount("http://", HTTPAdapter(pool_maxsize=connections))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Keep requests from following redirects, and from reading the bodies that come with them."""

    @contextmanager
    def open(self, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
        """Ask for a file; PassingError or FileError unless the status is 200, 206 or 416."""
        start = url
        for _ in range(REDIRECTS):
            with self._ask(url, headers) as response:
                if not response.is_redirect:
                    _check_status(start, response)
                    yield response
                    return
            try:
                url = urljoin(url, response.headers["location"])
            except ValueError:
                url = ""
            if not (trust(url) == "https" or (self._addresses.loopback and trust(url))):
                raise FileError(f"{shown(start)} redirects to something that is no https:// address")
        raise FileError(f"{shown(start)} redirects more than {REDIRECTS} times")

    def _ask(self, url: str, headers: dict[str, str]) -> requests.Response:
        login = account(url) if urlsplit(url).netloc == self._addresses.login_to else None
        # Bytes, because requests would refuse a password outside of Latin-1.
        auth = HTTPBasicAuth(login[0].encode(), login[1].encode()) if login else None
        try:
            return self.get(
                url, headers=headers, auth=auth, stream=True, allow_redirects=False, timeout=TIMEOUT
            )
        except requests.exceptions.SSLError:
            raise FileError(f"{shown(url)} has no TLS certificate that can be verified") from None
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            raise PassingError(f"{shown(url)} cannot be reached") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError):
            raise FileError(f"{shown(url)} is no address that can be fetched") from None


def _check_status(url: str, response: requests.Response) -> None:
    status, asked = response.status_code, response.headers.get("Retry-After", "")
    wait = min(float(asked), LONGEST_WAIT) if asked.isascii() and asked.isdigit() else 0.0
    if status in _PASSING:
        wait = wait or (_WHILE_PREPARED if status == 202 else 0.0)
        raise PassingError(f"{shown(url)} answered {status}", wait)
    if status not in (200, 206, 416):
        raise (DeniedError if status in (401, 403) else FileError)(f"{shown(url)} answered {status}")


def chunks(response: requests.Response) -> Iterator[bytes]:
    """Read the body as it was sent, 1 MiB at a time; PassingError if it is cut before its announced end."""
    try:
        yield from response.raw.stream(CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError):
        raise PassingError(f"the connection to {urlsplit(response.url).hostname} was cut") from None


def account(url: str) -> tuple[str, str] | None:
    """Give the user's PhysioNet account, from the environment or the netrc file."""
    user, password = os.environ.get("PHYSIONET_USER"), os.environ.get("PHYSIONET_PASSWORD")
    return (user, password) if user and password else get_netrc_auth(url)


def check_mirror(url: str) -> str:
    """Give a mirror's address with a ``/`` at its end; UsageError for a bad one, or with a password in it."""
    if "@" in url.partition("//")[2].partition("/")[0]:
        raise UsageError("The mirror's address holds a user name; give it without one.")
    if not trust(url):
        raise UsageError(f"The mirror '{url}' is no https:// address; give one, such as https://host/path/.")
    return url.rstrip("/") + "/"


def trust(url: str) -> str:
    """Say why an address may be asked: ``"https"``, or plain ``"http"`` to this machine; else ``""``."""
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
        plain = scheme == "http" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return ""
    return scheme if plain or (scheme == "https" and host) else ""


def shown(url: str) -> str:
    """Give an address for a message: without a signature, a user name or a password in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

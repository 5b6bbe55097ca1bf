"""A server of nothing but the files of one report."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from benchmark.files import inside
from cohorts.errors import LeadboardError

PAGE = "leaderboard.html"
VERSION = "version"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

SERVED = re.compile(
    r"leaderboard\.(?:html|md|csv|json)|self-reported\.csv|figures/[a-z0-9-]+\.(?:svg|png)"
    r"|mistakes/[A-Za-z0-9._-]+\.html"
)

TYPES = {
    ".html": "text/html",
    ".md": "text/plain",
    ".csv": "text/csv",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

WAITING = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>Leaderboard</title></head>
<body><p>The run has no result yet. This page shows it as soon as there is one.</p></body></html>
"""

EVERY = 2000
"""Milliseconds between two looks at whether the page has changed."""


class ReportServer(ThreadingHTTPServer):
    """Serves the report in a folder.

    Parameters
    ----------
    host
        Address to listen on.
    port
        0 for any free one.
    """

    daemon_threads = True

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.folder, self.shown = folder, f"[{host}]" if ":" in host else host
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._names = {*LOOPBACK, host.lower()}
        self._open = host not in LOOPBACK
        if self._open:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away before it had its answer, as one does that loads again."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def is_own(self, host: str) -> bool:
        """Whether a browser has asked for this server by a name of its own.

        A page of a stranger can have its own name point here; then the browser would let it read the answer.
        An address in digits points nowhere else, so any will do where others may ask.
        """
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.server_port:
            return False
        return name in self._names or (self._open and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer
    server_version, sys_version = "Leadboard", ""
    timeout = 30

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, *, body: bool) -> None:
        if not self.server.is_own(self.headers.get("Host", "")):
            self._send(HTTPStatus.MISDIRECTED_REQUEST, b"This server has another name.\n", ".txt", body)
            return
        name = unquote(urlsplit(self.path).path).removeprefix("/") or PAGE
        if name == VERSION:
            self._send(HTTPStatus.OK, _version(self._read(PAGE)).encode(), ".txt", body)
            return
        content = self._read(name)
        if name == PAGE:
            page = WAITING.encode() if content is None else content
            self._send(HTTPStatus.OK, reloading(page, _version(content)), ".html", body, scripts=True)
        elif content is None:
            self._send(HTTPStatus.NOT_FOUND, b"No such file of the report.\n", ".txt", body)
        else:
            self._send(HTTPStatus.OK, content, Path(name).suffix, body)

    def _read(self, name: str) -> bytes | None:
        """Read a file of the report; nothing else, and no link that leads elsewhere."""
        if not SERVED.fullmatch(name):
            return None
        try:
            return inside(self.server.folder, name).read_bytes()
        except (LeadboardError, OSError):
            return None

    def _send(
        self, status: HTTPStatus, content: bytes, suffix: str, body: bool, *, scripts: bool = False
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{TYPES.get(suffix, 'text/plain')}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        if not scripts:
            policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
            self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        if body:
            self.wfile.write(content)


def _version(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()


def reloading(page: bytes, version: str) -> bytes:
    """Add to a page that it loads itself again once the server has another version.

    The file itself asks nobody for anything: its policy is widened in what is served alone, by this one
    script and by requests to where the page came from.
    """
    script = (
        f'setInterval(async () => {{ try {{ const answer = await fetch("/{VERSION}"); '
        f'if (answer.ok && (await answer.text()) !== "{version}") location.reload(); '
        f"}} catch {{ /* the server has ended */ }} }}, {EVERY});"
    ).encode()
    digest = b"'sha256-" + base64.b64encode(hashlib.sha256(script).digest()) + b"'"
    head, found, rest = page.partition(b'http-equiv="Content-Security-Policy" content="')
    if not found:
        return page
    policy, quote, rest = rest.partition(b'"')
    allowed, more = b"script-src ", b" " + digest
    policy = (
        policy.replace(allowed, allowed + digest + b" ")
        if allowed in policy
        else (policy + b"; script-src" + more)
    )
    body, end, after = rest.rpartition(b"</body>")
    added = b"<script>" + script + b"</script>"
    return head + found + policy + b"; connect-src 'self'" + quote + body + added + end + after

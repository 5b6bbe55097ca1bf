"""A publisher on this machine whose connections, ranges and bytes can be made to fail."""

from __future__ import annotations

import hashlib
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

Fault = Callable[["Handler", bytes], bool]
"""Answers a request in its own way and says True, or False for the usual answer."""


class Publisher:
    """What is published, what was asked, and what is to go wrong with which path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.ranges = True
        self.etags = True
        self.url = ""

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def headers(self, path: str) -> list[dict[str, str]]:
        return [headers for asked, headers in self.asked if asked == path]

    def physionet(self, project: str, files: dict[str, bytes]) -> None:
        """Publish a tree with its sums."""
        sums = "".join(f"{hashlib.sha256(content).hexdigest()} {path}\n" for path, content in files.items())
        self.files[f"/{project}/SHA256SUMS.txt"] = sums.encode()
        self.files |= {f"/{project}/{path}": content for path, content in files.items()}

    def zenodo(self, record: int, files: dict[str, bytes]) -> None:
        """Publish a record as Zenodo's API describes it."""
        entries = [
            {"key": name, "size": len(content), "checksum": f"md5:{hashlib.md5(content).hexdigest()}"}
            for name, content in files.items()
        ]
        self.files[f"/api/records/{record}"] = json.dumps({"id": record, "files": entries}).encode()
        self.files |= {f"/records/{record}/files/{name}": content for name, content in files.items()}

    def figshare(self, article: int, files: dict[str, bytes]) -> None:
        """Publish an article as figshare's API describes it."""
        entries = []
        for number, (name, content) in enumerate(files.items(), start=article * 10):
            digest = hashlib.md5(content).hexdigest()
            entries.append({"id": number, "name": name, "size": len(content), "computed_md5": digest})
            self.files[f"/files/{number}"] = content
        self.files[f"/v2/articles/{article}"] = json.dumps({"id": article, "files": entries}).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    publisher: Publisher

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.publisher.asked.append((path, {name.lower(): value for name, value in self.headers.items()}))
        content = self.publisher.files.get(path)
        if content is None:
            self.answer(404, b"")
            return
        faults = self.publisher.faults.get(path)
        if faults and faults.pop(0)(self, content):
            return
        etag = self.etag(content)
        start = self.start(etag)
        if start is None:
            self.answer(200, content, etag)
        elif start >= len(content):
            self.answer(416, b"")
        else:
            self.answer(206, content[start:], etag, f"bytes {start}-{len(content) - 1}/{len(content)}")

    def etag(self, content: bytes) -> str | None:
        return f'"{hashlib.md5(content).hexdigest()}"' if self.publisher.etags else None

    def start(self, etag: str | None) -> int | None:
        wanted = self.headers.get("Range")
        if wanted is None or not self.publisher.ranges or self.headers.get("If-Range", etag) != etag:
            return None
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def answer(
        self, status: int, body: bytes, etag: str | None = None, content_range: str = "", length: int = -1
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length < 0 else length))
        if etag:
            self.send_header("ETag", etag)
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def cut(after: int) -> Fault:
    """Break the connection after some bytes of what was asked for."""

    def fault(handler: Handler, content: bytes) -> bool:
        start = handler.start(handler.etag(content)) or 0
        rest = content[start:]
        where = f"bytes {start}-{len(content) - 1}/{len(content)}" if start else ""
        handler.answer(206 if start else 200, rest[:after], handler.etag(content), where, length=len(rest))
        handler.close_connection = True
        return True

    return fault


def status(code: int, **headers: str) -> Fault:
    """Answer with a status and nothing else."""

    def fault(handler: Handler, content: bytes) -> bool:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    return fault


def other(content: bytes) -> Fault:
    """Answer with something else than what is published."""

    def fault(handler: Handler, _: bytes) -> bool:
        handler.answer(200, content)
        return True

    return fault


def unannounced(content: bytes) -> Fault:
    """Answer without saying how long it is, and close the connection at the end."""

    def fault(handler: Handler, _: bytes) -> bool:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True
        return True

    return fault


def slow(pieces: int, seconds: float) -> Fault:
    """Answer in pieces with pauses."""

    def fault(handler: Handler, content: bytes) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        step = -(-len(content) // pieces)
        for start in range(0, len(content), step):
            handler.wfile.write(content[start : start + step])
            time.sleep(seconds)
        return True

    return fault


@contextmanager
def serve(publisher: Publisher, tls: ssl.SSLContext | None = None) -> Iterator[Publisher]:
    """Serve on a free port of the loopback interface."""

    class Own(Handler):
        pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that goes away in the middle is what some tests are about

    Own.publisher = publisher
    server = Server(("127.0.0.1", 0), Own)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    publisher.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}/"
    try:
        yield publisher
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""``leadboard serve``: the files of a report and nothing else, and a page that loads itself again."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmark.cli import app
from benchmark.commands.report_server import ReportServer
from cohorts.errors import UsageError

PAGE = (Path(__file__).resolve().parents[3] / "results/leaderboard.html").read_bytes()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ReportServer]:
    run = tmp_path / "run"
    (run / "figures").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "leaderboard.html").write_bytes(PAGE)
    (run / "leaderboard.csv").write_text("a,b\n")
    (run / "figures/forest.svg").write_text("<svg/>")
    (run / "mistakes").mkdir()
    (run / "mistakes/net-0a.html").write_text("<p>")
    (tmp_path / "secret.csv").write_text("secret")
    (tmp_path / "secret.html").write_text("secret")
    (run / "mistakes/other.html").symlink_to(tmp_path / "secret.html")
    (run / "figures/heatmap.svg").symlink_to(tmp_path / "secret.csv")
    with ReportServer(run, "127.0.0.1", 0) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(
    server: ReportServer, path: str, host: str | None = None, method: str = "GET"
) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    try:
        own = f"127.0.0.1:{server.server_port}"
        connection.request(method, path, headers={"Host": own if host is None else host})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def test_the_page_is_served_and_asks_whether_it_has_changed(server: ReportServer) -> None:
    status, page, headers = ask(server, "/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    scripts = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    policy = re.search(rb'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script).digest())
        assert b"'sha256-" + digest + b"'" in policy[1]
    assert b"connect-src 'self'" in policy[1]
    assert b"setInterval" in scripts[-1]
    version = ask(server, "/version")[1]
    assert version in scripts[-1]
    (server.folder / "leaderboard.html").write_bytes(PAGE + b"\n")
    assert ask(server, "/version")[1] != version
    assert b"connect-src" not in PAGE


def test_before_the_first_result_the_page_waits(server: ReportServer) -> None:
    (server.folder / "leaderboard.html").unlink()
    status, page, _ = ask(server, "/")
    assert status == 200
    assert b"no result yet" in page
    assert b"setInterval" in page


@pytest.mark.parametrize("path", ["/leaderboard.csv", "/figures/forest.svg", "/mistakes/net-0a.html"])
def test_files_of_the_report_are_served_without_scripts(server: ReportServer, path: str) -> None:
    status, _, headers = ask(server, path)
    assert status == 200
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert ask(server, path, method="HEAD")[1] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/run.json",
        "/figures",
        "/figures/",
        "/../secret.csv",
        "/%2e%2e/secret.csv",
        "/figures/..%2f..%2fsecret.csv",
        "/figures/heatmap.svg",
        "/mistakes/..%2f..%2fsecret.html",
        "/mistakes/other.html",
        "//etc/passwd",
        "/leaderboard.html%00",
        "/leaderboard.csv%0a",
        "/.locks",
    ],
)
def test_nothing_else_is_served(server: ReportServer, path: str) -> None:
    status, content, _ = ask(server, path)
    assert status == 404
    assert b"secret" not in content


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", "10.0.0.1:{port}", "[:{port}"]
)
def test_another_name_is_refused(server: ReportServer, host: str) -> None:
    assert ask(server, "/", host.format(port=server.server_port))[0] == 421


def test_its_names_are_taken(server: ReportServer) -> None:
    for name in ("localhost", "127.0.0.1", "[::1]"):
        assert ask(server, "/", f"{name}:{server.server_port}")[0] == 200


def test_nothing_can_be_written(server: ReportServer) -> None:
    assert ask(server, "/", method="POST")[0] == 501


def test_a_folder_without_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"neither a leaderboard\.html nor a run\.json"):
        app(["serve", str(tmp_path)], exit_on_error=False, print_error=False, result_action="return_value")


def test_another_host_is_said_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(self: ReportServer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReportServer, "serve_forever", stop)
    (tmp_path / "leaderboard.html").write_bytes(PAGE)
    call = ["serve", str(tmp_path), "--port", "0"]
    assert app(call, exit_on_error=False, print_error=False, result_action="return_value") == 0
    assert "WARNING" not in capsys.readouterr().err
    more = [*call, "--host", "0.0.0.0"]
    assert app(more, exit_on_error=False, print_error=False, result_action="return_value") == 0
    assert "WARNING: listening on 0.0.0.0: everyone who reaches this machine" in capsys.readouterr().err

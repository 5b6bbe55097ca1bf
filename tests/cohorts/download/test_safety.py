"""Encryption, passwords, redirects; a killed process and a full disk."""

from __future__ import annotations

import base64
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cohorts.download import download, plan_download, planning, transfer
from cohorts.download.publishers import check_mirror
from cohorts.download.transfer import Addresses
from cohorts.errors import LeadboardError, UsageError
from tests.download_server import Handler, Publisher, serve, slow, status

ECHO = {"LICENSE.txt": b"restricted\n", "echonext_metadata_100k.csv": b"ecg_key\n1\n"}
LARGE = bytes(range(256)) * (12 << 10)  # 3 MiB
LOGIN = "Basic " + base64.b64encode("jane:pass wörd".encode()).decode()


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transfer, "BACKOFF", 0.001)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("LEADBOARD_MIRROR", "PHYSIONET_USER", "PHYSIONET_PASSWORD", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serve(Publisher()) as server:
        server.physionet("echonext/1.1.0", ECHO)
        server.physionet("ludb/1.0.1", {"ludb.csv": b"ID\n", "large.dat": LARGE})
        yield server


@pytest.mark.parametrize(
    "mirror",
    [
        "http://example.org/",
        "ftp://127.0.0.1/",
        "file:///etc/",
        "127.0.0.1",
        "",
        "https://",
        "http://[::1",
        "http://10.0.0.1/",
    ],
)
def test_mirrors_have_to_be_encrypted(mirror: str) -> None:
    with pytest.raises(UsageError, match="no https:// address"):
        check_mirror(mirror)


def test_a_mirror_with_a_password_is_refused_without_showing_it() -> None:
    with pytest.raises(UsageError) as caught:
        check_mirror("https://jane:secret@example.org/")
    assert "secret" not in str(caught.value)


def test_the_mirror_may_come_from_the_environment(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_mirror("https://example.org/ecg") == "https://example.org/ecg/"
    monkeypatch.setenv("LEADBOARD_MIRROR", publisher.url)
    assert download(plan_download("ludb", tmp_path)).complete


@pytest.mark.parametrize(
    "target", ["http://192.0.2.1/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://[bad"]
)
def test_a_redirect_to_plain_http_is_not_followed(publisher: Publisher, tmp_path: Path, target: str) -> None:
    publisher.faults["/ludb/1.0.1/ludb.csv"] = [status(302, Location=target)]
    (failure,) = download(plan_download("ludb", tmp_path, mirror=publisher.url)).failures
    assert "redirects to" in failure.reason


def test_redirects_end(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults["/ludb/1.0.1/ludb.csv"] = [status(302, Location="ludb.csv")] * 100
    (failure,) = download(plan_download("ludb", tmp_path, mirror=publisher.url)).failures
    assert "redirects more than" in failure.reason


def test_a_redirect_of_the_mirror_is_followed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/elsewhere"] = b"ID\n"
    publisher.faults["/ludb/1.0.1/ludb.csv"] = [status(302, Location="/elsewhere?signature=secret")]
    assert download(plan_download("ludb", tmp_path, mirror=publisher.url)).complete


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_certificates_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serve(Publisher(), tls=context) as server:
        server.physionet("ludb/1.0.1", {"ludb.csv": b"ID\n"})
        with pytest.raises(LeadboardError, match="no TLS certificate that can be verified"):
            plan_download("ludb", tmp_path, mirror=server.url)
        assert server.asked == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))  # a hospital's own authority
        assert download(plan_download("ludb", tmp_path, mirror=server.url)).complete


def test_a_credentialed_release_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        plan_download("echonext", tmp_path)
    text = str(caught.value)
    for part in (
        "PhysioNet Restricted Health Data Use Agreement",
        "https://physionet.org/content/echonext/1.1.0/",
        "PHYSIONET_USER",
        "leadboard download echonext",
        f"-P {tmp_path / 'echonext'} https://physionet.org/files/echonext/1.1.0/",
    ):
        assert part in text


def needs_login(handler: Handler, content: bytes) -> bool:
    if handler.headers.get("Authorization") == LOGIN:
        return False
    return status(401, WWW_Authenticate="Basic")(handler, content)


@pytest.fixture
def closed(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Publisher:
    """The publisher in its own person, asking for an account."""
    base = f"{publisher.url}echonext/1.1.0/"
    own = Addresses((base,), (base,), loopback=True, login_to=urlsplit(base).netloc)
    monkeypatch.setattr(planning, "addresses_of", lambda *_: own)
    for path in publisher.files:
        publisher.faults[path] = [needs_login] * 9
    return publisher


def test_the_account_of_the_environment_is_used(
    closed: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHYSIONET_USER", "jane")
    monkeypatch.setenv("PHYSIONET_PASSWORD", "pass wörd")
    assert download(plan_download("echonext", tmp_path)).complete
    assert {headers["authorization"] for _, headers in closed.asked} == {LOGIN}


def test_the_account_of_the_netrc_file_is_used(closed: Publisher, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text('machine 127.0.0.1 login jane password "pass wörd"\n', encoding="utf-8")
    assert download(plan_download("echonext", tmp_path)).complete


def test_half_an_account_in_the_environment_is_none(
    closed: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHYSIONET_USER", "joe")
    (tmp_path / "netrc").write_text('machine 127.0.0.1 login jane password "pass wörd"\n', encoding="utf-8")
    assert download(plan_download("echonext", tmp_path)).complete


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_account_is_explained_and_never_shown(
    closed: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    closed.faults["/echonext/1.1.0/SHA256SUMS.txt"] = [status(code)]
    monkeypatch.setenv("PHYSIONET_USER", "jane")
    monkeypatch.setenv("PHYSIONET_PASSWORD", "s3cret")
    with pytest.raises(UsageError, match="wget") as caught:
        plan_download("echonext", tmp_path)
    assert "s3cret" not in str(caught.value)
    assert "jane" not in str(caught.value)


def test_an_account_that_is_refused_in_the_middle_stops_the_download(
    closed: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHYSIONET_USER", "jane")
    monkeypatch.setenv("PHYSIONET_PASSWORD", "pass wörd")
    plan = plan_download("echonext", tmp_path)
    monkeypatch.setenv("PHYSIONET_PASSWORD", "changed")
    with pytest.raises(UsageError, match="Restricted"):
        download(plan)


def test_the_account_is_not_sent_to_another_host(
    closed: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHYSIONET_USER", "jane")
    monkeypatch.setenv("PHYSIONET_PASSWORD", "pass wörd")
    with serve(Publisher()) as other:
        path = "/echonext/1.1.0/LICENSE.txt"
        other.files[path] = ECHO["LICENSE.txt"]
        closed.faults[path] = [status(302, Location=other.url.rstrip("/") + path)]
        assert download(plan_download("echonext", tmp_path)).complete
        assert other.paths() == [path]
        assert "authorization" not in other.asked[0][1]


def test_no_account_is_sent_to_a_mirror_or_for_an_open_release(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHYSIONET_USER", "jane")
    monkeypatch.setenv("PHYSIONET_PASSWORD", "pass wörd")
    (tmp_path / "netrc").write_text("default login jane password secret\n")
    for cohort in ("echonext", "ludb"):
        assert download(plan_download(cohort, tmp_path, mirror=publisher.url)).complete
    assert publisher.asked
    assert not any("authorization" in headers for _, headers in publisher.asked)


def test_what_wget_fetched_is_verified_without_an_account(publisher: Publisher, tmp_path: Path) -> None:
    root = tmp_path / "echonext"
    root.mkdir()
    for path, content in publisher.files.items():
        if path.startswith("/echonext/"):
            (root / path.split("/")[-1]).write_bytes(content)
    summary = download(plan_download("echonext", tmp_path))
    assert (summary.verified, summary.complete) == (2, True)
    (root / "SHA256SUMS.txt").write_bytes(b"<html>sign in</html>\n")
    shutil.rmtree(tmp_path / planning.STATE)
    with pytest.raises(LeadboardError, match="delete it"):
        plan_download("echonext", tmp_path)


CHILD = """
import resource, sys
from pathlib import Path
from cohorts.download import download, plan_download
from cohorts.errors import LeadboardError
if sys.argv[3] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    download(plan_download("ludb", Path(sys.argv[1]), mirror=sys.argv[2]))
except LeadboardError as error:
    sys.exit(str(error))
"""


def child(publisher: Publisher, root: Path, limit: int = 0) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", CHILD, str(root), publisher.url, str(limit)]
    folder = Path(__file__).resolve().parents[3]
    return subprocess.Popen(arguments, cwd=folder, stderr=subprocess.PIPE, text=True)


def test_a_full_disk_is_told_and_the_part_is_kept(publisher: Publisher, tmp_path: Path) -> None:
    process = child(publisher, tmp_path, limit=2 << 20)
    _, message = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "The disk is full" in message
    assert "large.dat" in message
    part = tmp_path / "ludb" / "large.dat.part"
    assert part.stat().st_size == 2 << 20
    assert download(plan_download("ludb", tmp_path, mirror=publisher.url)).complete
    assert publisher.headers("/ludb/1.0.1/large.dat")[-1]["range"] == f"bytes={2 << 20}-"


def test_a_killed_process_leaves_only_parts_and_is_resumed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults["/ludb/1.0.1/large.dat"] = [slow(pieces=60, seconds=0.05)]
    part = tmp_path / "ludb" / "large.dat.part"
    process = child(publisher, tmp_path)
    try:
        deadline = time.monotonic() + 20
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    size = part.stat().st_size
    assert 0 < size < len(LARGE)
    assert {path.name for path in (tmp_path / "ludb").iterdir()} <= {
        "large.dat.part",
        "ludb.csv",
        "ludb.csv.part",
    }
    assert download(plan_download("ludb", tmp_path, mirror=publisher.url)).complete
    assert publisher.headers("/ludb/1.0.1/large.dat")[-1]["range"] == f"bytes={size}-"
    assert (tmp_path / "ludb" / "large.dat").read_bytes() == LARGE

"""Unpacking, and what is not unpacked; whole downloads of archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cohorts.download import disk, download, plan_download, transfer, unpacking
from cohorts.download.disk import FileError, Meter, RemoteFile
from cohorts.download.unpacking import unpack
from cohorts.errors import LeadboardError
from cohorts.release import Unpack
from tests.download_server import Publisher, serve

TRACINGS = bytes(range(256)) * 200
PLAIN = Unpack(name="*")


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "BACKOFF", 0.001)
    monkeypatch.delenv("LEADBOARD_MIRROR", raising=False)


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry as archivers on Unix write it."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def tar_of(*entries: tuple[str, bytes | str | None], mode: str = "w", kind: bytes = tarfile.SYMTYPE) -> bytes:
    """Files, links (to a text) and folders (None)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type = tarfile.DIRTYPE if content is None else kind
                info.linkname = content or ""
                archive.addfile(info)
    return file.getvalue()


def unpacked(tmp_path: Path, name: str, content: bytes, rule: Unpack = PLAIN) -> dict[str, bytes]:
    """Unpack in a folder of its own; whatever happens, the archive stays and nothing is beside it."""
    root = tmp_path / "outer" / "root"
    root.mkdir(parents=True)
    archive = root / name
    archive.write_bytes(content)
    try:
        members = unpack(archive, root, rule, Meter())
        assert members == [
            RemoteFile(
                m.path,
                f"sha256:{hashlib.sha256(data := (root / m.path).read_bytes()).hexdigest()}",
                "",
                len(data),
            )
            for m in members
        ]
    finally:
        assert list(tmp_path.iterdir()) == [tmp_path / "outer"]
        assert list((tmp_path / "outer").iterdir()) == [root]
        archive.unlink()
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "x.zip",
            zip_of(("data/", b""), ("data/a.csv", b"a"), ("data/b/c.csv", b"c"), ("__MACOSX/._a", b"no")),
        ),
        (
            "unix.zip",
            zip_of(
                (entry("data/", stat.S_IFDIR | 0o755), b""),
                (entry("data/a.csv", stat.S_IFREG | 0o644), b"a"),
                (entry("data/b/c.csv", stat.S_IFREG | 0o777), b"c"),
                ("data/empty", b""),
            ),
        ),
        ("x.tar", tar_of(("data", None), ("data/a.csv", b"a"), ("data/empty", b""), ("data/b/c.csv", b"c"))),
        ("x.tar.gz", tar_of(("./data/a.csv", b"a"), ("./data/b/c.csv", b"c"), mode="w:gz")),
        ("plain.tar.gz", tar_of(("data/a.csv", b"a"), ("data/b/c.csv", b"c"))),
    ],
)
def test_all_kinds_of_archive(tmp_path: Path, name: str, content: bytes) -> None:
    rule = Unpack(name="*", strip="data/", into="records")
    found = unpacked(tmp_path, name, content, rule)
    assert found.pop("records/empty", b"") == b""
    assert found == {"records/a.csv": b"a", "records/b/c.csv": b"c"}


ESCAPES = ["../evil", "/evil", "a/../../evil", "..\\evil", "C:/evil", "a/\x1b[2J", "data/../../evil"]


def changed(name: str, offset: int, value: bytes) -> bytes:
    """A zip archive of one file with other bytes in its entry of the central directory."""
    content = bytearray(zip_of((name, b"e")))
    place = content.index(b"PK\x01\x02") + offset
    content[place : place + len(value)] = value
    return bytes(content)


def negative() -> bytes:
    """A tar archive with an entry that claims fewer bytes than none, before one that is far too large."""
    info = tarfile.TarInfo("less")
    info.size = -(1 << 40)
    return info.tobuf(tarfile.GNU_FORMAT) + tar_of(("more", b"e"))


def long_header() -> bytes:
    """A small archive whose first header says that 64 MiB of names follow."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 64 << 20
    return gzip.compress(info.tobuf() + bytes(64 << 20))


CENTRAL = b"PK\x01\x02\x14\x03\x14\x00\x00"  # of an entry, up to its flags
HOSTILE = [
    *(("x.zip", zip_of(("fine", b"f"), (name, b"e")), "leaves") for name in ESCAPES),
    *(("x.tar", tar_of(("fine", b"f"), (name, b"e")), "leaves") for name in ESCAPES),
    ("x.zip", zip_of(("fine", b"f"), (entry("evil", stat.S_IFLNK | 0o777), b"/etc")), "link or a device"),
    ("x.zip", zip_of(("fine", b"f"), (entry("evil", stat.S_IFCHR), b"")), "link or a device"),
    ("x.zip", zip_of((entry("__MACOSX/evil", stat.S_IFLNK), b"/etc")), "link or a device"),
    ("x.tar", tar_of(("fine", b"f"), ("evil", "/etc")), "link or a device"),
    ("x.tar", tar_of(("fine", b"f"), ("evil", "fine"), kind=tarfile.LNKTYPE), "link or a device"),
    ("x.tar", tar_of(("fine", b"f"), ("evil", "x"), kind=tarfile.CHRTYPE), "link or a device"),
    ("x.tar", tar_of(("fine", b"f"), ("evil", "x"), kind=tarfile.FIFOTYPE), "link or a device"),
    ("x.zip", zip_of(("bomb", bytes(64 << 20))), "claims to hold"),
    ("x.tar.gz", tar_of(("bomb", bytes(64 << 20)), mode="w:gz"), "claims to hold"),
    ("x.tar", tar_of(("twice", b"1"), ("./twice", b"2")), "there twice"),
    ("x.tar", negative(), "claims to hold -|damaged"),
    ("x.tar", tar_of(("folder", None)), "holds no file"),
    ("x.zip", zip_of(), "holds no file"),
    ("x.zip", b"", "damaged"),
    ("x.tar", b"", "damaged"),
    ("x.tar.gz", b"\x1f\x8bgarbage", "damaged"),
    ("x.tar", b"garbage" * 1000, "damaged"),
    ("x.zip", zip_of(("fine", TRACINGS))[100:], "damaged"),
    ("x.tar.gz", tar_of(("fine", TRACINGS), mode="w:gz")[:-300], "damaged"),
    ("x.tar", tar_of(("fine", TRACINGS))[:20_000], "damaged"),
    ("x.zip", zip_of(("fine", TRACINGS)).replace(CENTRAL, CENTRAL[:-1] + b"\x01"), "encrypted or"),
    ("x.zip", changed("fine", 10, b"\x0c"), "unusual way"),  # bzip2
    ("x.zip", changed("fine", 6, b"\xff"), "damaged .*version 25.5"),
    ("x.zip", changed("fine", 8, b"\x20"), "damaged .*flag bit 5"),
    ("x.zip", changed("fine", 8, b"\x40"), "damaged .*strong encryption"),
    ("x.zip", changed("fine", 28, b"\0\0\0\0\x04\0"), "damaged .*index out of range"),  # an empty name
    ("x.tar.gz", long_header(), "damaged .*headers is too long"),
    ("x.tar", tar_of(("fine", b"f"), ("fine/evil", b"e")), "'fine' is a folder as well"),
]


@pytest.mark.parametrize(("name", "content", "message"), HOSTILE)
def test_hostile_archives_write_nothing(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(FileError, match=message):
        unpacked(tmp_path, name, content)
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert written <= {"fine.part"}  # a damaged one is noticed in the middle


def test_a_member_whose_bytes_are_damaged_is_not_named(tmp_path: Path) -> None:
    content = bytearray(zip_of(("fine", TRACINGS)))
    content[60] ^= 255
    with pytest.raises(FileError, match="damaged"):
        unpacked(tmp_path, "x.zip", bytes(content))
    assert not (tmp_path / "outer/root/fine").exists()


def test_a_member_that_claims_too_many_bytes_is_not_named(tmp_path: Path) -> None:
    content = bytearray(zip_of(("fine", TRACINGS)))
    claimed = content.index(CENTRAL) + 24
    content[claimed : claimed + 4] = (len(TRACINGS) + 1).to_bytes(4, "little")
    with pytest.raises(FileError, match="ends early"):
        unpacked(tmp_path, "x.zip", bytes(content))
    assert not (tmp_path / "outer/root/fine").exists()


def test_where_an_archive_begins_to_be_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_EXPANSION", 0)
    most = 1 << 20
    assert unpacked(tmp_path / "1", "x.zip", zip_of(("fine", bytes(most)))) == {"fine": bytes(most)}
    content = zip_of(("fine", bytes(most)), ("more", b"e"))
    with pytest.raises(FileError, match=r"has .* bytes and claims to hold 1,048,577"):
        unpacked(tmp_path / "2", "x.zip", content)


def test_an_archive_of_signals_may_grow_as_far_as_signals_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = random.Random(1).randbytes(1 << 20) + bytes(1 << 20)
    monkeypatch.setattr(unpacking, "MOST_EXPANSION", 1)
    assert unpacked(tmp_path, "x.zip", zip_of(("fine", content))) == {"fine": content}


def test_too_little_room_to_unpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1))
    with pytest.raises(LeadboardError, match=r"needs 51,200 bytes and 1 are free"):
        unpacked(tmp_path, "x.zip", zip_of(("fine", TRACINGS)))


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serve(Publisher()) as server:
        parts = {
            f"exams_part{number}.zip": zip_of((f"exams_part{number}.hdf5", TRACINGS)) for number in range(3)
        }
        server.zenodo(4916206, {"readme.txt": b"read", **parts})
        yield server


def test_archives_are_unpacked_and_removed_and_not_fetched_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    plan = plan_download("code-15", tmp_path, mirror=publisher.url)
    assert plan.needed > plan.bytes
    assert download(plan).fetched == 4
    root = tmp_path / "code-15"
    names = {"readme.txt", "exams_part0.hdf5", "exams_part1.hdf5", "exams_part2.hdf5"}
    assert {path.name for path in root.iterdir()} == names
    publisher.asked.clear()
    assert download(plan_download("code-15", tmp_path, mirror=publisher.url)).already == 4
    again = download(plan_download("code-15", tmp_path, mirror=publisher.url, verify=True))
    assert (again.verified, again.complete) == (4, True)
    assert publisher.asked == []
    (root / "exams_part1.hdf5").unlink()
    assert download(plan_download("code-15", tmp_path, mirror=publisher.url)).fetched == 1
    (root / "exams_part2.hdf5").write_bytes(bytes(len(TRACINGS)))
    again = download(plan_download("code-15", tmp_path, mirror=publisher.url, verify=True))
    assert (again.verified, again.fetched) == (3, 1)
    assert (root / "exams_part2.hdf5").read_bytes() == TRACINGS


def test_the_room_that_a_plan_asks_for(publisher: Publisher, tmp_path: Path) -> None:
    rng = random.Random(1)
    packed = [zip_of((f"exams_part{n}.hdf5", rng.randbytes(1000 * (n + 1)))) for n in range(6)]
    parts = {f"exams_part{n}.zip": content for n, content in enumerate(packed)}
    publisher.zenodo(4916206, {"readme.txt": b"read", **parts})
    sizes = [len(content) for content in packed]
    plan = plan_download("code-15", tmp_path, mirror=publisher.url)
    assert (plan.bytes, plan.total) == (4 + sum(sizes), 4 + sum(sizes))
    # What is unpacked stays; four archives at a time lie beside it.
    assert plan.needed == 4 + plan.publication.release.size + sum(sizes[-4:])
    assert download(plan).complete
    (tmp_path / "code-15/exams_part2.hdf5").unlink()
    (tmp_path / "code-15/exams_part2.zip.part").write_bytes(packed[2][:100])
    plan = plan_download("code-15", tmp_path, mirror=publisher.url)
    assert (plan.bytes, plan.total) == (sizes[2] - 100, sizes[2])
    assert plan.needed == sizes[2] - 100 + plan.publication.release.size * sizes[2] // sum(sizes)
    again = plan_download("code-15", tmp_path, mirror=publisher.url, verify=True)
    assert again.total == 4 + 18_000 + sizes[2]
    assert again.bytes == sizes[2] - 100


def test_an_archive_that_was_fetched_but_not_unpacked_is_not_fetched_again(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise LeadboardError("no room")

    with monkeypatch.context() as patch:
        patch.setattr("cohorts.download.run.unpack", full)
        with pytest.raises(LeadboardError, match="no room"):
            download(plan_download("code-15", tmp_path, mirror=publisher.url), connections=1)
    fetched = [path for path in publisher.paths() if path.endswith(".zip")]
    assert download(plan_download("code-15", tmp_path, mirror=publisher.url)).complete
    assert len(fetched) == 1
    assert publisher.paths().count(fetched[0]) == 1


def test_one_hostile_archive_does_not_stop_the_others(publisher: Publisher, tmp_path: Path) -> None:
    publisher.zenodo(
        4916206, {"exams_part0.zip": zip_of(("../../evil", b"e")), "exams_part1.zip": zip_of(("a", b"a"))}
    )
    summary = download(plan_download("code-15", tmp_path / "data", mirror=publisher.url))
    (failure,) = summary.failures
    assert failure.path == "exams_part0.zip"
    assert "nothing was written" in failure.reason
    assert (tmp_path / "data/code-15/a").read_bytes() == b"a"
    assert not list(tmp_path.rglob("evil"))


def test_a_known_sum_overrules_the_publishers_list(publisher: Publisher, tmp_path: Path) -> None:
    publisher.zenodo(3765780, {"data.zip": zip_of(("data/x.csv", b"not what was published"))})
    with pytest.raises(LeadboardError, match="known is md5:cef8fe"):
        plan_download("code-test", tmp_path, mirror=publisher.url)


def test_a_figshare_article(publisher: Publisher, tmp_path: Path) -> None:
    publisher.figshare(27078763, {"notes.txt": b"notes"})
    assert download(plan_download("zzu-pecg", tmp_path, mirror=publisher.url)).complete
    assert (tmp_path / "zzu-pecg" / "notes.txt").read_bytes() == b"notes"


@pytest.mark.parametrize("folder", ["records/", "", "./records/"])
def test_a_figshare_collection_of_articles(publisher: Publisher, tmp_path: Path, folder: str) -> None:
    publisher.figshare(5, {"metadata.csv": b"ECG_ID\n", "code.csv": b"Code\n"})
    publisher.figshare(6, {"records.tar.gz": tar_of((f"{folder}A00001.h5", TRACINGS))})
    publisher.files["/v2/collections/5779802/articles"] = b'[{"id": 5}, {"id": 6}]'
    assert download(plan_download("sph", tmp_path, mirror=publisher.url)).complete
    root = tmp_path / "sph"
    assert {path.relative_to(root).as_posix() for path in root.rglob("*.*")} == {
        "metadata.csv",
        "code.csv",
        "records/A00001.h5",
    }

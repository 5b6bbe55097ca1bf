"""Unpacking what a publisher packed, without trusting it: nothing is written outside of the folder."""

from __future__ import annotations

import gzip
import hashlib
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from cohorts.download import disk
from cohorts.download.disk import CHUNK, FileError, Meter, RemoteFile
from cohorts.errors import LeadboardError
from cohorts.release import Unpack

MOST_EXPANSION = 50
"""No archive of signals grows more than this when it is unpacked; a bomb grows a thousandfold."""

_DAMAGED = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
)
"""What the readers of archives raise; what the disk says to a write is a LeadboardError by then."""


class _Entry(NamedTuple):
    """A file in an archive: its name there, the size it claims, how to read it."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


class _Gunzip(gzip.GzipFile):
    """Keeps tarfile from reading a header of any length into memory."""

    def read(self, size: int | None = None) -> bytes:
        if size is None or not 0 <= size <= CHUNK:
            raise tarfile.ReadError("one of its headers is too long")
        return super().read(size)


def unpack(archive: Path, root: Path, rule: Unpack, meter: Meter) -> list[RemoteFile]:
    """Unpack a zip or tar archive below ``root``; give what was written, with its sums.

    All entries are looked at before the first is written, and every file gets its name only when it is
    complete. A FileError if an entry leaves the folder or is no file, if together they claim to be larger
    than such an archive can be, or if the archive is damaged.
    """
    try:
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as packed:
                return _unpack(_zipped(packed), archive, root, rule, meter)
        with archive.open("rb") as start:
            compressed = start.read(2) == b"\x1f\x8b"  # SPH's records.tar.gz is a plain tar
        file = _Gunzip(archive) if compressed else archive.open("rb")
        with file, tarfile.open(fileobj=file, mode="r:") as tar:
            return _unpack(_tarred(tar), archive, root, rule, meter)
    except FileError as error:
        tell = "nothing was written, tell the publisher or whoever runs the mirror"
        raise FileError(f"{archive} was not unpacked: {error}; {tell}") from None
    except _DAMAGED as error:
        raise FileError(f"{archive} is damaged ({error}); delete it and download it again") from None


def _zipped(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in archive.infolist():
        if info.is_dir():
            continue
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _refusal(info.filename, "is a link or a device")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refusal(info.filename, "is encrypted or compressed in an unusual way")
        if not info.filename.startswith("__MACOSX/"):
            yield _Entry(info.filename, info.file_size, partial(archive.open, info))


def _tarred(archive: tarfile.TarFile) -> Iterator[_Entry]:
    for info in archive:
        if not info.isdir():
            if not info.isreg():
                raise _refusal(info.name, "is a link or a device")
            yield _Entry(info.name, info.size, partial(archive.extractfile, info))


def _refusal(name: str, fault: str) -> FileError:
    return FileError(f"its entry {name[:200]!a} {fault}")


def _unpack(
    entries: Iterator[_Entry], archive: Path, root: Path, rule: Unpack, meter: Meter
) -> list[RemoteFile]:
    targets = list[tuple[str, _Entry]]()
    packed, claimed = archive.stat().st_size, 0
    for entry in entries:
        path = entry.name.removeprefix("./").removeprefix(rule.strip)
        if not disk.is_safe(path):
            raise _refusal(entry.name, "leaves the release's folder or has an unusable name")
        targets.append((f"{rule.into}/{path}" if rule.into else path, entry))
        claimed += entry.size
        if entry.size < 0 or claimed > MOST_EXPANSION * packed + CHUNK:
            raise FileError(
                f"it has {packed:,} bytes and claims to hold {claimed:,}, more than recordings do"
            )
    if not targets:
        raise FileError("it holds no file")
    if clash := disk.file_and_folder(path for path, _ in targets):
        raise _refusal(clash, "is a folder as well or there twice")
    if claimed > (free := disk.free_space(root)):
        raise LeadboardError(
            f"Unpacking {archive} needs {claimed:,} bytes and {free:,} are free; "
            "free some space and run the same command again."
        )
    return [_write(entry, path, root / path, meter) for path, entry in targets]


def _write(entry: _Entry, path: str, target: Path, meter: Meter) -> RemoteFile:
    digest = hashlib.sha256()
    with disk.disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        part = disk.beside(target, disk.PART)
        disk.write(part, _chunks(entry, digest.update), meter, "wb")
        part.replace(target)
    return RemoteFile(path, f"sha256:{digest.hexdigest()}", "", entry.size)


def _chunks(entry: _Entry, look: Callable[[bytes], None]) -> Iterator[bytes]:
    """Read an entry; whatever is wrong with it is no fault of the disk that it is written to."""
    left = entry.size
    try:
        if source := entry.open():
            with source:
                while chunk := source.read(CHUNK):
                    left -= len(chunk)
                    look(chunk)
                    yield chunk
    except OSError as error:
        raise EOFError(str(error)) from None
    if left:
        raise EOFError(f"{entry.name!a} ends early")

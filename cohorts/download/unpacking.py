"""Unpacking what a publisher packed, without trusting it: nothing is written outside of the folder."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from cohorts.download.disk import CHUNK, PART, FileError, Meter, beside, disk_errors, free_space
from cohorts.download.listing import RemoteFile, file_and_folder, safe_path
from cohorts.errors import LeadboardError
from cohorts.release import Unpack

MOST_EXPANSION = 50
"""No archive of signals grows more than this when it is unpacked; a bomb grows a thousandfold."""

_DAMAGED = (
    *(ArithmeticError, EOFError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error),
)
"""What the readers of archives raise; what the disk says to a write is a LeadboardError by then."""


class _Entry(NamedTuple):
    """A regular file in an archive: its name there, the size it claims, how to read it."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


class _Gunzip(gzip.GzipFile):
    """Keeps tarfile from reading a header of any length into memory."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= CHUNK:
            raise tarfile.ReadError("one of its headers is too long")
        return super().read(size)


def unpack(archive: Path, root: Path, rule: Unpack, meter: Meter) -> list[RemoteFile]:
    """Unpack a zip or tar archive below ``root``; give what was written, with its sums.

    All entries are looked at before the first is written, and every file gets its name only when it
    is complete.

    Raises
    ------
    FileError
        If an entry leaves the folder or is a link or a device, if together they claim to be larger
        than such an archive can be, or if the archive is damaged.
    LeadboardError
        If the disk has no room for them.
    """
    try:
        with _entries(archive) as entries:
            targets = _targets(archive, entries, rule)
            size, free = sum(entry.size for entry in targets.values()), free_space(root)
            if size > free:
                raise LeadboardError(
                    f"Unpacking {archive} needs {size:,} bytes and {free:,} are free; "
                    "free some space and run the same command again."
                )
            return [_write(entry, path, root, meter) for path, entry in targets.items()]
    except _DAMAGED as error:
        raise FileError(f"{archive} is damaged ({error}); delete it and download it again") from None


@contextmanager
def _entries(archive: Path) -> Iterator[Iterator[_Entry]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as contents:
            yield _zipped(archive, contents)
        return
    with archive.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"  # SPH's records.tar.gz is a plain tar
    with (
        _Gunzip(archive) if compressed else archive.open("rb") as file,
        tarfile.open(fileobj=file, mode="r:") as tar,
    ):
        yield _tarred(archive, tar)


def _zipped(archive: Path, contents: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in contents.infolist():
        if info.is_dir():
            continue
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise _refused(archive, info.filename, "is a link or a device")
        if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _refused(archive, info.filename, "is encrypted or compressed in an unusual way")
        if not info.filename.startswith("__MACOSX/"):
            yield _Entry(info.filename, info.file_size, partial(contents.open, info))


def _tarred(archive: Path, tar: tarfile.TarFile) -> Iterator[_Entry]:
    for info in tar:
        if not (info.isreg() or info.isdir()):
            raise _refused(archive, info.name, "is a link or a device")
        if info.isreg():
            yield _Entry(info.name, info.size, partial(tar.extractfile, info))


def _targets(archive: Path, entries: Iterator[_Entry], rule: Unpack) -> dict[str, _Entry]:
    """Where each entry goes, below the release's folder."""
    targets: dict[str, _Entry] = {}
    packed, claimed = archive.stat().st_size, 0
    for entry in entries:
        inside = entry.name.removeprefix("./").removeprefix(rule.strip)
        try:
            safe_path(inside)
        except LeadboardError:
            raise _refused(
                archive, entry.name, "leaves the release's folder or has an unusable name"
            ) from None
        path = f"{rule.into}/{inside}" if rule.into else inside
        if targets.setdefault(path, entry) is not entry:
            raise _refused(archive, entry.name, "is there twice")
        claimed += entry.size
        if entry.size < 0 or claimed > MOST_EXPANSION * packed + CHUNK:
            raise FileError(
                f"{archive} has {packed:,} bytes and claims to hold {claimed:,}; it was not unpacked, since "
                "an archive of recordings does not grow that much"
            )
    if clash := file_and_folder(targets):
        raise _refused(archive, targets[clash].name, "is a folder as well")
    if not targets:
        raise FileError(f"{archive} holds no file; delete it and download it again")
    return targets


def _write(entry: _Entry, path: str, root: Path, meter: Meter) -> RemoteFile:
    target, digest, size = root / path, hashlib.sha256(), 0
    piece = beside(target, PART)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with piece.open("wb") as file:
            for chunk in _chunks(entry):
                meter.wait()
                digest.update(chunk)
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        piece.replace(target)
    return RemoteFile(path, f"sha256:{digest.hexdigest()}", "", size)


def _chunks(entry: _Entry) -> Iterator[bytes]:
    """Read an entry; whatever is wrong with it is no fault of the disk that it is written to."""
    left = entry.size
    try:
        with entry.open() as source:
            while chunk := source.read(CHUNK):
                left -= len(chunk)
                yield chunk
    except OSError as error:
        raise EOFError(str(error)) from None
    if left:
        raise EOFError(f"{entry.name!a} ends early")


def _refused(archive: Path, name: str, why: str) -> FileError:
    return FileError(
        f"{archive} was not unpacked: its entry {name[:200]!a} {why}; nothing was "
        "written, tell the publisher or whoever runs the mirror"
    )

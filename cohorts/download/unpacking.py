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
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
)
"""What the readers of archives raise; what the disk says to a write is a LeadboardError by then."""


class _Entry(NamedTuple):
    """Something in an archive: its name there, the size it claims, what is wrong with it, how to read it."""

    name: str
    size: int
    fault: str
    open: Callable[[], IO[bytes] | None]


class _Gunzip(gzip.GzipFile):
    """Keeps tarfile from reading a header of any length into memory."""

    def read(self, size: int | None = -1) -> bytes:
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
                return _unpack(archive, _zipped(packed), root, rule, meter)
        with archive.open("rb") as start:
            compressed = start.read(2) == b"\x1f\x8b"  # SPH's records.tar.gz is a plain tar
        file = _Gunzip(archive) if compressed else archive.open("rb")
        with file, tarfile.open(fileobj=file, mode="r:") as tar:
            return _unpack(archive, _tarred(tar), root, rule, meter)
    except _DAMAGED as error:
        raise FileError(f"{archive} is damaged ({error}); delete it and download it again") from None


def _zipped(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in archive.infolist():
        fault = ""
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            fault = "is a link or a device"
        elif info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            fault = "is encrypted or compressed in an unusual way"
        if not info.is_dir() and (fault or not info.filename.startswith("__MACOSX/")):
            yield _Entry(info.filename, info.file_size, fault, partial(archive.open, info))


def _tarred(archive: tarfile.TarFile) -> Iterator[_Entry]:
    for info in archive:
        if not info.isdir():
            fault = "" if info.isreg() else "is a link or a device"
            yield _Entry(info.name, info.size, fault, partial(archive.extractfile, info))


def _unpack(
    archive: Path, entries: Iterator[_Entry], root: Path, rule: Unpack, meter: Meter
) -> list[RemoteFile]:
    targets: dict[str, _Entry] = {}
    packed, claimed = archive.stat().st_size, 0
    for entry in entries:
        inside = entry.name.removeprefix("./").removeprefix(rule.strip)
        path = f"{rule.into}/{inside}" if rule.into else inside
        fault = entry.fault or ("is there twice" if path in targets else "")
        try:
            safe_path(inside)
        except LeadboardError:
            fault = fault or "leaves the release's folder or has an unusable name"
        _refuse(archive, entry, fault)
        targets[path] = entry
        claimed += entry.size
        if entry.size < 0 or claimed > MOST_EXPANSION * packed + CHUNK:
            raise FileError(
                f"{archive} has {packed:,} bytes and claims to hold {claimed:,}; it was not unpacked, since "
                "an archive of recordings does not grow that much"
            )
    if not targets:
        raise FileError(f"{archive} holds no file; delete it and download it again")
    if clash := file_and_folder(targets):
        _refuse(archive, targets[clash], "is a folder as well")
    if claimed > (free := free_space(root)):
        raise LeadboardError(
            f"Unpacking {archive} needs {claimed:,} bytes and {free:,} are free; "
            "free some space and run the same command again."
        )
    return [_write(entry, path, root, meter) for path, entry in targets.items()]


def _refuse(archive: Path, entry: _Entry, fault: str) -> None:
    if fault:
        raise FileError(
            f"{archive} was not unpacked: its entry {entry.name[:200]!a} {fault}; nothing was "
            "written, tell the publisher or whoever runs the mirror"
        )


def _write(entry: _Entry, path: str, root: Path, meter: Meter) -> RemoteFile:
    target, digest = root / path, hashlib.sha256()
    piece = beside(target, PART)
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with piece.open("wb") as file:
            for chunk in _chunks(entry):
                meter.wait()
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        piece.replace(target)
    return RemoteFile(path, f"sha256:{digest.hexdigest()}", "", entry.size)


def _chunks(entry: _Entry) -> Iterator[bytes]:
    """Read an entry; whatever is wrong with it is no fault of the disk that it is written to."""
    left = entry.size
    try:
        if source := entry.open():
            with source:
                while chunk := source.read(CHUNK):
                    left -= len(chunk)
                    yield chunk
    except OSError as error:
        raise EOFError(str(error)) from None
    if left:
        raise EOFError(f"{entry.name!a} ends early")

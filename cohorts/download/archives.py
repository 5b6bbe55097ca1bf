"""Unpacking what a publisher packed, without trusting it: nothing is written outside of the folder."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import IO

from cohorts.download.ledger import Member
from cohorts.download.listing import PART, safe_path
from cohorts.download.releases import Unpack
from cohorts.download.transfer import FileError, StoppedError, beside, disk_errors
from cohorts.download.web import CHUNK
from cohorts.errors import LeadboardError

MOST_EXPANSION = 50
"""No archive of signals grows more than this when it is unpacked; a bomb grows a thousandfold."""

_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A regular file in an archive: its name there, the size it claims, how to read it."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, root: Path, rule: Unpack, stop: Event) -> list[Member]:
    """Unpack a zip or tar archive below ``root``.

    All entries are looked at before the first is written, and every file gets its name only when it
    is complete.

    Returns
    -------
    list of Member
        What was written, with its sums.

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
            _check_size(archive, sum(entry.size for entry in entries), root)
            return [_write(entry, path, root, stop) for path, entry in targets.items()]
    except (*_DAMAGED, OSError) as error:  # what the disk says to a write is a LeadboardError by now
        raise FileError(f"{archive} is damaged ({error}); delete it and download it again") from None


@contextmanager
def _entries(archive: Path) -> Iterator[list[_Entry]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as contents:
            yield [
                _Entry(info.filename, info.file_size, partial(contents.open, info))
                for info in contents.infolist()
                if _is_zipped_file(archive, info)
            ]
        return
    with archive.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"  # SPH's records.tar.gz is a plain tar
    with closing(tarfile.open(archive, "r:gz" if compressed else "r:")) as tar:
        yield [
            _Entry(info.name, info.size, partial(_open_member, tar, info))
            for info in tar
            if _is_tarred_file(archive, info)
        ]


def _is_zipped_file(archive: Path, info: zipfile.ZipInfo) -> bool:
    """Tell a file from a folder, and refuse what is neither or cannot be read."""
    if info.is_dir():
        return False
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise _refused(archive, info.filename, "is a link or a device")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused(archive, info.filename, "is encrypted or compressed in an unusual way")
    return not info.filename.startswith("__MACOSX/")


def _is_tarred_file(archive: Path, info: tarfile.TarInfo) -> bool:
    """Tell a file from a folder, and refuse what is neither."""
    if not (info.isreg() or info.isdir()):
        raise _refused(archive, info.name, "is a link or a device")
    return info.isreg()


def _open_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    file = tar.extractfile(info)
    if file is None:
        raise tarfile.ExtractError(f"{info.name!a} is no file")
    return file


def _targets(archive: Path, entries: list[_Entry], rule: Unpack) -> dict[str, _Entry]:
    """Where each entry goes, below the release's folder."""
    targets: dict[str, _Entry] = {}
    for entry in entries:
        inside = entry.name.removeprefix("./").removeprefix(rule.strip)
        path = f"{rule.into}/{inside}" if rule.into else inside
        try:
            safe_path(inside)
        except LeadboardError:
            raise _refused(
                archive, entry.name, "leaves the release's folder or has an unusable name"
            ) from None
        if path in targets:
            raise _refused(archive, entry.name, "is there twice")
        targets[path] = entry
    if not targets:
        raise FileError(f"{archive} holds no file; delete it and download it again")
    return targets


def _check_size(archive: Path, size: int, root: Path) -> None:
    packed, free = archive.stat().st_size, shutil.disk_usage(root).free
    if size > MOST_EXPANSION * packed + CHUNK:
        raise FileError(
            f"{archive} has {packed:,} bytes and claims to hold {size:,}; it was not unpacked, since "
            "an archive of recordings does not grow that much"
        )
    if size > free:
        raise LeadboardError(
            f"Unpacking {archive} needs {size:,} bytes and {free:,} are free; "
            "free some space and run the same command again."
        )


def _write(entry: _Entry, path: str, root: Path, stop: Event) -> Member:
    target = root / path
    piece = beside(target, PART)
    digest = hashlib.sha256()
    with entry.open() as source, disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with piece.open("wb") as file:
            for chunk in _chunks(source, entry):
                if stop.is_set():
                    raise StoppedError
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        piece.replace(target)
    return Member(path, entry.size, f"sha256:{digest.hexdigest()}")


def _chunks(source: IO[bytes], entry: _Entry) -> Iterator[bytes]:
    """Read an entry; whatever is wrong with it is no fault of the disk that it is written to."""
    size = 0
    try:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            yield chunk
    except OSError as error:
        raise EOFError(str(error)) from None
    if size != entry.size:
        raise EOFError(f"{entry.name!a} ends early")


def _refused(archive: Path, name: str, why: str) -> FileError:
    return FileError(
        f"{archive} was not unpacked: its entry {name[:200]!a} {why}; nothing was "
        "written, tell the publisher or whoever runs the mirror"
    )

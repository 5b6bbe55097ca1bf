"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from benchmark.text import printable
from cohorts.errors import LeadboardError


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write to a temporary file in the same folder, then rename it into place.

    Raises
    ------
    LeadboardError
        If the folder cannot be written to or the disk is full; nothing is left behind.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            with suppress(OSError):  # where the file system has no locks, only its age tells who is dead
                _lock(file)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
    except OSError as error:
        raise LeadboardError(
            f"Cannot write {path}: {error.strerror}; free some space or choose another folder."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _lock(file: IO[bytes]) -> None:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_PART = re.compile(r"\..+\.[a-z0-9_]{8}\.part")
"""Temporary files of `write_atomically`."""

_SURELY_DEAD = 24 * 3600.0
"""Seconds after which a temporary file without a lock is nobody's: longer than any write takes."""


def sweep(folders: Iterable[Path]) -> None:
    """Delete what calls of `write_atomically` that were killed have left in these folders.

    A living process has a lock on its file; one of the moment between making and locking it is empty.
    """
    for folder in folders:
        with suppress(OSError):  # a folder that is not there, or is somebody else's
            for path in folder.iterdir():
                if _PART.fullmatch(path.name) and not path.is_symlink() and path.is_file():
                    _delete_if_left(path)


def _delete_if_left(path: Path) -> None:
    with suppress(OSError), path.open("rb") as file:
        about = os.fstat(file.fileno())
        if time.time() - about.st_mtime < _SURELY_DEAD:
            if not about.st_size:
                return
            _lock(file)
        path.unlink()


def sha256_of_folder(folder: Path) -> str:
    """Hash names and contents of all files below ``folder``."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


MOST_JSON_BYTES = 256 * 2**20

MOST_TABLE_BYTES = 4 * 2**30
"""A table of float64 scores of the largest cohort for all concepts of the ontology is about half of it."""


def inside(folder: Path, relative: str) -> Path:
    """Join a path that is written in a file of the folder, if it stays in there.

    Raises
    ------
    LeadboardError
        If it is absolute, climbs, is not in its shortest form, has odd characters or passes a link.
    """
    parts = PurePosixPath(relative).parts
    plain = relative.isprintable() and "\\" not in relative and PurePosixPath(relative).as_posix() == relative
    if not parts or not plain or relative.startswith("/") or ".." in parts or parts == (".",):
        raise LeadboardError(f"The path '{printable(relative, 80)}' does not stay in its folder.")
    path = folder
    for part in parts:
        path /= part
        if path.is_symlink():
            raise LeadboardError(f"{printable(relative, 80)} is a link or lies behind one.")
    return path


def read_json(path: Path) -> Any:
    """Read strict JSON: no NaN or infinity, no name twice in an object.

    Raises
    ------
    LeadboardError
        If it is not that, or the file cannot be read or is too large.
    """
    try:
        if path.stat().st_size > MOST_JSON_BYTES:
            raise LeadboardError(f"{path} is larger than {MOST_JSON_BYTES // 2**20} MiB.")
        return json.loads(
            path.read_bytes(), parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_distinct
        )
    except OSError as error:
        raise LeadboardError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:
        raise LeadboardError(f"{path} is not strict JSON ({printable(str(error), 120)}).") from None


def sha256_of(path: Path) -> str:
    """Hash the bytes of a file.

    Raises
    ------
    LeadboardError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LeadboardError(f"{path} cannot be read ({error.strerror}).") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), -float("inf")):
        raise ValueError(f"{text} is too large")
    return number


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object has a name twice")
    return content

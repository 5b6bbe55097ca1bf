"""Files and folders: written so that a reader never meets half of one, and a stranger's read with care."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import stat
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from benchmark.text import printable
from cohorts.errors import LeadboardError, UsageError


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


@contextmanager
def refusing(refusal: Callable[[str], LeadboardError]) -> Iterator[None]:
    """Answer whatever a library raises on a stranger's file in one sentence.

    The readers of Parquet, npz and Excel raise almost anything on damaged bytes, from KeyError to
    TokenError, and other things with every version: here, at the boundary, all of it means the same.

    Parameters
    ----------
    refusal
        Makes the error from the reason.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old or odd formats, for the authors of the library
            yield
    except LeadboardError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        raise refusal(reason(error)) from None


def reason(error: Exception) -> str:
    """Take the first line of a library's message, short enough for a sentence."""
    message = getattr(error, "strerror", None) or str(error)
    return printable((message.splitlines() or [type(error).__name__])[0], 120).rstrip(".")


def regular_size(path: Path) -> int:
    """Size in bytes of what is to be read.

    Raises
    ------
    OSError
        If it is no regular file: a pipe or a device may hang or never end.
    """
    facts = path.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "a pipe, device or socket is not read; save it to a file")
    return facts.st_size


def sha256_of(path: Path) -> str:
    """Hash the bytes of a file.

    Raises
    ------
    LeadboardError
        If it cannot be read.
    """
    try:
        regular_size(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LeadboardError(f"{path} cannot be read ({error.strerror}).") from None


def why_no_folder(path: Path) -> str:
    """Say why there is no folder at a path and none can be made; empty if there is one or it can."""
    try:
        for place in (path, *path.parents):
            if place.is_dir():
                return ""
            if place.is_symlink() or place.exists():
                what = "a file" if place.exists() else "a link that leads nowhere"
                return f"{'it' if place == path else printable(str(place), 200)} is {what}, not a folder"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def is_file(path: Path) -> bool:
    """Whether there is a file at a path, also where no path can be so long."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder at a path, also where no path can be so long."""
    try:
        return path.is_dir()
    except OSError:
        return False


def from_home(path: Path | str) -> Path:
    """Resolve ``~`` at the start of a path; UsageError where there is no such home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"There is no home folder for {path}; write the path without '~'.") from None


def give_home() -> None:
    """Make sure that there is an answer to where the home folder is, if one below which nothing can be.

    Without any, some libraries fail, and some make a folder that is named ``~``.
    """
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = os.devnull

"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import math
import os
import re
import stat
import tempfile
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
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


MOST_JSON_BYTES = 64 * 2**20
"""A record that names three million quarantined recordings has as much."""

MOST_JSON_COMMAS = 3_000_000
MOST_JSON_GROUPS = 50_000
"""Lists and objects; the record of a hundred concepts in twenty subgroups has a fifth of it."""

MOST_JSON_VALUES = 200_000
"""Values in objects and lists, but lists of record ids: what is said of each wrong one takes memory."""

MOST_JSON_INTEGER = 2**64
"""No count and no seed is larger, and float64 holds the quotient of any two."""

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


def read_json(path: Path, long: Collection[str] = (), most: int = MOST_JSON_BYTES) -> Any:
    """Read strict JSON: no NaN or infinity, no name twice in an object, no more values than a result has.

    Parameters
    ----------
    long
        Names under which a list may have millions of entries.
    most
        Bytes of the file.

    Raises
    ------
    LeadboardError
        If it is not that, is no regular file, or cannot be read.
    """
    return parsed_json(json_bytes(path, most), path, long)


def parsed_json(content: bytes, path: Path, long: Collection[str] = ()) -> Any:
    """Parse what `json_bytes` read of a file, by the rules of `read_json`."""
    plain = _plain_json(content)
    if plain is not None:
        return plain
    try:
        return json.loads(
            content,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_countable,
            object_pairs_hook=_Objects(long),
        )
    except (ValueError, RecursionError) as error:
        raise LeadboardError(f"{path} is not strict JSON ({printable(str(error), 120)}).") from None


def json_bytes(path: Path, most: int = MOST_JSON_BYTES) -> bytes:
    """Read a text that takes no more memory as JSON than one of ours may; counting its signs says so."""
    try:
        if regular_size(path) > most:
            raise LeadboardError(f"{path} is larger than {most // 2**20} MiB.")
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        raise LeadboardError(f"{path} cannot be read ({reason(error)}).") from None
    groups, commas = _count(content, "[") + _count(content, "{"), _count(content, ",")
    if groups > MOST_JSON_GROUPS or commas > MOST_JSON_COMMAS:
        raise LeadboardError(f"{path} has {groups:,} lists and objects and {commas:,} commas; no result has.")
    if _count(content, ":") > MOST_JSON_VALUES:  # seldom: in ids, such as times of day, they are no names
        names = sum(1 for _ in re.finditer(rb'"\s*:', content))
        if names > MOST_JSON_VALUES:
            raise LeadboardError(f"{path} has {names:,} names of values; no result has.")
    return content


def _count(content: bytes, sign: str) -> int:
    """Count a sign that is met often: `bytes.count` stops at each one."""
    import numpy as np

    return int(np.count_nonzero(np.frombuffer(content, np.uint8) == ord(sign)))


_DIGITS = bytes(ord("0") if chr(sign).isascii() and chr(sign).isdecimal() else sign for sign in range(256))


def _plain_json(content: bytes) -> Any | None:
    """Read JSON in a quarter of the time if it plainly keeps every rule of `read_json`; None if it may not.

    Where nothing is escaped, quotes stand around names and texts alone: a text that comes back with as many
    has lost no name to another one like it. Twenty digits in a row are a large integer, or a fraction.
    """
    from pydantic_core import from_json, to_json

    signs = sum(_count(content, sign) for sign in "[{,")
    if may_have_large_integers(content) or b"\\" in content or signs > MOST_JSON_VALUES:
        return None
    try:
        found = from_json(content, allow_inf_nan=False)
        again = to_json(found)
    except ValueError:
        return None
    whole = _count(content, '"') == _count(again, '"') and b"Infinity" not in again
    return found if whole else None


def may_have_large_integers(content: bytes) -> bool:
    """Whether there are twenty digits in a row: a large integer, or a fraction."""
    shape, row = content.translate(_DIGITS), b"0" * 20
    return row in shape and shape.count(row) > shape.count(b"." + row)


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


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is too large")
    return number


def _countable(text: str) -> int:
    number = int(text)
    if abs(number) > MOST_JSON_INTEGER:
        raise ValueError(f"{text} is too large")
    return number


class _Objects:
    """Makes the objects of one text, and counts what is in them."""

    def __init__(self, long: Collection[str]) -> None:
        self.long, self.values = long, 0

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) != len(pairs):
            raise ValueError("an object has a name twice")
        self.values += len(pairs)
        for name, value in pairs:
            if value.__class__ is list and name not in self.long:
                self.values += len(value)
        if self.values > MOST_JSON_VALUES:
            raise ValueError(f"it has more than {MOST_JSON_VALUES:,} values")
        return content

"""The file of a store: tables that carry the sums of their bytes, one writer at a time, and what goes wrong.

HDF5 checks its own structures (where a table lies, how long it is, the attributes) only in the newer of its
layouts, which is used here: in the older one a flipped bit may send it round in circles. The content of a
table it leaves to us, so every table has an attribute ``crc32``. Text and lists are kept as the bytes of
their JSON, since the heap that HDF5 keeps text in has no sum. The signals have one sum a record instead.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from cohorts.errors import LeadboardError

Numbers = npt.NDArray[Any]
Found = TypeVar("Found")

FORMAT = 2
"""Version of what a store's file holds."""

_LAYOUT = ("v110", "v110")
# What h5py, numpy and pydantic raise for bytes that are not those of a store.
_DAMAGE = (
    *(OSError, LookupError, ValueError, TypeError, AttributeError),
    *(ArithmeticError, RuntimeError),
)


class DamagedStoreError(LeadboardError):
    """A store that cannot be read, or whose bytes are not those that were written.

    Parameters
    ----------
    path
        The file.
    damage
        What was found.
    """

    def __init__(self, path: Path, damage: str) -> None:
        super().__init__(f"{path} is damaged ({damage}); delete it and prepare it again.")
        self.path = path
        self.damage = damage

    def __reduce__(self) -> tuple[type[Self], tuple[Path, str]]:
        return type(self), (self.path, self.damage)


def open_file(path: Path, mode: Literal["r", "r+", "w"] = "r") -> h5py.File:
    """Open a store's file in the layout that HDF5 checks."""
    # Without a chunk cache a slice is read straight into the result. Locks fail on some network disks.
    return h5py.File(path, mode, rdcc_nbytes=0, locking=False, libver=_LAYOUT)


def write_numbers(group: h5py.Group, name: str, values: Numbers) -> None:
    """Write a table of numbers with its sum, in place of the one that is there."""
    if name in group:
        del group[name]
    group[name] = values
    group[name].attrs["crc32"] = zlib.crc32(np.ascontiguousarray(values).data)


def read_numbers(group: h5py.Group, name: str) -> Numbers:
    """Read a table of numbers.

    Raises
    ------
    ValueError
        If it is no table, or not the one that was written.
    """
    table = group[name]
    if not isinstance(table, h5py.Dataset):
        raise ValueError(f"{table.name} is no table")
    values: Numbers = table[()]
    if zlib.crc32(values.data) != table.attrs["crc32"]:
        raise ValueError(f"{table.name} does not fit its checksum")
    return values


def read_fact(file: h5py.File, name: str) -> str:
    """Read an attribute of the whole file, which is kept as bytes.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    value = file.attrs[name]
    if not isinstance(value, np.bytes_):
        raise ValueError(f"its {name} is no text")
    return value.decode()


def write_json(group: h5py.Group, name: str, content: list[Any]) -> None:
    """Write text, or lists of text, with their sum."""
    write_numbers(group, name, np.frombuffer(json.dumps(content).encode(), np.uint8))


def read_json(group: h5py.Group, name: str) -> list[Any]:
    """Read what `write_json` wrote; raises as `read_numbers`."""
    content: list[Any] = json.loads(read_numbers(group, name).tobytes())
    return content


def check_tables(group: h5py.Group, *, besides: str) -> None:
    """Compare every table below a group with its sum; raises as `read_numbers`.

    Parameters
    ----------
    besides
        Name of the tables that are left out.
    """
    for name, member in group.items():
        if isinstance(member, h5py.Group):
            check_tables(member, besides=besides)
        elif name != besides:
            read_numbers(group, name)


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Tell whatever h5py and a damaged file raise between them as one sentence.

    Raises
    ------
    LeadboardError
        If the file is not there.
    DamagedStoreError
        If it cannot be read.
    """
    try:
        yield
    except FileNotFoundError:
        raise LeadboardError(f"{path} is not there; prepare the cohort first.") from None
    except _DAMAGE as error:
        raise DamagedStoreError(path, " ".join(str(error).split()) or type(error).__name__) from None


class SharedFile:
    """The file of one store, opened once in each process and kept open.

    A store that is prepared again gets a new file in place of this one, which stays readable for whoever
    has it open: what is read later belongs to what was read first. Where the file has to be opened anew (in
    another process, or after `close`), its facts are compared with the first ones.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    make_again
        Makes a damaged file again from the release; None where the release is not known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.make_again: Callable[[], None] | None = None
        self.facts: tuple[str, ...] | None = None
        self.openings = 0
        self._opened: tuple[int, h5py.File] | None = None

    def read(self, look: Callable[[h5py.File], Found]) -> Found:
        """Give what ``look`` finds in the file; a damaged one is made again if that is possible.

        Raises
        ------
        LeadboardError
            If the file is not there, or not the store that it was.
        DamagedStoreError
            If it is damaged and cannot be made again.
        """
        try:
            return self._look(look)
        except DamagedStoreError as error:
            if self.make_again is None:
                raise
            self.close()
            try:
                self.make_again()
            except LeadboardError as obstacle:
                damage = f"{error.damage}, and it cannot be made again: {str(obstacle).rstrip('.')}"
                raise DamagedStoreError(self.path, damage) from None
        return self._look(look)

    def _look(self, look: Callable[[h5py.File], Found]) -> Found:
        with damage_told(self.path):
            return look(self._open())

    def _open(self) -> h5py.File:
        if self._opened is None or self._opened[0] != os.getpid():
            file = open_file(self.path)
            try:
                self._compare(file)
            except BaseException:
                file.close()
                raise
            self.openings += 1
            self._opened = (os.getpid(), file)
        return self._opened[1]

    def _compare(self, file: h5py.File) -> None:
        if file.attrs["format"] != FORMAT:
            raise LeadboardError(
                f"{self.path} has the layout of another version; delete it and prepare it again."
            )
        facts = tuple(read_fact(file, name) for name in ("fingerprint", "ontology_hash"))
        if self.facts not in (None, facts):
            raise LeadboardError(
                f"{self.path} was prepared again, from a changed release, while it was in use; run the same "
                "command again."
            )
        self.facts = facts

    def close(self) -> None:
        """Close the file; reading opens it again."""
        if self._opened is not None and self._opened[0] == os.getpid():
            self._opened[1].close()
        self._opened = None


@contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of one store; the kernel releases it when the process ends in whatever way."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def cannot_write(path: Path) -> Iterator[None]:
    """Tell a full or read-only disk as such; HDF5 hides the system's error number in its message."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = re.search(r"errno = (\d+)", str(error))
        if isinstance(error, RuntimeError) and number is None:
            raise
        reason = os.strerror(int(number[1])) if number else getattr(error, "strerror", None) or str(error)
        raise LeadboardError(
            f"The store {path} cannot be written ({reason}); free some space, or choose another cache folder "
            "with LEADBOARD_CACHE."
        ) from error

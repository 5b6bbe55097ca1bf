"""Reading npz that may be a stranger's: plain arrays only, and no more than was said.

Whatever numpy and zipfile raise here is for `benchmark.files.refusing` to catch, which every caller
stands in.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic

from benchmark.files import regular_size, sha256_of
from cohorts.hashing import hash_of_json

CHUNK = 2**18
"""Bytes that are read at once where nothing is kept: they stay in the cache of a processor."""

NAME_LENGTHS = 26
"""Where the header of a member in a zip file says how long its name and what follows it are."""

LENGTHS = {(1, 0): "<H", (2, 0): "<I"}
"""How the length of an array's header is written, by its version."""

Header = tuple[tuple[int, ...], bool, np.dtype[Any]]
"""Shape, whether its order is Fortran's, type."""


def checksums_of(path: Path) -> str:
    """Hash names, sizes and checksums of the members of a file, not what is in them; all of it if damaged."""
    try:
        regular_size(path)
        with zipfile.ZipFile(path) as archive:
            return hash_of_json([(one.filename, one.file_size, one.CRC) for one in archive.infolist()])
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return sha256_of(path)


def names_in(path: Path) -> list[str]:
    """Names of the arrays of a file."""
    with zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


def read_npz(path: Path, most: int, names: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Read every array of a file, or those of some names, and compare their checksums.

    Parameters
    ----------
    most
        Bytes that all of them may unpack to.

    Returns
    -------
    dict
        Arrays that cannot be written to.

    Raises
    ------
    ValueError
        If they are more, or a member is no plain array.
    """
    regular_size(path)
    with zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
        if size > most:
            raise ValueError(f"it unpacks to {size / 2**30:,.1f} GiB, which is too large")
        return {name: _array(archive.read(f"{name}.npy")) for name in names or names_in(path)}


def _array(content: bytes) -> npt.NDArray[Any]:
    """Give the array in the bytes of a member, which are not copied."""
    file = io.BytesIO(content)
    shape, fortran, dtype = _header(file)
    if 0 in shape:
        return np.empty(shape, dtype)
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> Header:
    """Read shape, order and type of a plain array; ValueError if it is none."""
    version = read_magic(file)
    if version not in LENGTHS:
        raise ValueError("a member is no plain array")
    size = file.read(struct.calcsize(LENGTHS[version]))
    return _parsed(version, size + file.read(*struct.unpack(LENGTHS[version], size)))


@lru_cache(maxsize=64)
def _parsed(version: tuple[int, int], header: bytes) -> Header:
    """Read what a header says: in most files of a run it is the same."""
    read = read_array_header_1_0 if version == (1, 0) else read_array_header_2_0
    shape, fortran, dtype = read(io.BytesIO(header))
    if dtype.hasobject or dtype.kind == "V" or not dtype.itemsize:
        raise ValueError("a member is no plain array")
    return shape, fortran, dtype


def shape_of(path: Path, name: str) -> tuple[tuple[int, ...], str]:
    """Give shape and type of an array and compare its checksum, without holding it in memory."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        shape, _, dtype = _header(file)
        while file.read(CHUNK):  # at the end its checksum is compared
            pass
    return shape, dtype.name


def read_stored(path: Path, name: str) -> npt.NDArray[Any]:
    """Read an array of a file whose checksums were compared before; with ours that is twice as fast."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type != zipfile.ZIP_STORED:
            return _array(archive.read(member))
        file.seek(member.header_offset + NAME_LENGTHS)
        file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
        shape, fortran, dtype = _header(file)
        values = np.fromfile(file, dtype, math.prod(shape))
    return values.reshape(shape, order="F" if fortran else "C")

"""Reading npz that may be a stranger's: plain arrays only, and no more than was said.

Whatever numpy and zipfile raise here is for `benchmark.files.refusing` to catch, which every caller
stands in.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.files import regular_size, sha256_of
from cohorts.hashing import hash_of_json


def checksums_of(path: Path) -> str:
    """Hash names, sizes and checksums of the members of a file, not what is in them; all of it if damaged."""
    try:
        regular_size(path)
        with zipfile.ZipFile(path) as archive:
            return hash_of_json([(one.filename, one.file_size, one.CRC) for one in archive.infolist()])
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return sha256_of(path)


def read_npz(path: Path, most: int, names: Collection[str] = ()) -> dict[str, npt.NDArray[Any]]:
    """Read every array of a file, or those of some names.

    Parameters
    ----------
    most
        Bytes that all of them may unpack to.

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
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        arrays = {str(name): np.asarray(file[name]) for name in names or file.files}
    strange = [name for name, array in arrays.items() if array.dtype.hasobject or array.dtype.kind == "V"]
    if strange:
        raise ValueError(f"{len(strange)} of its members are no plain arrays")
    return arrays

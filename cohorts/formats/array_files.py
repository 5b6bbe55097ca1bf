"""Arrays in HDF5 and NumPy files: whatever a damaged one raises becomes the reason of a quarantine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from zipfile import BadZipFile

from cohorts.errors import RecordError
from cohorts.formats.wfdb_header import cause

# What h5py and numpy are known to raise for files with changed or missing bytes. A syntax or token
# error is what becomes of the header of a NumPy file, which is Python text.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    TokenError,
    BadZipFile,
)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Tell a missing or damaged file as such.

    Raises
    ------
    RecordError
        With the file's name and what was found, without its folder.
    """
    if not file.is_file():
        raise RecordError(f"{file.name} is not there.")
    try:
        yield
    except _DAMAGE as error:
        what = cause(error).replace(f"{file.parent}{os.sep}", "")[:150]
        raise RecordError(f"{file.name} cannot be read ({what}).") from None

"""Where the recordings of a table lie: the one path template under which its files are there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cohorts.own.column_names import is_name
from cohorts.own.paths import fill, objections
from cohorts.release_files import is_foreign

_FORMATS = (".hea", ".xml", ".dcm", ".edf", ".bdf")
_ARRAYS = (".npy", ".npz", ".h5", ".hdf5", ".csv", ".parquet", ".pq")
_DATA_OF_WFDB = (".dat", ".mat")
_LOOKED_AT = 40
"""Rows of which the files are looked for, from the first to the last."""
_MOST_FOLDERS = 200

Template = Sequence[tuple[str, str | None]]


def signals(
    folder: Path, cells: pd.DataFrame, called: Sequence[str], record: str
) -> tuple[tuple[str, ...], str, str]:
    """Look for the files of a few rows in the folder and those right below it.

    Parameters
    ----------
    called
        Columns whose names are those of files.
    record
        Column of the ids, after which files may be called as well; "" if unknown.

    Returns
    -------
    Columns, the template as TOML ("" where there is not exactly one), and why.
    """
    columns = list(called) or _by_their_ends(cells) or [record] * bool(record)
    rows = cells.iloc[np.unique(np.linspace(0, len(cells) - 1, _LOOKED_AT).astype(int))]
    prefixes = list(_prefixes(folder))
    found: dict[tuple[str, str, str], int] = {}
    for column in columns:
        ends = rows[column].str.lower().str.extract(r"(\.[a-z0-9]{2,7})$")[0]
        if ends.isin(_DATA_OF_WFDB).any():
            return (column,), "", "It names the data of WFDB; the path is that of the header (.hea)"
        for prefix in prefixes:
            for suffix in ("",) if ends.notna().any() else ("", *_FORMATS, *_ARRAYS):
                count = _there(folder, [(prefix, column), (suffix, None)], rows)
                if 2 * count > len(rows):
                    found[prefix, column, suffix] = count
    if not columns:
        return (), "", "No column is called like one of files, and no cells end like one"
    if len(found) > 1:
        places = " and ".join(f"{prefix}{{{column}}}{suffix}" for prefix, column, suffix in found)
        several = tuple(dict.fromkeys(column for _, column, _ in found))
        return several, "", f"Files are at {places}; say which are meant"
    if not found:
        if not called and columns == [record]:
            return (), "", "No column is called like one of files"
        return tuple(columns), "", "Called like one of files, but they are neither here nor one folder below"
    ((prefix, column, suffix), count) = next(iter(found.items()))
    why = f"{count} of {len(rows)} files that were looked for are there"
    arrays = len(rows) if suffix in _ARRAYS else int(rows[column].str.lower().str.endswith(_ARRAYS).sum())
    if arrays == len(rows):
        why += "; they are arrays, so state format and the table [array]"
    elif arrays:
        why += f"; {arrays} are tables or arrays, so state what is in them, in the table [array]"
    template = json.dumps(f"{prefix}{{{column}}}{suffix}", ensure_ascii=False)
    return (column,), template, why


def _by_their_ends(cells: pd.DataFrame) -> list[str]:
    """Columns whose cells end like files of ECGs."""
    ends = (*_FORMATS, *_ARRAYS, *_DATA_OF_WFDB)
    return [
        str(name)
        for name in cells.columns
        if len(filled := cells[name][cells[name] != ""]) and filled.str.lower().str.endswith(ends).all()
    ]


def _prefixes(folder: Path) -> Iterator[str]:
    """Yield the folder itself and those right below it, as far as they can stand in a template."""
    yield ""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return
    yield from (f"{name}/" for name in names[:_MOST_FOLDERS] if is_name(name) and not is_foreign(name))


def _there(folder: Path, template: Template, rows: pd.DataFrame) -> int:
    """Count the rows whose file is there."""
    paths = fill(template, rows)
    allowed = paths[objections(template, rows, paths).isna()]
    return sum(_is_file(folder / path) for path in allowed)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False

"""What kind of file somebody brings, by its first bytes: its name may say anything."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from benchmark.files import refusing, regular_size
from cohorts.errors import LeadboardError, UsageError

Kind = Literal["csv", "packed csv", "parquet", "excel", "npz", "frame"]

GZIP = b"\x1f\x8b"

OTHERS = {
    b"\xfd7zXZ": "compressed with xz: unpack it first",
    b"BZh": "compressed with bzip2: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: unpack it first",
    b"7z\xbc\xaf": "an archive (7z): unpack it first",
    b"\xd0\xcf\x11\xe0": "a file of an old Excel: save the table as .xlsx or CSV",
    b"ARROW1": "an Arrow file: write the table as Parquet or CSV",
    b"FEA1": "a Feather file: write the table as Parquet or CSV",
    b"\x89HDF": "an HDF5 file: write the table as Parquet or CSV",
    b"\x93NUMPY": "a single array of numpy: write a table as CSV or Parquet, with the id of each record",
    b"\x80\x04": "a pickle, which is not opened because it can run any code: write CSV or Parquet",
    b"\x80\x05": "a pickle, which is not opened because it can run any code: write CSV or Parquet",
    b"\xff\xfe": "text in UTF-16: save the table as CSV in UTF-8",
    b"\xfe\xff": "text in UTF-16: save the table as CSV in UTF-8",
}
"""First bytes of what is often brought instead of a table, and what to do."""


def kind_of(path: Path) -> Kind:
    """Tell what a file is.

    Raises
    ------
    UsageError
        If it cannot be read, or is of a kind that is not read here.
    """
    with refusing(lambda why: UsageError(f"{path} cannot be read ({why}); check the path.")):
        regular_size(path)
        with path.open("rb") as file:
            start = file.read(8)
    for magic, what in OTHERS.items():
        if start.startswith(magic):
            raise UsageError(f"{path} is {what}.")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(GZIP):
        return "packed csv"
    return _kind_of_archive(path) if start.startswith(b"PK\x03\x04") else "csv"


def _kind_of_archive(path: Path) -> Kind:
    """Tell Excel from npz; a damaged one is what its name says, and its reader says what is wrong."""
    try:
        with refusing(LeadboardError), zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except LeadboardError:
        return "excel" if path.suffix.lower() in (".xlsx", ".xlsm") else "npz"
    if "xl/workbook.xml" in names:
        return "excel"
    if any(name.endswith(".npy") for name in names):
        return "npz"
    raise UsageError(f"{path} is a zip archive, neither Excel nor npz: unpack it first.")

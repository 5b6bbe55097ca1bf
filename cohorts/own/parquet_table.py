"""Parquet, whose columns have types, read as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from cohorts.errors import UsageError
from cohorts.own.column_names import check_columns
from cohorts.own.workbook import EXACT, moment


def read_parquet(path: Path, wanted: list[str]) -> pd.DataFrame:
    """Read columns of a Parquet file as text."""
    check_columns(path, wanted, pyarrow.parquet.read_schema(path).names)
    table = pyarrow.parquet.read_table(path, columns=wanted, partitioning=None)
    return pd.DataFrame({name: _as_text(path, name, table.column(name)) for name in wanted})


def parquet_columns(path: Path) -> list[str]:
    """Names of the columns that can be read as text."""
    return [field.name for field in pyarrow.parquet.read_schema(path) if not _is_no_text(field.type)]


def _as_text(path: Path, name: str, column: pa.ChunkedArray) -> pd.Series[str]:
    """Write a typed column as text: whole numbers without a point, dates as ISO 8601, true as 1."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    text: pd.Series[str]
    if pa.types.is_floating(kind):
        values = column.to_pandas()
        exact = {"halffloat": 2**11, "float": 2**24}.get(str(kind), EXACT)
        if ((values % 1 == 0) & (values.abs() >= exact)).any():  # two ids may have become one
            raise UsageError(
                f"The column '{name}' of {path} holds whole numbers of {exact:,} or more as {kind}, which "
                "no longer holds each of them; write it as text or as integers."
            )
        whole = values.isna() | (values % 1 == 0)
        text = values.astype("Int64" if whole.all() else "float64").astype("string").fillna("").astype("str")
        return text
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif pa.types.is_timestamp(kind):
        column = pa.chunked_array([column.to_pandas().map(moment, na_action="ignore").astype("str")])
    elif _is_no_text(kind):
        raise UsageError(f"The column '{name}' of {path} holds {kind}, not text or numbers.")
    text = column.cast(pa.string()).fill_null("").to_pandas().astype("str")
    return text


def _is_no_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind))

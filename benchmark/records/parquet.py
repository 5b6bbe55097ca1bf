"""Reading Parquet that may be a stranger's, in memory that follows from what it declares.

Whatever pyarrow raises here is for `benchmark.files.refusing` to catch, which every caller stands in.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmark.files import MOST_TABLE_BYTES, regular_size
from cohorts.errors import LeadboardError

MOST_TEXT_BYTES = 2**30
"""Of one column: ten million ids of a hundred letters. A dictionary of one long text can stand for more."""


class TooLargeError(LeadboardError):
    """A table that would not fit in memory; the message is what it has, without the file."""


def parquet_schema(path: Path, cell_bytes: int) -> pa.Schema:
    """Read names, types and metadata of the columns.

    Parameters
    ----------
    cell_bytes
        That a number takes when it is read.

    Raises
    ------
    TooLargeError
        If the table is, or declares, more than any table of scores.
    """
    size = regular_size(path)
    file = pq.ParquetFile(path)
    declared = file.metadata.num_rows * file.metadata.num_columns * cell_bytes
    unpacked = sum(file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups))
    largest = max(size, declared, unpacked)
    if largest > MOST_TABLE_BYTES:
        raise TooLargeError(f"{largest / 2**30:,.0f} GiB")
    return file.schema_arrow


def read_parquet(path: Path, names: list[str]) -> pa.Table:
    """Read columns of a table whose schema was looked at; text comes as text, however it is stored.

    Raises
    ------
    TooLargeError
        If the texts of a column are longer together than any column of ids.
    """
    schema = pq.ParquetFile(path).schema_arrow
    texts = [name for name in names if _is_text(schema.field(name).type)]
    file = pq.ParquetFile(path, read_dictionary=texts)
    table = file.read(columns=names).select(names)
    table.validate(full=True)
    for name in texts:
        _check_text(name, table[name])
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, table[name].cast(pa.large_string()))
    return table.replace_schema_metadata(None)


def _is_text(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    )


def _check_text(name: str, column: pa.ChunkedArray) -> None:
    total = 0
    for chunk in column.chunks:
        lengths = pc.binary_length(chunk.dictionary) if pa.types.is_dictionary(chunk.type) else None
        each = pc.binary_length(chunk) if lengths is None else lengths.take(chunk.indices)
        total += pc.sum(each.cast(pa.int64())).as_py() or 0
    if total > MOST_TEXT_BYTES:
        raise TooLargeError(f"{total / 2**30:,.0f} GiB of text in column '{name}'")

"""The predictions table: one row a record, one float32 column a concept, as Parquet."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmark.files import write_atomically
from cohorts.errors import LeadboardError

_KEY = b"leadboard.key"


def content_hash(predictions: pd.DataFrame) -> str:
    """Hash record ids, column names and float32 values; independent of the Parquet writer."""
    digest = hashlib.sha256()
    for name in (*predictions.columns, "", *predictions["record_id"]):
        digest.update(str(name).encode() + b"\0")
    digest.update(score_matrix(predictions).astype("<f4").tobytes())
    return digest.hexdigest()


def score_matrix(predictions: pd.DataFrame) -> npt.NDArray[np.float32]:
    """The scores alone, float32 ``[records, concepts]``."""
    return predictions.drop(columns="record_id").to_numpy(dtype=np.float32)


def save_predictions(
    record_ids: pd.Series[str],
    scores: npt.NDArray[np.float32],
    outputs: tuple[str, ...],
    key: str,
    path: Path,
) -> pd.DataFrame:
    """Write scores ``[records, outputs]`` with the key of what they were made from."""
    table = pd.DataFrame(scores, columns=list(outputs))
    table.insert(0, "record_id", record_ids.to_numpy())
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    arrow = arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), _KEY: key.encode()})
    buffer = io.BytesIO()
    pq.write_table(arrow, buffer, compression="zstd")
    write_atomically(path, buffer.getvalue())
    return table


def load_predictions(path: Path) -> tuple[pd.DataFrame, str]:
    """Read a predictions file of the suite and the key that it was made under.

    Raises
    ------
    LeadboardError
        If the file is damaged or is not a predictions table.
    """
    try:
        arrow = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise LeadboardError(
            f"The predictions {path} cannot be read ({error}); delete them and run again."
        ) from error
    key = (arrow.schema.metadata or {}).get(_KEY)
    if key is None or "record_id" not in arrow.column_names:
        raise LeadboardError(f"{path} is not a predictions table of this suite; delete it and run again.")
    return arrow.to_pandas(), key.decode()

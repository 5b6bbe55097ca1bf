"""Tables of scores in every form that is read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def write(table: pd.DataFrame, folder: Path, kind: str) -> Path:
    path = folder / f"scores.{kind}"
    if kind == "parquet":
        table.to_parquet(path)
    elif kind == "csv":
        table.to_csv(path, index=False)
    elif kind == "tsv":
        table.to_csv(path, index=False, sep="\t", encoding="utf-8-sig")
    elif kind == "npz":
        np.savez(
            path, **{name: table[name].to_numpy(dtype=None if name != "record_id" else str) for name in table}
        )
    else:
        path = folder / "scores.npz"
        scores = table.drop(columns="record_id")
        ids = table["record_id"].to_numpy(dtype=str)
        np.savez_compressed(path, record_id=ids, scores=scores.to_numpy(), outputs=list(scores.columns))
    return path

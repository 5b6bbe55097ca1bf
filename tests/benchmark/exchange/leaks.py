"""Looking for what must not leave: in every byte of a folder, packed ones included."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

COUNTED = ("n", "positives", "records", "scored", "patients", "unselected", "unusable")


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Give every file as text, with its path: raw, and unpacked where it is Parquet, zip or npz."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        yield name, name
        yield from unpacked(name, path.read_bytes())


def unpacked(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    yield name, content.decode("latin-1")
    if content[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(content))
        yield name, f"{table.schema.metadata} {table.to_pandas().to_csv()}"
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for inner in packed.namelist():
                yield from unpacked(f"{name}/{inner}", packed.read(inner))
    if content[:6] == b"\x93NUMPY":
        yield name, " ".join(map(str, np.load(io.BytesIO(content), allow_pickle=False).ravel().tolist()))


def found_in(folder: Path, secrets: set[str]) -> set[str]:
    """Which of some words stand anywhere in a folder."""
    whole = "\n".join(text for _, text in texts(folder))
    return {secret for secret in secrets if secret in whole}


def numbers(value: Any) -> Iterator[float]:
    """Every number in the content of a JSON file."""
    if isinstance(value, dict):
        for one in value.values():
            yield from numbers(one)
    elif isinstance(value, list):
        for one in value:
            yield from numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def counts(value: Any, name: str = "") -> Iterator[Any]:
    """Every value in a field of counts in the content of a JSON file."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from counts(one, key)
    elif name in COUNTED and value is not None:
        yield value


def json_files(folder: Path) -> dict[str, Any]:
    return {p.relative_to(folder).as_posix(): json.loads(p.read_text()) for p in folder.rglob("*.json")}


def scores_of(predictions: pd.DataFrame) -> np.ndarray:
    return predictions.drop(columns="record_id").to_numpy(np.float64).ravel()

"""Predictions come back as they were saved, and damage is noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.records.predictions import (
    content_hash,
    load_predictions,
    predictions_table,
    save_predictions,
    score_matrix,
    score_tables,
)
from cohorts.errors import LeadboardError

IDS = pd.Series(["00001", "a b", "ü"])
SCORES = np.array([[0.25, 1e-7], [-3.0, 2.0], [1.0, np.float32(0.1)]], dtype=np.float32)


def test_round_trip_keeps_every_bit(tmp_path: Path) -> None:
    saved = predictions_table(IDS, SCORES[None], ("AF", "LVH"))
    save_predictions(saved, "some-key", tmp_path / "x.parquet")
    loaded, key = load_predictions(tmp_path / "x.parquet")
    assert key == "some-key"
    assert list(loaded.columns) == ["record_id", "AF", "LVH"]
    assert list(loaded["record_id"]) == list(IDS)
    np.testing.assert_array_equal(score_matrix(loaded), SCORES)
    assert content_hash(loaded) == content_hash(saved)


def test_fits_lie_side_by_side_and_come_apart_again(tmp_path: Path) -> None:
    scores = np.stack([SCORES, 2 * SCORES, -SCORES])
    save_predictions(predictions_table(IDS, scores, ("AF", "LVH")), "key", tmp_path / "x.parquet")
    loaded, _ = load_predictions(tmp_path / "x.parquet")
    assert list(loaded.columns)[1:4] == ["AF#1", "LVH#1", "AF#2"]
    assert len(loaded) == len(IDS)
    fits, outputs = score_tables(loaded)
    assert outputs == ["AF", "LVH"]
    np.testing.assert_array_equal(np.stack([fit.to_numpy() for fit in fits]), scores)


@given(st.integers(0, 2), st.integers(0, 1), st.floats(width=32, allow_nan=False))
def test_hash_sees_every_value(row: int, column: int, value: float) -> None:
    table = pd.DataFrame(SCORES, columns=["AF", "LVH"])
    table.insert(0, "record_id", IDS)
    changed = table.copy()
    changed.iloc[row, column + 1] = np.float32(value)
    same = table.iloc[row, column + 1] == np.float32(value) and np.signbit(value) == np.signbit(
        SCORES[row, column]
    )
    assert (content_hash(changed) == content_hash(table)) == same


def test_hash_sees_names_ids_and_order() -> None:
    table = pd.DataFrame(SCORES, columns=["AF", "LVH"])
    table.insert(0, "record_id", IDS)
    others = [
        table.rename(columns={"AF": "AFL"}),
        table.assign(record_id=["00001", "a b", "u"]),
        table.iloc[::-1],
        table[["record_id", "LVH", "AF"]],
    ]
    assert len({content_hash(other) for other in [table, *others]}) == 5


def test_damaged_and_foreign_files_say_so(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    save_predictions(predictions_table(IDS, SCORES[None], ("AF", "LVH")), "k", path)
    content = path.read_bytes()
    for damaged in (b"", content[: len(content) // 2], b"not parquet"):
        path.write_bytes(damaged)
        with pytest.raises(LeadboardError, match="cannot be read"):
            load_predictions(path)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(LeadboardError, match="no table of record_id and float32 scores"):
        load_predictions(path)

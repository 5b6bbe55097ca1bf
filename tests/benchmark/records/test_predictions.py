"""Predictions come back as they were saved, and damage is noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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


def test_a_link_and_a_missing_file_are_no_predictions(tmp_path: Path) -> None:
    path, link = tmp_path / "x.parquet", tmp_path / "link.parquet"
    with pytest.raises(LeadboardError, match=r"x\.parquet are not there"):
        load_predictions(path)
    save_predictions(predictions_table(IDS, SCORES[None], ("AF", "LVH")), "k", path)
    link.symlink_to(path)
    with pytest.raises(LeadboardError, match=r"link\.parquet are not there"):
        load_predictions(link)


def test_a_table_that_would_not_fit_in_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rows = tmp_path / "x.parquet", 10_000
    ids, zeros = pd.Series(["x"] * rows), np.zeros((1, rows, 2), np.float32)
    save_predictions(predictions_table(ids, zeros, ("AF", "LVH")), "k", path)
    declared = rows * 3 * 4
    assert path.stat().st_size < declared / 10
    monkeypatch.setattr("benchmark.records.parquet.MOST_TABLE_BYTES", declared)
    assert len(load_predictions(path)[0]) == rows
    for most in (declared - 1, path.stat().st_size - 1):
        monkeypatch.setattr("benchmark.records.parquet.MOST_TABLE_BYTES", most)
        with pytest.raises(LeadboardError, match="are too large"):
            load_predictions(path)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"AF": pa.array([0.5], pa.float32()), "record_id": ["a"]}),
        pa.table({"record_id": ["a"], "AF": pa.array([0.5], pa.float64())}),
        pa.table({"record_id": [1], "AF": pa.array([0.5], pa.float32())}),
        pa.table([["a"], *[pa.array([0.5], pa.float32())] * 2], ["record_id", "AF", "AF"]),
    ],
    ids=["id last", "double precision", "numbered", "twice"],
)
def test_tables_of_another_kind_are_refused(tmp_path: Path, table: pa.Table) -> None:
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(LeadboardError, match="no table of record_id and float32 scores"):
        load_predictions(tmp_path / "x.parquet")


def test_short_text_ids_are_text_too_and_a_table_may_name_no_key(tmp_path: Path) -> None:
    table = pa.table({"record_id": pa.array(["a"], pa.large_string()), "AF": pa.array([0.5], pa.float32())})
    pq.write_table(table, tmp_path / "x.parquet")
    assert load_predictions(tmp_path / "x.parquet")[1] == ""

"""Files of a stranger that are made to hang, to fill the memory or to break a parser."""

from __future__ import annotations

import json
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import TypeAdapter, ValidationError

from benchmark.files import MOST_TABLE_BYTES, sha256_of
from benchmark.records.faults import first_fault
from benchmark.records.manifest import hashes
from benchmark.records.predictions import load_predictions
from benchmark.records.record import Quarantined, load_record
from benchmark.records.resamples import load_resamples, resamples_path, save_resamples
from benchmark.records.run_folder import load_cells
from benchmark.records.strict_json import read_json
from benchmark.records.submission import pack
from benchmark.records.verification import verify
from cohorts.errors import LeadboardError
from tests.benchmark.tiny_run import make_places, make_run


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"), make_places(tmp_path_factory.mktemp("home")))


@pytest.fixture
def submission(tmp_path: Path, genuine: Path) -> Path:
    return pack(genuine, tmp_path / "submissions", "noisy")[0]


def bind(path: Path) -> None:
    os.chdir(path.parent)  # the name of a socket may have a hundred letters
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)


@pytest.mark.parametrize("make", [os.mkfifo, bind, Path.mkdir])
@pytest.mark.parametrize(
    "name",
    [
        "records/as-is/georgia.json",
        "predictions/as-is/georgia.parquet",
        "validation/as-is.parquet",
        "card.json",
        "environment.json",
    ],
)
def test_a_pipe_a_socket_or_a_folder_in_the_place_of_a_file_is_named(
    submission: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], name: str
) -> None:
    monkeypatch.chdir(submission)
    (submission / name).unlink(missing_ok=True)
    make(submission / name)
    found = verify(submission, lambda _, signals=True: None)
    assert any(Path(name).stem in where for where, _ in (*found.differences, *found.unchecked))
    assert found.differences


def test_a_device_is_not_read(tmp_path: Path) -> None:
    for read in (read_json, sha256_of, load_record):
        with pytest.raises(LeadboardError, match="a pipe, device or socket is not read"):
            read(Path("/dev/zero"))
    with pytest.raises(LeadboardError, match="cannot be read"):
        read_json(tmp_path / "a\0b")


def test_what_no_submission_has_is_not_hashed(submission: Path) -> None:
    with (submission / "huge").open("wb") as file:
        file.truncate(MOST_TABLE_BYTES + 1)
    os.mkfifo(submission / "pipe")
    found = hashes(submission)
    assert (found["huge"], found["pipe"]) == ("too large", "no plain file")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (lambda: "[]," * 100_000, "100,000 lists and objects and 100,000 commas; no result has"),
        (lambda: '{"a":[' + "0," * 3_000_001 + "0]}", "3,000,001 commas; no result has"),
        (lambda: '{"a":[' + "0," * 200_000 + "0]}", "has more than 200,000 values"),
        (lambda: "{" + ",".join(f'"{at}"\n:0' for at in range(200_001)) + "}", "200,001 names of values"),
        (lambda: "[" * 40_000, "is not strict JSON (maximum recursion depth"),
        (lambda: '{"key":' + "9" * 21 + "}", "is too large"),
        (lambda: '{"key":' + "9" * 5000 + "}", "is not strict JSON"),
        (lambda: '{"key":1e999}', "is too large"),
        (lambda: '{"key":NaN}', "NaN is no number of JSON"),
        (lambda: '{"\\u001b[2J":1}', "is not a result record of schema 3: key: Field required"),
        (lambda: '{"key":"\\ud800"}', "is not a result record"),
    ],
)
def test_a_record_made_to_fill_the_memory_is_refused(
    tmp_path: Path, text: Callable[[], str], words: str
) -> None:
    path = tmp_path / "georgia.json"
    path.write_text(text())
    with pytest.raises(LeadboardError) as caught:
        load_record(path)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()
    found = verify(path, lambda _, signals=True: None)
    assert [what for _, what in found.differences] == [str(caught.value)]


def test_a_huge_record_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "georgia.json").open("wb") as file:
        file.truncate(10**13)  # without a byte of it on disk
    found = verify(tmp_path / "georgia.json", lambda _, signals=True: None)
    assert [what.rpartition(" is ")[2] for _, what in found.differences] == ["larger than 64 MiB."]


def test_a_huge_card_or_manifest_is_named(submission: Path) -> None:
    for name in ("card.json", "environment.json", "manifest.json"):
        (submission / name).write_text(json.dumps({"model": "x" * 5_000_000}))
    said = dict(verify(submission, lambda _, signals=True: None).differences)
    for name in ("card.json", "environment.json", "manifest.json"):
        assert "is larger than 4 MiB" in said[name]


def test_a_million_quarantined_records_are_read(tmp_path: Path, genuine: Path) -> None:
    record = json.loads((genuine / "noisy/as-is/georgia.json").read_text())
    ids = [f"2020-01-01T10:00:00/{at}" for at in range(1_000_000)]
    record["records"]["quarantined"] = [{"reason": "its file is missing", "record_ids": ids}]
    (tmp_path / "x.json").write_text(json.dumps(record, indent=2))
    assert load_record(tmp_path / "x.json").records.unusable == 1_000_000


def test_a_thousand_faults_are_counted_and_not_told() -> None:
    with pytest.raises(ValidationError) as many:
        TypeAdapter(list[int]).validate_python(["x"] * 1_001)
    assert first_fault(many.value) == "1,001 faults"
    with pytest.raises(ValidationError) as caught:
        Quarantined.model_validate({"reason": "x", "record_ids": [0] * 1_000})
    assert caught.value.error_count() == 1
    with pytest.raises(ValidationError) as strange:
        Quarantined.model_validate({"reason": "x", "record_ids": [], "\x1b[2J": 1})
    assert first_fault(strange.value).isprintable()


HOSTILE_METADATA = [
    {b"pandas": b'{"index_columns": ["none"], "columns": [{"name": 1}]}'},
    {b"pandas": b"\xff\xfe"},
    {b"\xff": b"\xff"},
    {b"ARROW:schema": b"////"},
]


@pytest.mark.parametrize("metadata", HOSTILE_METADATA)
def test_metadata_of_predictions_are_not_believed(tmp_path: Path, metadata: dict[bytes, bytes]) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"record_id": ["a", "b"], "AF": pa.array([0.5, 0.25], pa.float32())})
    pq.write_table(table.replace_schema_metadata(metadata), path)
    if b"ARROW:schema" in metadata:
        with pytest.raises(LeadboardError, match=r"x\.parquet cannot be read"):
            load_predictions(path)
    else:
        assert load_predictions(path)[0]["record_id"].tolist() == ["a", "b"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_a_cell_or_a_name_that_is_no_utf_8_is_refused(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"record_id": pa.array(["aaaaXaaaa"], kind), "AF": pa.array([0.5], pa.float32())})
    for name, old in (("cell", b"aaaaXaaaa"), ("name", b"record_id")):
        pq.write_table(table, path, compression="none", use_dictionary=False)
        path.write_bytes(path.read_bytes().replace(old, b"\xff" * len(old)))
        with pytest.raises(LeadboardError) as caught:
            load_predictions(path)
        assert str(caught.value).isprintable(), name


def test_one_long_id_cannot_stand_for_a_terabyte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, rows = tmp_path / "x.parquet", 200
    table = pa.table({"record_id": ["x" * 100_000] * rows, "AF": pa.array(np.zeros(rows), pa.float32())})
    pq.write_table(table, path)
    monkeypatch.setattr("benchmark.records.parquet.MOST_TEXT_BYTES", 100_000 * rows)
    assert len(load_predictions(path)[0]) == rows
    monkeypatch.setattr("benchmark.records.parquet.MOST_TEXT_BYTES", 100_000 * rows - 1)
    with pytest.raises(LeadboardError, match=r"too large \(0 GiB of text in column 'record_id'"):
        load_predictions(path)


def newer_version(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 6] + b"\xff\x00" + data[at + 8 :]


def open_bracket(data: bytes) -> bytes:
    return data.replace(b"'descr': '<f8'", b"'descr': (((((")


def patched(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 8] + b"\x20\x00" + data[at + 10 :]


@pytest.mark.parametrize(
    "edit", [newer_version, open_bracket, patched, lambda data: data[:-10], lambda data: data[:200]]
)
def test_damaged_resamples_are_said_to_be(
    tmp_path: Path, genuine: Path, edit: Callable[[bytes], bytes]
) -> None:
    for source, record in load_cells(genuine)[1]:
        path = tmp_path / "x.resamples.npz"
        content = _arrays(resamples_path(source))
        np.savez(path, **content)  # not compressed, so that the header can be edited
        path.write_bytes(edit(path.read_bytes()))
        with pytest.raises(LeadboardError, match=r"x\.resamples\.npz is (damaged|of another)"):
            load_resamples(record, path)


def _arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


def test_resamples_do_not_unpack_without_end(tmp_path: Path, genuine: Path) -> None:
    record = load_record(genuine / "noisy/as-is/georgia.json")
    path = tmp_path / "x.resamples.npz"
    save_resamples(record, _resampled(genuine), path)
    load_resamples(record, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("more.npy", bytes(2**28))
    with pytest.raises(LeadboardError, match=r"it unpacks to 0\.3 GiB, which is too large"):
        load_resamples(record, path)


def _resampled(genuine: Path) -> Any:
    path = genuine / "noisy/as-is/georgia.json"
    return load_resamples(load_record(path), resamples_path(path))

"""A record that is written as this version writes it is read quickly, to the same; every other one slowly."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.records import record as records
from benchmark.records.record import ResultRecord, load_record, save_record
from cohorts.errors import LeadboardError
from tests.benchmark.report.report_factory import record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_record(record("net", aurocs={"AF": 0.9123456789012345, "LVH": None}), tmp_path / "one.json")
    return tmp_path / "one.json"


def quickly(path: Path) -> ResultRecord | None:
    return records._as_saved(path.read_bytes())


def slowly(path: Path, monkeypatch: pytest.MonkeyPatch) -> ResultRecord:
    with monkeypatch.context() as patch:
        patch.setattr(records, "_as_saved", lambda _: None)
        return load_record(path)


def test_both_ways_read_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert quickly(path) == slowly(path, monkeypatch) == load_record(path)


@pytest.mark.parametrize(
    ("was", "now", "why"),
    [
        ('"protocol": "as_is",', '"protocol": "as_is", "protocol": "as_is",', "a name twice"),
        ('"value": 0.9123456789012345', '"value": NaN', "NaN is no number"),
        ('"release_records": null', f'"release_records": {10**30}', "is too large"),
        ('"protocol": "as_is"', '"protocol": 5', "protocol: Input should be a valid string"),
    ],
)
def test_what_the_slow_way_refuses_is_refused(path: Path, was: str, now: str, why: str) -> None:
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, now, 1))
    assert quickly(path) is None
    with pytest.raises(LeadboardError, match=why):
        load_record(path)


def test_another_layout_is_read_slowly(path: Path) -> None:
    saved = load_record(path)
    path.write_text(path.read_text().replace("\n  ", " "))
    assert quickly(path) is None
    assert load_record(path) == saved

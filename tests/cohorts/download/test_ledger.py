"""What is remembered of a download: the lock, the ledger of verified files, saved lists."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import pytest

from cohorts.download import download, plan_download
from cohorts.download.planning import open_ledger
from cohorts.errors import LeadboardError, UsageError
from tests.cohorts.download.fetching import BASE, PTB_XL, get
from tests.download_server import Publisher

pytestmark = pytest.mark.usefixtures("quick")


def test_two_processes_do_not_write_to_one_folder(publisher: Publisher, tmp_path: Path) -> None:
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    with open_ledger(plan.ledger), pytest.raises(UsageError, match="Another process"):
        download(plan)


def test_a_disk_that_cannot_be_locked_is_told(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(LeadboardError, match=r"Cannot write .*error; download to another disk\."):
        get(publisher, tmp_path)


def test_a_torn_or_foreign_ledger_only_costs_a_look(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    ledger = tmp_path / ".leadboard" / "ptb-xl" / "verified.jsonl"
    lines = ledger.read_text().splitlines()
    garbage = ["[]", "{}", "null", '{"path": 3}', '["RECORDS", 3]', "[" * 100_000]
    ledger.write_text("\n".join([*garbage, *lines[:-1], lines[-1][:20]]))
    summary = get(publisher, tmp_path)
    assert (summary.already, summary.verified, summary.fetched) == (6, 1, 0)
    assert get(publisher, tmp_path).already == 7


MD5 = "md5:" + "0" * 32


@pytest.mark.parametrize(
    "pieces",
    [
        "[]",
        "3",
        f'[["RECORDS", "{MD5}", "", 1e999]]',
        f'[["RECORDS", "{MD5}", "", Infinity]]',
        f'[["RECORDS", "{MD5}", "", {10**400}]]',
        f'[["RECORDS", "{MD5}", "", -1]]',
        f'[["RECORDS", "{MD5}", "", 25]]',
        f'[["nul\\u0000", "{MD5}", "", 26]]',
        '[["RECORDS", "crc32:00000000", "", 26]]',
        '[["RECORDS", "md5:", "", 26]]',
    ],
)
def test_a_ledger_that_says_the_impossible_is_not_believed(
    publisher: Publisher, tmp_path: Path, pieces: str
) -> None:
    get(publisher, tmp_path)
    ledger = tmp_path / ".leadboard" / "ptb-xl" / "verified.jsonl"
    file = json.dumps(["RECORDS", f"sha256:{hashlib.sha256(PTB_XL['RECORDS']).hexdigest()}", "RECORDS", None])
    others = [line for line in ledger.read_text().splitlines() if "RECORDS" not in line]
    ledger.write_text("\n".join([*others, f"[{file}, {pieces}]"]))
    summary = get(publisher, tmp_path)
    assert (summary.already, summary.verified, summary.fetched) == (6, 1, 0)


def test_an_older_ledger_line_of_another_sum_is_not_believed(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    ledger = tmp_path / ".leadboard" / "ptb-xl" / "verified.jsonl"
    right = f"sha256:{hashlib.sha256(PTB_XL['RECORDS']).hexdigest()}"
    ledger.write_text(ledger.read_text().replace(right, f"sha256:{'0' * 64}"))
    assert get(publisher, tmp_path).verified == 1


def test_a_saved_list_of_another_version_is_not_used(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    saved = tmp_path / ".leadboard" / "ptb-xl" / "ptb-xl.list"
    saved.write_text(saved.read_text().replace("1.0.3", "1.0.2", 1))
    publisher.asked.clear()
    assert get(publisher, tmp_path).already == 7
    assert publisher.paths() == [BASE + "SHA256SUMS.txt"]


@pytest.mark.parametrize(
    "rest", ["garbage\n", '["x", "sha256:1", "x", 3]\n', f'["x", "{MD5}", "x", "many"]\n', "\x00\xff"]
)
def test_a_saved_list_that_is_damaged_is_asked_for_again(
    publisher: Publisher, tmp_path: Path, rest: str
) -> None:
    get(publisher, tmp_path)
    saved = tmp_path / ".leadboard" / "ptb-xl" / "ptb-xl.list"
    saved.write_bytes(saved.read_bytes() + rest.encode("latin-1"))
    assert get(publisher, tmp_path).already == 7


def test_a_data_root_that_is_no_folder(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(LeadboardError, match="Cannot use"):
        get(publisher, tmp_path / "data")

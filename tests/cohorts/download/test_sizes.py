"""Files that are longer or shorter than announced, lists that lie, and disks that are too small."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from cohorts.download import Summary, disk, download, plan_download
from cohorts.errors import LeadboardError
from tests.cohorts.download.fetching import BASE, DATA, PTB_XL, get, tree
from tests.download_server import Publisher, other, unannounced

TABLE = "/records/3765780/files/large.csv"

pytestmark = pytest.mark.usefixtures("quick")


def get_large(publisher: Publisher, root: Path, part: bytes = b"") -> tuple[Summary, list[tuple[int, int]]]:
    """Fetch a file whose size is listed."""
    publisher.zenodo(3765780, {"large.csv": b"x" * 50_000})
    if part:
        (root / "code-test").mkdir()
        (root / "code-test" / "large.csv.part").write_bytes(part)
    seen: list[tuple[int, int]] = []
    plan = plan_download("code-test", root, mirror=publisher.url)
    return download(plan, lambda done, total: seen.append((done, total))), seen


def test_a_complete_part_of_known_size_is_not_asked_for(publisher: Publisher, tmp_path: Path) -> None:
    assert get_large(publisher, tmp_path, b"x" * 50_000)[0].complete
    assert TABLE not in publisher.paths()


def test_an_empty_file_is_a_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.zenodo(3765780, {"empty.csv": b"", "more.csv": b"y"})
    publisher.physionet("ludb/1.0.1", {"empty.txt": b""})
    for cohort, name in (("code-test", "empty.csv"), ("ludb", "empty.txt")):
        assert get(publisher, tmp_path, cohort).complete
        assert tree(tmp_path / cohort)[name] == b""
        assert get(publisher, tmp_path, cohort).fetched == 0


def test_a_file_of_another_length_is_not_fetched(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[TABLE] = [other(b"x" * 40_000)]
    (failure,) = get_large(publisher, tmp_path)[0].failures
    assert "offers 40,000 bytes where the publisher lists 50,000" in failure.reason
    assert tree(tmp_path / "code-test") == {}


def test_an_end_that_comes_too_early_is_a_cut(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[TABLE] = [unannounced(b"x" * 30_000)]
    assert get_large(publisher, tmp_path)[0].complete
    assert publisher.headers(TABLE)[1]["range"] == "bytes=30000-"


def test_a_part_that_is_longer_than_the_file_is_not_gone_on_with(
    publisher: Publisher, tmp_path: Path
) -> None:
    assert get_large(publisher, tmp_path, b"x" * 50_001)[0].complete
    (headers,) = publisher.headers(TABLE)
    assert "range" not in headers


@pytest.mark.parametrize("size", [50_001, 60_000])
def test_a_file_that_does_not_end_is_given_up(publisher: Publisher, tmp_path: Path, size: int) -> None:
    publisher.faults[TABLE] = [unannounced(b"x" * size)]
    (failure,) = get_large(publisher, tmp_path)[0].failures
    assert "more bytes than the file can have" in failure.reason
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    release = plan.publication.release.model_copy(update={"size": 50_000})
    small = replace(plan, publication=replace(plan.publication, release=release))
    (failure,) = download(small).failures
    assert failure.path == DATA
    assert "more bytes than the file can have" in failure.reason


def test_what_failed_does_not_count_as_done(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[TABLE] = [other(b"y" * 50_000)]
    summary, seen = get_large(publisher, tmp_path)
    assert not summary.complete
    assert max(seen) == (50_000, 50_000)
    assert seen[-1] == (0, 50_000)


def test_another_version_of_the_same_size_is_not_taken_for_this_one(
    publisher: Publisher, tmp_path: Path
) -> None:
    get(publisher, tmp_path)
    newer = PTB_XL | {DATA: bytes(len(PTB_XL[DATA]))}
    publisher.physionet("ptb-xl/1.0.3", newer)
    (tmp_path / ".leadboard" / "ptb-xl" / "ptb-xl.list").unlink()
    summary = get(publisher, tmp_path)
    assert (summary.already, summary.fetched, len(summary.set_aside)) == (6, 1, 1)
    assert (tmp_path / "ptb-xl" / DATA).read_bytes() == newer[DATA]


def test_an_error_of_the_caller_stops_all_threads(publisher: Publisher, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 60_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(plan_download("ptb-xl", tmp_path, mirror=publisher.url), interrupt)
    assert get(publisher, tmp_path).complete


@pytest.mark.parametrize(
    "line",
    [
        "/etc/passwd",
        "../outside.txt",
        "records/../../outside.txt",
        "C:/outside.txt",
        "a\\..\\outside.txt",
        "a//b",
        "nul\0.txt",
    ],
)
def test_a_list_that_leaves_the_folder_is_refused(publisher: Publisher, tmp_path: Path, line: str) -> None:
    publisher.files[BASE + "SHA256SUMS.txt"] += f"{'0' * 64}  {line}\n".encode()
    with pytest.raises(LeadboardError, match="line 8 of the list"):
        get(publisher, tmp_path)
    assert tree(tmp_path) == {}


def test_a_list_of_unknown_length_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[BASE + "SHA256SUMS.txt"] = [unannounced(b"0" * 64 + b" RECORDS\n")] * 9
    with pytest.raises(LeadboardError, match="does not say how long"):
        get(publisher, tmp_path)


def test_too_little_room_is_told_before_anything_is_fetched(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    publisher.asked.clear()
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 1_000_000))
    with pytest.raises(LeadboardError, match=r"3,180,000,000 bytes and 1,000,000 are free"):
        download(plan)
    assert publisher.asked == []
    assert not (tmp_path / "ptb-xl").exists()


def test_a_file_larger_than_the_free_space_is_not_begun(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(plan_download("ptb-xl", tmp_path, mirror=publisher.url), needed=0)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 8, 100))
    with pytest.raises(LeadboardError, match="The disk is full"):
        download(plan)

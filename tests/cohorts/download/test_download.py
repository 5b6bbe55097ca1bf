"""A whole download against a publisher on this machine."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cohorts.catalogue import all_cohorts
from cohorts.download import Summary, disk, download, plan_download, planning, publishers, run, transfer
from cohorts.download.planning import open_ledger
from cohorts.download.transfer import Addresses
from cohorts.errors import LeadboardError, UnknownNameError, UsageError
from cohorts.release import Release
from cohorts.sources.ptb_xl import PtbXl
from tests.download_server import Handler, Publisher, cut, other, serve, slow, status, unannounced

PTB_XL = {
    "LICENSE.txt": b"CC BY 4.0\n",
    "RECORDS": b"records100/00000/00001_lr\n",
    "ptbxl_database.csv": b"ecg_id,patient_id\n1,15709\n",
    "records100/00000/00001_lr.hea": b"00001_lr 12 100 1000\n",
    "records100/00000/00001_lr.dat": bytes(range(256)) * 94,
    "records500/00000/00001_hr.dat": bytes(reversed(range(256))) * 470,
    "odd %41+#?.txt": b"odd",
}
DATA = "records500/00000/00001_hr.dat"
BASE = "/ptb-xl/1.0.3/"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transfer, "BACKOFF", 0.001)
    monkeypatch.setattr(transfer, "CHUNK", 1 << 12)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("LEADBOARD_MIRROR", "PHYSIONET_USER", "PHYSIONET_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serve(Publisher()) as server:
        server.physionet("ptb-xl/1.0.3", PTB_XL)
        yield server


def get(publisher: Publisher, root: Path, cohort: str = "ptb-xl", **options: bool) -> Summary:
    return download(plan_download(cohort, root, mirror=publisher.url, **options))


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_release_arrives_whole_and_in_its_own_layout(publisher: Publisher, tmp_path: Path) -> None:
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    assert (len(plan.files), plan.already, plan.publication.card.licence) == (7, 0, "CC-BY-4.0")
    assert plan.free > 0
    summary = download(plan)
    assert summary.complete
    assert (summary.fetched, summary.failures) == (7, ())
    assert tree(tmp_path / "ptb-xl") == PTB_XL
    assert {headers["accept-encoding"] for _, headers in publisher.asked} == {"identity"}


def test_a_second_run_asks_for_nothing(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    publisher.asked.clear()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "ptb-xl").rglob("*")}
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    assert (plan.missing, plan.bytes, plan.already) == ([], 0, 7)
    assert download(plan).complete
    assert publisher.asked == []
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "ptb-xl").rglob("*")}


def test_only_the_wanted_folder_of_a_tree_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    files = {
        "training/georgia/g1/E00001.hea": b"georgia",
        "training/ptb/g1/S0001.hea": b"ptb",
        "training/ptb-xl/g1/HR00001.hea": b"ptb-xl",
        "LICENSE.txt": b"CC BY 4.0",
        "sources/team.zip": b"no",
    }
    publisher.physionet("challenge-2021/1.0.3", files)
    assert get(publisher, tmp_path, "ptb").fetched == 2
    assert set(tree(tmp_path / "challenge-2021")) == {"LICENSE.txt", "training/ptb/g1/S0001.hea"}
    georgia = get(publisher, tmp_path, "georgia")
    assert (georgia.fetched, georgia.already) == (1, 1)  # the licence is there already


def test_files_from_elsewhere_are_verified_and_not_fetched(publisher: Publisher, tmp_path: Path) -> None:
    target = tmp_path / "ptb-xl" / DATA
    target.parent.mkdir(parents=True)
    target.write_bytes(PTB_XL[DATA])
    summary = get(publisher, tmp_path)
    assert (summary.verified, summary.fetched) == (1, 6)
    assert BASE + DATA not in publisher.paths()


def test_a_wrong_file_on_the_disk_is_kept_aside(publisher: Publisher, tmp_path: Path) -> None:
    target = tmp_path / "ptb-xl" / "RECORDS"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    summary = get(publisher, tmp_path)
    assert summary.complete
    aside = target.with_name("RECORDS.set-aside")
    assert summary.set_aside == (aside,)
    assert aside.read_bytes() == b"mine"
    assert target.read_bytes() == PTB_XL["RECORDS"]
    target.write_bytes(b"mine, too")
    (second,) = get(publisher, tmp_path).set_aside
    assert (aside.read_bytes(), second.read_bytes()) == (b"mine", b"mine, too")


def test_verify_finds_a_changed_file_of_the_same_size(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    target = tmp_path / "ptb-xl" / DATA
    target.write_bytes(bytes(len(PTB_XL[DATA])))
    assert get(publisher, tmp_path).already == 7  # sizes alone do not tell
    summary = get(publisher, tmp_path, verify=True)
    assert (summary.verified, summary.fetched, summary.complete) == (6, 1, True)
    assert target.read_bytes() == PTB_XL[DATA]


def test_a_file_of_another_size_is_fetched_again(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    (tmp_path / "ptb-xl" / DATA).write_bytes(b"short")
    (tmp_path / "ptb-xl" / "RECORDS").unlink()
    assert get(publisher, tmp_path).fetched == 2
    assert {name: tree(tmp_path / "ptb-xl")[name] for name in PTB_XL} == PTB_XL


def test_a_cut_connection_is_taken_up_where_it_broke(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[BASE + DATA] = [cut(50_000), cut(30_000)]
    assert get(publisher, tmp_path).complete
    asked = publisher.headers(BASE + DATA)
    starts = [int(headers.get("range", "bytes=0-")[6:-1]) for headers in asked]
    assert len(starts) == 3
    assert starts[0] == 0
    assert 40_000 < starts[1] <= 50_000 < starts[2] <= 80_000
    assert (tmp_path / "ptb-xl" / DATA).read_bytes() == PTB_XL[DATA]


def test_a_part_of_an_earlier_run_is_kept(publisher: Publisher, tmp_path: Path) -> None:
    part = tmp_path / "ptb-xl" / f"{DATA}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(PTB_XL[DATA][:70_000])
    assert get(publisher, tmp_path).complete
    assert publisher.headers(BASE + DATA)[0]["range"] == "bytes=70000-"
    assert len(publisher.headers(BASE + DATA)) == 1
    assert not part.exists()


def test_a_part_that_is_complete_needs_no_more_bytes(publisher: Publisher, tmp_path: Path) -> None:
    part = tmp_path / "ptb-xl" / f"{DATA}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(PTB_XL[DATA])
    assert get(publisher, tmp_path).complete  # the server answers 416
    assert len(publisher.headers(BASE + DATA)) == 1


@pytest.mark.parametrize("part", [b"garbage" * 10_000, PTB_XL[DATA] + b"too long", b""])
def test_a_part_of_something_else_is_fetched_again(publisher: Publisher, tmp_path: Path, part: bytes) -> None:
    path = tmp_path / "ptb-xl" / f"{DATA}.part"
    path.parent.mkdir(parents=True)
    path.write_bytes(part)
    assert get(publisher, tmp_path).complete
    assert tree(tmp_path / "ptb-xl") == PTB_XL


def test_a_server_without_ranges_sends_the_file_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.ranges = False
    publisher.faults[BASE + DATA] = [cut(50_000)]
    assert get(publisher, tmp_path).complete
    assert [headers.get("range") is None for headers in publisher.headers(BASE + DATA)] == [True, False]
    assert tree(tmp_path / "ptb-xl") == PTB_XL


def test_a_server_that_sends_another_range_is_not_believed(publisher: Publisher, tmp_path: Path) -> None:
    def shifted(handler: Handler, content: bytes) -> bool:
        where = f"bytes 100-{len(content) - 1}/{len(content)}"
        handler.answer(206, content[100:], handler.etag(content), where)
        return True

    publisher.faults[BASE + DATA] = [cut(50_000), shifted]
    assert get(publisher, tmp_path).complete
    assert tree(tmp_path / "ptb-xl") == PTB_XL


def test_a_file_that_changes_between_two_pieces_is_fetched_again(
    publisher: Publisher, tmp_path: Path
) -> None:
    right = PTB_XL[DATA]
    old = bytes(len(right))

    def cut_old(handler: Handler, content: bytes) -> bool:
        handler.answer(200, old[:50_000], etag='"old"', length=len(old))
        handler.close_connection = True
        return True

    publisher.faults[BASE + DATA] = [cut_old]
    assert get(publisher, tmp_path).complete
    assert publisher.headers(BASE + DATA)[1]["if-range"] == '"old"'
    assert (tmp_path / "ptb-xl" / DATA).read_bytes() == right


def test_joined_pieces_of_two_versions_are_noticed_by_the_sum(publisher: Publisher, tmp_path: Path) -> None:
    def cut_old(handler: Handler, content: bytes) -> bool:
        handler.answer(200, bytes(50_000), length=len(content))
        handler.close_connection = True
        return True

    publisher.etags = False
    publisher.faults[BASE + DATA] = [cut_old]
    assert get(publisher, tmp_path).complete
    assert (tmp_path / "ptb-xl" / DATA).read_bytes() == PTB_XL[DATA]


def test_wrong_bytes_are_kept_aside_and_named_and_the_others_go_on(
    publisher: Publisher, tmp_path: Path
) -> None:
    wrong = bytes(len(PTB_XL[DATA]))
    publisher.faults[BASE + DATA] = [other(wrong)]
    summary = get(publisher, tmp_path)
    assert not summary.complete
    assert summary.fetched == 6
    (failure,) = summary.failures
    aside = tmp_path / "ptb-xl" / f"{DATA}.wrong-sum"
    assert failure.path == DATA
    assert str(aside) in failure.reason
    assert "has another sha256 sum" in failure.reason
    assert aside.read_bytes() == wrong
    assert not (tmp_path / "ptb-xl" / DATA).exists()
    assert "6 of 7 files" in summary.text
    again = get(publisher, tmp_path)
    assert (again.complete, again.fetched, again.already) == (True, 1, 6)
    assert (tmp_path / "ptb-xl" / DATA).read_bytes() == PTB_XL[DATA]


@pytest.mark.parametrize("code", [404, 410, 400, 403])
def test_a_file_that_is_not_there_is_named(publisher: Publisher, tmp_path: Path, code: int) -> None:
    publisher.faults[BASE + DATA] = [status(code)]
    summary = get(publisher, tmp_path)
    (failure,) = summary.failures
    assert failure.path == DATA
    assert f"answered {code}" in failure.reason
    assert summary.fetched == 6
    assert not list((tmp_path / "ptb-xl").rglob("*.part"))


def test_a_busy_server_is_asked_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[BASE + DATA] = [status(503), status(429, Retry_After="0"), status(500)]
    publisher.faults[BASE + "SHA256SUMS.txt"] = [status(503), cut(40)]
    assert get(publisher, tmp_path).complete
    lists = publisher.headers(BASE + "SHA256SUMS.txt")
    assert len(lists) == 3
    assert not any("range" in headers for headers in lists)  # a list has no sum that would tell its pieces


def test_a_server_that_asks_for_a_long_pause_is_asked_again_soon(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(disk.Meter, "wait", lambda _, seconds=0.0: waits.append(seconds))
    answers = [status(503, Retry_After=text) for text in ("99999", "3", "9" * 5000, "-1")]
    publisher.faults[BASE + DATA] = [*answers, status(202), slow(1, 0)]
    publisher.faults[BASE + "RECORDS"] = [status(202), status(202, Retry_After="1")]
    publisher.faults[BASE + "SHA256SUMS.txt"] = [status(503, Retry_After="99999")]
    summary = get(publisher, tmp_path)
    assert [failure.path for failure in summary.failures] == [DATA]  # five failures in a row
    asked = sorted(seconds for seconds in waits if seconds)
    assert asked == [0.008, 1, 3, 5, 10, 10, 10]


def test_a_server_that_never_gets_anywhere_is_given_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[BASE + DATA] = [cut(10)] * 100
    summary = get(publisher, tmp_path)
    assert [failure.path for failure in summary.failures] == [DATA]
    assert len(publisher.headers(BASE + DATA)) < 20


def test_a_publisher_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with serve(Publisher()) as gone:
        pass
    with pytest.raises(LeadboardError, match=r"127.0.0.1:\d+/ptb-xl/.* cannot be reached, 5 times"):
        get(gone, tmp_path)


def test_many_failures_in_a_row_stop_the_rest(publisher: Publisher, tmp_path: Path) -> None:
    publisher.physionet("ptb-xl/1.0.3", {f"{number:04}.dat": b"x" for number in range(300)})
    listed = publisher.files[BASE + "SHA256SUMS.txt"]
    publisher.files = {BASE + "SHA256SUMS.txt": listed}
    summary = get(publisher, tmp_path)
    assert summary.gave_up
    assert run.GIVE_UP <= len(summary.failures) < run.GIVE_UP + planning.CONNECTIONS
    assert "was not tried" in summary.text


def test_a_slow_server_is_waited_for(publisher: Publisher, tmp_path: Path) -> None:
    publisher.faults[BASE + DATA] = [slow(pieces=10, seconds=0.02)]
    assert get(publisher, tmp_path).complete


def test_the_next_mirror_helps_and_is_asked_first_from_then_on(publisher: Publisher, tmp_path: Path) -> None:
    with serve(Publisher()) as empty:
        plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
        bases = (f"{empty.url}ptb-xl/1.0.3/", f"{publisher.url}ptb-xl/1.0.3/")
        plan = replace(plan, addresses=Addresses(bases, bases, loopback=True))
        assert download(plan, connections=1).complete
        assert len(empty.asked) == 1
    assert tree(tmp_path / "ptb-xl") == PTB_XL


def test_a_mirror_with_wrong_bytes_is_replaced_by_the_next(publisher: Publisher, tmp_path: Path) -> None:
    with serve(Publisher()) as bad:
        bad.files = {BASE + path: bytes(len(content)) for path, content in PTB_XL.items()}
        plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
        bases = (f"{bad.url}ptb-xl/1.0.3/", f"{publisher.url}ptb-xl/1.0.3/")
        assert download(replace(plan, addresses=Addresses(bases, bases, loopback=True))).complete
    assert tree(tmp_path / "ptb-xl") == PTB_XL  # nothing is left aside


def test_progress_counts_bytes_and_ends_at_the_end(publisher: Publisher, tmp_path: Path) -> None:
    publisher.zenodo(3765780, {"other.csv": b"x" * 50_000, "more.csv": b"y" * 70_000})
    publisher.faults["/records/3765780/files/more.csv"] = [cut(20_000)]
    seen: list[tuple[int, int]] = []
    plan = plan_download("code-test", tmp_path, mirror=publisher.url)
    assert plan.bytes == plan.total == 120_000
    download(plan, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (120_000, 120_000)
    assert all(0 <= done <= total for done, total in seen)


TABLE = "/records/3765780/files/large.csv"


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


def test_what_is_to_come_where_the_list_has_no_sizes(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    (tmp_path / "ptb-xl" / DATA).rename(tmp_path / "ptb-xl" / f"{DATA}.part")
    (tmp_path / "ptb-xl" / "RECORDS").write_bytes(b"mine")
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    others = sum(len(content) for path, content in PTB_XL.items() if path not in (DATA, "RECORDS"))
    here = len(PTB_XL[DATA]) + len(b"mine")
    assert plan.total == 3_180_000_000 - others
    assert plan.bytes == plan.needed == plan.total - here
    seen: list[tuple[int, int]] = []
    assert download(plan, lambda done, total: seen.append((done, total))).complete
    assert seen[-1] == (len(PTB_XL[DATA]) + len(PTB_XL["RECORDS"]), plan.total)


def test_verifying_takes_no_room(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url, verify=True)
    assert (len(plan.missing), plan.bytes, plan.needed) == (7, 0, 0)
    assert plan.total == sum(map(len, PTB_XL.values()))


def test_memory_does_not_grow_with_the_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.zenodo(3765780, {"large.csv": bytes(32 << 20)})
    plan = plan_download("code-test", tmp_path, mirror=publisher.url)
    tracemalloc.start()
    try:
        assert download(plan).complete
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_every_cohort_that_is_listed_has_a_download(tmp_path: Path) -> None:
    for cohort_id, cohort in all_cohorts().items():
        if cohort.release is None:
            continue
        publication = publishers.publication_of(cohort_id)
        part = publication.release.subfolder
        assert "/".join(filter(None, (publication.folder(tmp_path).name, part))) == cohort.card.folder
        assert publication.card is cohort.card
        assert publication.record in cohort.card.url


@pytest.mark.parametrize(
    ("release", "url"),
    [(None, "https://physionet.org/content/x/1/"), (Release(size=1), "https://example.org/")],
)
def test_a_cohort_that_nobody_can_fetch_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: Release | None, url: str
) -> None:
    class Stranger(PtbXl):
        card = PtbXl.card.model_copy(update={"id": "stranger", "url": url, "folder": "far/away"})

    Stranger.release = release
    monkeypatch.setattr(publishers, "find_cohort", lambda _: Stranger)
    with pytest.raises(UsageError, match=rf"stranger cannot be fetched from here: see {url}.* far/away"):
        plan_download("stranger", tmp_path)


@pytest.mark.parametrize("cohort_id", ["heedb-mgh", "heedb-emory", "hefei"])
def test_a_release_that_no_program_can_fetch_says_what_to_do(cohort_id: str) -> None:
    folder = all_cohorts()[cohort_id].card.folder
    with pytest.raises(UsageError, match=rf"cannot be fetched from here: see https://[^;]+.* {folder}"):
        plan_download(cohort_id, Path())


def test_an_unknown_name_teaches() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ptb-xl'"):
        plan_download("ptbxl", Path())


def test_addresses_are_encrypted_and_the_publishers_own() -> None:
    hosts = set()
    for cohort_id, cohort in all_cohorts().items():
        if cohort.release is None:
            continue
        publication = publishers.publication_of(cohort_id)
        release, addresses = publication.release, publishers.addresses_of(publication)
        assert not addresses.loopback
        hosts |= {url.split("/")[2] for url in addresses.lists + addresses.files}
        assert all(
            url.startswith("https://") and url.endswith("/") for url in addresses.lists + addresses.files
        )
        assert (
            (publication.card.access == "credentialed") == bool(addresses.login_to) == bool(release.agreement)
        )
        assert release.size > 1_000_000
    assert hosts == {
        "physionet.org",
        "physionet-open.s3.amazonaws.com",
        "zenodo.org",
        "ndownloader.figshare.com",
        "api.figshare.com",
    }

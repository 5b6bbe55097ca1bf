"""Downloads that break off: cut connections, other pieces, busy servers, mirrors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cohorts.download import disk, download, plan_download, planning, run
from cohorts.download.transfer import Addresses
from cohorts.errors import LeadboardError
from tests.cohorts.download.fetching import BASE, DATA, PTB_XL, get, tree
from tests.download_server import Handler, Publisher, cut, other, serve, slow, status

pytestmark = pytest.mark.usefixtures("quick")


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

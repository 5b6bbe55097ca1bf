"""Lists of files, hostile ones above all."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts.download.disk import RemoteFile, is_safe
from cohorts.download.planning import LISTED
from cohorts.download.publishers import (
    parse_figshare,
    parse_figshare_collection,
    parse_sha256sums,
    parse_zenodo,
    without_conflicts,
)
from cohorts.errors import LeadboardError

SUM = "0123456789abcdef" * 4
MD5 = "md5:" + "0" * 32


def listed(*lines: str, wanted: tuple[str, ...] = ()) -> list[str]:
    return [file.path for file in parse_sha256sums(lines, wanted)]


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (f"{SUM} RECORDS\n", "RECORDS"),
        (f"{SUM}  RECORDS\r\n", "RECORDS"),
        (f"{SUM} *RECORDS", "RECORDS"),
        (f"{SUM}\t./a/b c.hea", "a/b c.hea"),
        (f"\ufeff{SUM.upper()} Größe.txt", "Größe.txt"),
    ],
)
def test_the_lines_that_publishers_write(line: str, path: str) -> None:
    (file,) = parse_sha256sums([line])
    assert (file.path, file.sum, file.size) == (path, f"sha256:{SUM}", None)


def test_wanted_folders_are_whole_names() -> None:
    lines = [
        f"{SUM} {path}" for path in ("training/ptb/a", "training/ptb-xl/b", "LICENSE.txt", "x/LICENSE.txt")
    ]
    assert listed(*lines, wanted=("training/ptb/", "LICENSE.txt")) == ["training/ptb/a", "LICENSE.txt"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/./x",
        "a//x",
        "a/",
        "\\\\host\\x",
        "a\\..\\x",
        "C:/x",
        "c:x",
        "a\0b",
        "a\tb",
        "a\x1b[2Jb",
        "a\u202eb",
        "a\udc80b",
        "x.part",
        "x.wrong-sum",
        "a" * 300,
    ],
)
def test_a_path_that_is_not_safe_spoils_the_list_even_where_it_is_not_wanted(path: str) -> None:
    with pytest.raises(LeadboardError, match="line 2 of the list"):
        listed(f"{SUM} fine", f"{SUM} {path}", wanted=("fine",))


@pytest.mark.parametrize(
    "line", ["<!DOCTYPE html>", SUM, f"{SUM[:-1]} x", f"{SUM}0 x", f"g{SUM[1:]} x", f"{SUM}  "]
)
def test_a_line_that_is_none_spoils_the_list(line: str) -> None:
    with pytest.raises(LeadboardError, match=r"(?i)line 2"):
        listed(f"{SUM} fine", line)


def test_empty_lines_are_passed_over() -> None:
    assert listed("\n", f"{SUM} x\n", "\r\n") == ["x"]


@given(st.text() | st.text(alphabet="./\\ab0: \0").map(lambda path: f"{SUM} {path}"))
def test_whatever_is_accepted_stays_in_the_folder(line: str) -> None:
    try:
        found = list(parse_sha256sums([line]))
    except LeadboardError:
        return
    for file in found:
        assert ".." not in PurePosixPath(file.path).parts
        assert not PurePosixPath(file.path).is_absolute()
        assert is_safe(file.path)


def files(*named: tuple[str, str]) -> list[RemoteFile]:
    return [RemoteFile(path, digest, path) for path, digest in named]


def test_a_file_that_is_listed_twice_is_one_file() -> None:
    assert without_conflicts(files(("b", "1"), ("a", "2"), ("b", "1")), {}) == files(("a", "2"), ("b", "1"))


@pytest.mark.parametrize(
    ("found", "sums", "message"),
    [
        (files(("a", "1"), ("a", "2")), {}, "two sums for a"),
        (files(("a/b/c", "1"), ("a", "1")), {}, "a as a file and as a folder"),
        (files(("a", "1")), {"a": "2"}, "known is 2"),
        ([], {}, "names no file"),
    ],
)
def test_conflicts_are_refused(found: list[RemoteFile], sums: dict[str, str], message: str) -> None:
    with pytest.raises(LeadboardError, match=message):
        without_conflicts(found, sums)


def test_lists_of_our_own_come_back() -> None:
    found = [RemoteFile("a b", MD5, "files/1", 5), RemoteFile("c", f"sha256:{SUM}", "c")]
    assert LISTED.validate_json(LISTED.dump_json(("x", found))) == ("x", found)


def entry(**changes: Any) -> str:
    return json.dumps(
        {
            "files": [
                {
                    "id": 7,
                    "key": "x.csv",
                    "name": "x.csv",
                    "size": 5,
                    "checksum": MD5,
                    "computed_md5": MD5[4:],
                }
                | changes
            ]
        }
    )


def test_answers_of_zenodo_and_figshare() -> None:
    assert parse_zenodo(entry(), "12") == [RemoteFile("x.csv", MD5, "records/12/files/x.csv", 5)]
    assert parse_figshare(entry()) == [RemoteFile("x.csv", MD5, "files/7", 5)]
    assert parse_figshare(entry(computed_md5="", supplied_md5=MD5[4:].upper())) == parse_figshare(entry())
    assert parse_figshare_collection('[{"id": 3}, {"id": 4}]') == [3, 4]


def test_figshare_has_md5_sums_under_two_names() -> None:
    def article(**facts: Any) -> str:
        return json.dumps({"files": [{"id": 7, "name": "x.csv", "size": 5} | facts]})

    expected = [RemoteFile("x.csv", MD5, "files/7", 5)]
    assert parse_figshare(article(computed_md5=MD5[4:], supplied_md5="f" * 32)) == expected
    assert parse_figshare(article(computed_md5=None, supplied_md5=MD5[4:])) == expected
    for facts in ({}, {"computed_md5": None, "supplied_md5": ""}, {"id": None, "computed_md5": MD5[4:]}):
        with pytest.raises(LeadboardError, match="publisher's"):
            parse_figshare(article(**facts))


BAD_ANSWERS = [
    "",
    "<html>",
    "[]",
    "{}",
    "3",
    '{"files": {}}',
    '{"files": [3]}',
    '{"files": [{}]}',
    "[" * 100_000,
    *(entry(key=name, name=name) for name in (None, 3, "", "..", "a/b", "../x", "/x", "a\\b", "a\n")),
    *(entry(size=size) for size in (None, "5", -1, True, 1.5, 1 << 62)),
    *(entry(checksum=digest, computed_md5=digest) for digest in (None, 3, "", "md5:xyz", "crc32:00000000")),
]


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_answers_that_are_none(answer: str) -> None:
    with pytest.raises(LeadboardError):
        parse_zenodo(answer, "12")
    with pytest.raises(LeadboardError):
        parse_figshare(answer)


@pytest.mark.parametrize("answer", ["", "{}", "[]", "[3]", '[{"id": "3"}]', '[{"id": 3}, 4]'])
def test_collections_that_are_none(answer: str) -> None:
    with pytest.raises(LeadboardError):
        parse_figshare_collection(answer)

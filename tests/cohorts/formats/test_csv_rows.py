"""Tables by column name, however they are written."""

from __future__ import annotations

import pytest

from cohorts.errors import UsageError
from cohorts.formats.csv_rows import csv_rows


def table(tmp_path, content: bytes):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"a,b,c\n1,2,3\n\n4,5\n",
        b"\xef\xbb\xbfa,b,c\r\n1,2,3\r\n\r\n4,5\r\n",
        b" a ,b,c \n1,2,3\n4,5,\n",
        b'"c","a","b"\n3,1,2\n,4,5\n',
    ],
)
def test_columns_are_found_by_name(tmp_path, content):
    rows = [row for _, row in csv_rows(table(tmp_path, content), ("c", "a"))]
    assert rows == [{"c": "3", "a": "1"}, {"c": "", "a": "4"}]


def test_the_line_is_the_one_at_which_a_row_ends(tmp_path):
    found = list(csv_rows(table(tmp_path, b'a,b\n"x\ny",1\n"z",2\n'), ("a",)))
    assert found == [(3, {"a": "x\ny"}), (4, {"a": "z"})]


def test_another_delimiter_is_stated_and_a_wrong_one_is_told(tmp_path):
    path = table(tmp_path, b"a\tb\n1\tx,y\n")
    assert list(csv_rows(path, ("b",), delimiter="\t")) == [(2, {"b": "x,y"})]
    with pytest.raises(UsageError, match="is there a ',' between its cells"):
        list(csv_rows(path, ("b",)))


def test_bytes_that_are_no_text_are_borne(tmp_path):
    assert list(csv_rows(table(tmp_path, b"a\n\xff\xfe\n"), ("a",))) == [(2, {"a": "\ufffd\ufffd"})]


@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n1,2\n", b"\x00\xff"])
def test_a_table_without_a_column_is_an_error(tmp_path, content):
    with pytest.raises(UsageError, match=r"table\.csv has no column (a, )?z; is it"):
        list(csv_rows(table(tmp_path, content), ("z", "a")))


def test_a_broken_row_is_an_error_after_the_rows_before_it(tmp_path):
    rows = csv_rows(table(tmp_path, b"a\n1\n" + b"x" * 200_000), ("a",))
    assert next(rows) == (2, {"a": "1"})
    with pytest.raises(UsageError, match="near line 3"):
        next(rows)

"""Tables as hospitals have them: separators, encodings, Excel's floats, and no cell in an error."""

from __future__ import annotations

import datetime as dt

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cohorts.errors import UsageError
from cohorts.own.table import read_columns

SECRET = "Mustermann"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separator_and_mark_are_found_out(tmp_path, separator, encoding):
    path = tmp_path / "t.csv"
    rows = [["id", "größe"], ["1", "a"], ["2", " b "]]
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    found = read_columns(path, ["größe", "id"])
    assert found.to_dict("list") == {"größe": ["a", "b"], "id": ["1", "2"]}


def test_a_stated_encoding(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("id;Diagnose\n1;Vorhofflimmern (Rückfall)\n".encode("cp1252"))
    with pytest.raises(UsageError, match='encoding = "cp1252"'):
        read_columns(path, ["id", "Diagnose"])
    assert read_columns(path, ["Diagnose"], encoding="cp1252")["Diagnose"][0].endswith("(Rückfall)")
    with pytest.raises(UsageError, match="no encoding 'cp12525'"):
        read_columns(path, ["id"], encoding="cp12525")


def test_quotes_line_ends_in_cells_and_empty_cells(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,text,n\n1,"a, b\nc",\n"2",,NA\n\n3,"say ""x""",null\n')
    found = read_columns(path, ["id", "text", "n"])
    assert found.to_numpy().tolist() == [["1", "a, b\nc", ""], ["2", "", "NA"], ["3", 'say "x"', "null"]]


def test_rows_of_another_length_are_counted_and_not_shown(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(f"id,af\n1,0\n2,{SECRET},1\n3\n4,1\n")
    with pytest.raises(UsageError) as caught:
        read_columns(path, ["id", "af"])
    assert "2 rows of" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n\n", "id,af\n", "id,af\n\n"])
def test_an_empty_table_is_refused(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"is empty|no rows"):
        read_columns(path, ["id", "af"])


def test_missing_and_repeated_columns(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("ECG_ID,af,af\n1,0,1\n")
    with pytest.raises(UsageError, match="no column 'ecg_id'; did you mean 'ECG_ID'"):
        read_columns(path, ["ecg_id"])
    with pytest.raises(UsageError, match="no column 'xyz'; it has ECG_ID, af"):
        read_columns(path, ["xyz"])
    with pytest.raises(UsageError, match="column 'af' more than once"):
        read_columns(path, ["af"])
    with pytest.raises(UsageError, match=r"nowhere\.csv is not there"):
        read_columns(tmp_path / "nowhere.csv", ["af"])


def test_ids_that_became_floats_are_whole_again_where_all_are(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,mixed\n12345.0,1.0\n,A7\n7.0,\n")
    found = read_columns(path, ["id", "mixed"])
    assert found["id"].tolist() == ["12345", "", "7"]
    assert found["mixed"].tolist() == ["1.0", "A7", ""]


def test_parquet_with_types(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame(
        {
            "id": [1, 2, 3],
            "float": [1.0, np.nan, 12345.0],
            "age": [1.5, np.nan, 90.0],
            "flag": pd.array([True, None, False], dtype="boolean"),
            "date": pd.to_datetime(["2020-01-02", None, "2020-01-03 10:30"], format="ISO8601"),
            "kind": pd.Categorical(["a", "b", None]),
            "text": ["x", None, " y "],
        }
    ).to_parquet(path)
    found = read_columns(path, ["id", "float", "age", "flag", "date", "kind", "text"])
    assert found["id"].tolist() == ["1", "2", "3"]
    assert found["float"].tolist() == ["1", "", "12345"]
    assert found["age"].tolist() == ["1.5", "", "90.0"]
    assert found["flag"].tolist() == ["1", "", "0"]
    assert found["date"].tolist() == ["2020-01-02", "", "2020-01-03 10:30:00"]
    assert found["kind"].tolist() == ["a", "b", ""]
    assert found["text"].tolist() == ["x", "", "y"]
    with pytest.raises(UsageError, match="no column 'flags'; did you mean 'flag'"):
        read_columns(path, ["flags"])
    pd.DataFrame({"id": [[1], [2]]}).to_parquet(path)
    with pytest.raises(UsageError, match="not text or numbers"):
        read_columns(path, ["id"])


def excel(path, rows, more=()):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in more:
        book.create_sheet(title).append(["x"])
    book.save(path)
    return path


def test_excel(tmp_path):
    rows = [
        ["id", "date", "af", "text"],
        [12345.0, dt.datetime(2020, 1, 31), True, " a "],
        [7, dt.datetime(2020, 1, 31, 9, 5), 0, None],
        [None, None, None, None],
        ["E1", dt.date(2020, 2, 1), None, 1.5],
    ]
    found = read_columns(excel(tmp_path / "t.xlsx", rows), ["id", "date", "af", "text"])
    assert found.to_numpy().tolist() == [
        ["12345", "2020-01-31", "1", "a"],
        ["7", "2020-01-31 09:05:00", "0", ""],
        ["E1", "2020-02-01", "", "1.5"],
    ]


def test_excel_that_cannot_be_read_rightly_is_refused(tmp_path):
    several = excel(tmp_path / "s.xlsx", [["id"], ["1"]], more=["Two"])
    with pytest.raises(UsageError, match="2 sheets; say which"):
        read_columns(several, ["id"])
    assert read_columns(several, ["id"], sheet="Sheet")["id"].tolist() == ["1"]
    with pytest.raises(UsageError, match="no sheet 'Three'"):
        read_columns(several, ["id"], sheet="Three")
    with pytest.raises(UsageError, match="formulas"):
        read_columns(excel(tmp_path / "f.xlsx", [["id"], ["=1+1"]]), ["id"])
    (tmp_path / "d.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    with pytest.raises(UsageError, match="cannot be read as a table"):
        read_columns(tmp_path / "d.xlsx", ["id"])
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(UsageError, match=r"save it as \.xlsx"):
        read_columns(tmp_path / "old.xls", ["id"])


def test_a_workbook_that_is_called_csv_is_refused(tmp_path):
    excel(tmp_path / "t.xlsx", [["id"], ["1"]]).rename(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="is no text"):
        read_columns(tmp_path / "t.csv", ["id"])


@pytest.mark.parametrize(
    "rows",
    [
        [f'1,a,"{SECRET}', "2,b,", "3,c,"],  # swallows the rest of the file
        ['1,"a,x', "2,b,", '3,"c,x'],  # swallows rows up to the next one
    ],
)
def test_a_quote_that_is_not_closed_swallows_no_rows(tmp_path, rows):
    path = tmp_path / "t.csv"
    path.write_text("id,af,note\n" + "\n".join(rows) + "\n")
    with pytest.raises(UsageError, match="quote that is not closed") as caught:
        read_columns(path, ["id"])
    assert SECRET not in str(caught.value)


def test_a_quote_in_the_middle_of_a_cell_is_a_character(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('id,note\n1,5" catheter\n2,"a\nb"\n')
    assert read_columns(path, ["note"])["note"].tolist() == ['5" catheter', "a\nb"]


@pytest.mark.parametrize("first", [f"77123,{SECRET},1944-02-03", "77123", f"{SECRET} (12345678)", "id,"])
def test_a_first_row_of_patients_is_not_shown(tmp_path, first):
    path = tmp_path / "t.csv"
    path.write_text(f"{first}\n{first}\n")
    with pytest.raises(UsageError, match="does not look like names of columns") as caught:
        read_columns(path, ["ecg"])
    assert SECRET not in str(caught.value)


def test_the_mark_of_utf8_outweighs_another_encoding(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,größe\n1,ä\n", encoding="utf-8-sig")
    assert read_columns(path, ["id", "größe"], encoding="cp1252").to_numpy().tolist() == [["1", "ä"]]


def test_a_line_for_excel_before_the_header_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    for start in ("sep=;\n", "\ufeffSEP=;\r\n", '"sep=;"\n'):
        path.write_text(start + "id;age\n1;50\n", "utf-8")
        with pytest.raises(UsageError, match="'sep=' for Excel"):
            read_columns(path, ["id", "age"])


@pytest.mark.parametrize(("kind", "largest"), [("float32", 2**24), ("float64", 2**53)])
def test_ids_that_a_float_cannot_hold_are_refused(tmp_path, kind, largest):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"id": np.array([1, largest - 1], kind)}).to_parquet(path)
    assert read_columns(path, ["id"])["id"].tolist() == ["1", str(largest - 1)]
    pd.DataFrame({"id": np.array([1, largest + 1], kind)}).to_parquet(path)
    with pytest.raises(UsageError, match="no longer holds each"):
        read_columns(path, ["id"])


def test_all_columns_that_are_missing_are_named_at_once(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Untersuchung;Fall;Alter;Geschlecht;Datei;Befund\n1;2;3;w;a;b\n")
    with pytest.raises(UsageError) as caught:
        read_columns(path, ["ecg_id", "Alter", "file"])
    assert str(caught.value).endswith(
        "has no column 'ecg_id', 'file'; it has Untersuchung, Fall, Alter, Geschlecht, Datei, Befund."
    )

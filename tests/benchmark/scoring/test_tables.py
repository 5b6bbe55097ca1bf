"""Tables as people have them: pandas' row index, compressed CSV, Excel, and what only looks like a table."""

from __future__ import annotations

import gzip
import os
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmark.scoring.against_labels import ScoredTable, ScoreOptions, score_table
from benchmark.scoring.prediction_files import read_prediction_file
from benchmark.scoring.tables import open_table
from cohorts.errors import LeadboardError, UsageError

IDS = ["007", "a", "NA", "1e3"]
SCORES = pd.DataFrame({"record_id": IDS, "AF": [0.9, 0.1, 0.4, 0.5]})
LABELS = pd.DataFrame({"record_id": IDS, "AF": [1, 0, 1, 0]})
CSV = "record_id,AF\n007,0.9\na,0.1\nNA,0.4\n1e3,0.5\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    LABELS.to_csv(path, index=False)
    return path


def scored(scores: Path, labels: Path, **options: Any) -> ScoredTable:
    return score_table(scores, labels, resamples=5, options=ScoreOptions(**options))


def auroc(scores: Path, labels: Path) -> float | None:
    return scored(scores, labels).concepts["AF"].auroc.value


def refusal(scores: Path, labels: Path) -> str:
    """The one sentence that a table is refused with, whichever of the two it is."""
    sentences = []
    for pair in ((scores, labels), (labels, scores)):
        with pytest.raises(UsageError) as caught:
            score_table(*pair, resamples=2)
        sentences.append(str(caught.value))
    with pytest.raises(UsageError) as caught:
        read_prediction_file(scores, {"AF"})
    for sentence in (*sentences, str(caught.value)):
        assert sentence.isprintable()
        assert sentence.endswith(".")
    assert sentences[0] == sentences[1]
    return sentences[0]


@pytest.mark.parametrize("named", [True, False])
def test_ids_in_the_row_index_of_pandas_are_the_records(tmp_path: Path, named: bool) -> None:
    scores, labels = tmp_path / "scores.parquet", tmp_path / "labels.parquet"
    for table, path in ((SCORES, scores), (LABELS, labels)):
        indexed = table.set_index("record_id")
        indexed.rename_axis("record_id" if named else None).to_parquet(path)
    found = scored(scores, labels)
    assert found.concepts["AF"].auroc.value == 0.75
    taken = tuple(f"The row index of {path} was taken for the record_ids." for path in (scores, labels))
    assert found.notes == (() if named else taken)
    read = read_prediction_file(scores, {"AF"})
    assert (list(read.ids), read.remarks) == (IDS, () if named else taken[:1])


def test_a_row_index_beside_the_ids_is_ignored_and_that_is_said(tmp_path: Path, labels: Path) -> None:
    path = tmp_path / "scores.parquet"
    SCORES.iloc[[3, 1, 0, 2]].to_parquet(path)
    assert "__index_level_0__" in pq.read_schema(path).names
    said = (f"The row index of {path} was ignored, since it has a column record_id.",)
    assert scored(path, labels).notes == said
    assert auroc(path, labels) == 0.75
    assert read_prediction_file(path, {"AF"}).remarks == said
    SCORES.to_parquet(path)  # 0, 1, 2 ... are not stored as a column
    assert scored(path, labels).notes == ()


@pytest.mark.parametrize(
    "index", [pd.Index([3, 1, 0, 2]), pd.MultiIndex.from_arrays([IDS, IDS]), pd.Index([0.5, 1.5, 2.5, 3.5])]
)
def test_a_row_index_that_need_not_be_the_ids_is_refused(
    tmp_path: Path, labels: Path, index: pd.Index[Any]
) -> None:
    path = tmp_path / "scores.parquet"
    SCORES[["AF"]].set_axis(index).to_parquet(path)
    words = refusal(path, labels)
    assert "has no column record_id, and its nameless row index is" in words
    assert "name it record_id (rename_axis in pandas)" in words


def test_a_compressed_csv_is_read_and_a_damaged_one_is_not(
    tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scores.csv.gz"
    whole = gzip.compress(CSV.encode())
    path.write_bytes(whole)
    assert auroc(path, labels) == 0.75
    assert list(read_prediction_file(path, {"AF"}).ids) == IDS
    half = CSV.encode()[:25]
    path.write_bytes(gzip.compress(half) + gzip.compress(CSV.encode()[25:]))  # as 'cat a.gz b.gz' makes it
    assert auroc(path, labels) == 0.75
    for cut in (3, len(whole) // 2, len(whole) - 1, len(whole) - 8):
        path.write_bytes(whole[:cut])
        assert "cannot be read" in refusal(path, labels)
    path.write_bytes(whole[:-6] + b"\0\0" + whole[-4:])
    assert "cannot be read as a table (CRC check failed" in refusal(path, labels)
    path.write_bytes(whole)
    monkeypatch.setattr("benchmark.scoring.tables.MOST_UNPACKED", len(CSV) - 1)
    assert "unpack it first" in refusal(path, labels)


def workbook(path: Path, rows: list[list[Any]], edit: Callable[[Any], None] = lambda _: None) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    edit(book)
    book.save(path)
    return path


ROWS = [["record_id", "AF"], ["007", 0.9], ["a", 0.1], ["NA", 0.4], ["1e3", 0.5]]
TRUTH = [["record_id", "AF", "sex", "patient_id"], ["007", 1, "f", 1], ["a", 0, "f", 1], ["NA", True, "m", 2],
         [], ["1e3", 0.0, None, 3], []]  # fmt: skip


def test_excel_is_read_as_its_csv_would_be(tmp_path: Path) -> None:
    scores, labels = workbook(tmp_path / "scores.xlsx", ROWS), workbook(tmp_path / "labels.xlsx", TRUTH)
    found = scored(scores, labels, subgroups=["sex"])
    assert found.concepts["AF"].auroc.value == 0.75
    assert (found.bootstrap.unit, found.bootstrap.groups) == ("patients", 3)
    read = read_prediction_file(scores, {"AF"})
    assert (list(read.ids), read.scores[:, 0].tolist()) == (IDS, np.float32([0.9, 0.1, 0.4, 0.5]).tolist())
    numbered = workbook(tmp_path / "n.xlsx", [["record_id", "AF"], *([at, at / 7] for at in range(5))])
    read = read_prediction_file(numbered, {"AF"})
    assert list(read.ids) == ["0", "1", "2", "3", "4"]
    (tmp_path / "scores.csv").write_text(CSV)
    labels = workbook(tmp_path / "labels.bin", [[*row, None, None] for row in TRUTH])  # the name says nothing
    assert auroc(tmp_path / "scores.csv", labels) == 0.75


def merge(book: Any) -> None:
    book.active.merge_cells("B2:B3")


def second_sheet(book: Any) -> None:
    book.create_sheet("more").append(["x"])


@pytest.mark.parametrize(
    ("rows", "edit", "words"),
    [
        ([*ROWS[:4], ["1e3", "=0.25*2"]], None, "has formulas, whose values another program may not have"),
        (ROWS, merge, "has merged cells; unmerge them"),
        (ROWS, second_sheet, "has 2 sheets with content (Sheet, more)"),
        ([], None, "has no cell with content"),
        ([[], *ROWS], None, "begins with a blank row"),
        ([["Report of June"], *ROWS], None, "has no column record_id (it has Report of June)"),
        ([["", *ROWS[0]], *ROWS[1:]], None, "Column 1 of"),
        ([*ROWS[:4], [datetime(2026, 1, 2), 0.5]], None, "Excel has made 2026-01-02 00:00:00 of an id"),
        ([*ROWS[:4], [1.5e20, 0.5]], None, "Excel has made 1.5e+20 of an id in column 'record_id', row 5"),
        ([*ROWS[:4], ["1e3", 0.5, 0.25]], None, "Row 5 of"),
        ([*ROWS[:4], ["1e3", "high"]], None, "'high' in column 'AF' of record '1e3'"),
        ([*ROWS[:4], ["1e3", "#N/A"]], None, "'#N/A' in column 'AF' of record '1e3'"),
        ([*ROWS[:4], [None, 0.5]], None, "has no record_id in row 4"),
        ([ROWS[0], [None, None]], None, "has a header but no rows"),
    ],
)
def test_what_excel_may_have_changed_is_refused(
    tmp_path: Path, labels: Path, rows: list[list[Any]], edit: Callable[[Any], None] | None, words: str
) -> None:
    path = workbook(tmp_path / "scores.xlsx", rows, edit or (lambda _: None))
    with pytest.raises(UsageError) as caught:
        score_table(path, labels, resamples=2)
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_empty_score_in_excel_is_missing(tmp_path: Path, labels: Path) -> None:
    path = workbook(tmp_path / "scores.xlsx", [*ROWS[:4], ["1e3", None]])
    with pytest.raises(UsageError, match=r"are missing, infinite or too large \(1, the first of record 1e3"):
        score_table(path, labels)


def changed(path: Path, name: str, edit: Callable[[bytes], bytes]) -> None:
    """Edit a member of a workbook."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    members[name] = edit(members[name])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_that_lies_about_its_size_costs_nothing(
    tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "scores.xlsx", ROWS)
    changed(path, SHEET, lambda xml: xml.replace(b'ref="A1:B5"', b'ref="A1:XFD1048576"'))
    assert auroc(path, labels) == 0.75
    monkeypatch.setattr("benchmark.scoring.excel.MOST_ROWS", 2_000)
    changed(path, SHEET, lambda xml: xml.replace(b'<row r="5"', b'<row r="99999999999999"'))
    assert "lacks 1 record of" in refusal_of_one(path, labels)  # and not after a hundred thousand years
    changed(path, SHEET, lambda xml: xml + b" " * 1_000_000)
    monkeypatch.setattr("benchmark.scoring.excel.MOST_BYTES", 500_000)
    assert "save the table as CSV" in refusal(path, labels)


def refusal_of_one(scores: Path, labels: Path) -> str:
    with pytest.raises(UsageError) as caught:
        score_table(scores, labels, resamples=2)
    return str(caught.value)


def test_a_damaged_workbook_and_one_that_nothing_can_read(
    tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workbook(tmp_path / "scores.xlsx", ROWS)
    whole = path.read_bytes()
    for cut in (10, len(whole) // 2, len(whole) - 5):
        path.write_bytes(whole[:cut])
        assert "cannot be read as Excel" in refusal(path, labels)
    path.write_bytes(whole)
    changed(path, SHEET, lambda xml: xml[:-20])
    assert "cannot be read as Excel" in refusal(path, labels)
    path.write_bytes(whole)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    assert "install leadboard[excel], or save the table as CSV." in refusal(path, labels)


def old_excel(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500))


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("scores.csv", CSV)


def pickled(path: Path) -> None:
    SCORES.to_pickle(path, compression=None)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_text(CSV, "utf-16"), "text in UTF-16: save the table as CSV in UTF-8"),
        (lambda path: path.write_bytes(b"\xfd7zXZ\0abc"), "compressed with xz: unpack it first"),
        (lambda path: path.write_bytes(b"BZh91AY&SY"), "compressed with bzip2: unpack it first"),
        (lambda path: path.write_bytes(b"\x28\xb5\x2f\xfdabc"), "compressed with zstd: unpack it first"),
        (lambda path: path.write_bytes(b"\x89HDF\r\n\x1a\n"), "an HDF5 file: write the table as Parquet"),
        (SCORES.to_feather, "an Arrow file: write the table as Parquet or CSV"),
        (pickled, "a pickle, which is not opened because it can run any code"),
        (old_excel, "a file of an old Excel: save the table as .xlsx or CSV"),
        (zipped, "a zip archive, neither Excel nor npz: unpack it first"),
        (os.mkfifo, "a pipe, device or socket is not read; save it to a file"),
        (Path.mkdir, "cannot be read (Is a directory)"),
    ],
)
def test_another_kind_of_file_is_told_what_to_do(
    tmp_path: Path, labels: Path, make: Callable[[Path], Any], words: str
) -> None:
    path = tmp_path / "scores.csv"
    make(path)
    assert words in refusal(path, labels)


def test_npz_is_for_predictions_on_a_cohort(tmp_path: Path, labels: Path) -> None:
    path = tmp_path / "scores.npz"
    np.savez(path, record_id=np.array(IDS), AF=np.zeros(4))
    assert list(read_prediction_file(path, {"AF"}).ids) == IDS
    for pair in ((path, labels), (labels, path)):
        with pytest.raises(
            UsageError, match=r"is npz, which is read for predictions on a cohort only; write"
        ):
            score_table(*pair)


def test_one_long_text_cannot_stand_for_a_terabyte(
    tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rows = tmp_path / "scores.parquet", 5_000
    ids = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), ["x" * 100_000])
    pq.write_table(pa.table({"record_id": ids, "AF": np.zeros(rows)}).cast(
        pa.schema({"record_id": pa.string(), "AF": pa.float64()})), path, use_dictionary=True)  # fmt: skip
    assert path.stat().st_size < 2_000_000
    monkeypatch.setattr("benchmark.records.parquet.MOST_TEXT_BYTES", 100_000 * rows - 1)
    assert "GiB of text in column 'record_id'" in refusal(path, labels)


def test_a_name_in_the_header_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = workbook(tmp_path / "scores.xlsx", [["record_id", "A\u202eF"], ["a", 1]])
    assert open_table(path).columns == ["record_id", "A F"]


@pytest.mark.parametrize("far", [1e-9, 1.0000001 - 1, 1e-6])
def test_a_probability_that_rounding_moved_is_taken_back_and_that_is_said(tmp_path: Path, far: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    values = np.clip(0.6 * truth + rng.normal(0.2, 0.2, 200), 0, 1)
    assert {0.0, 1.0} <= set(values)
    ids = [f"r{at}" for at in range(200)]
    pd.DataFrame({"record_id": ids, "AF": truth}).to_csv(tmp_path / "labels.csv", index=False)
    found = []
    for shift in (0.0, far):
        moved = np.where(values == 1, 1 + shift, np.where(values == 0, -shift, values))
        pd.DataFrame({"record_id": ids, "AF": moved}).to_parquet(tmp_path / "scores.parquet")
        found.append(
            scored(tmp_path / "scores.parquet", tmp_path / "labels.csv", probabilities=True, recalibrate=50)
        )
    plain, rounded = found
    assert rounded.statistics == plain.statistics
    assert (rounded.curves, rounded.recalibrated) == (plain.curves, plain.recalibrated)
    count = int(((values == 0) | (values == 1)).sum())
    assert rounded.notes == (
        f"{count} scores are outside 0 to 1, by 1e-06 or less: taken as 0 or 1 where calibration is "
        "measured.",
    )
    assert plain.notes == ()


def test_a_score_further_out_is_no_probability(tmp_path: Path, labels: Path) -> None:
    SCORES.assign(AF=[1.000002, 0.1, 0.4, 0.5]).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(
        LeadboardError, match="1 of 4 scores of AF are outside 0 to 1 and so no probabilities"
    ):
        scored(tmp_path / "scores.csv", labels, probabilities=True)


def test_ages_in_words_are_groups_of_their_own(tmp_path: Path) -> None:
    labels = pd.DataFrame({"record_id": IDS, "AF": [1, 0, 1, 0], "age": ["old", "young", "old", ""]})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    SCORES.to_csv(tmp_path / "scores.csv", index=False)
    assert scored(tmp_path / "scores.csv", tmp_path / "labels.csv", subgroups=["age"]).notes == ()


def test_an_age_that_cannot_be_is_unknown_and_counted(tmp_path: Path) -> None:
    ages = ["-1", "300", "999", "nan", "", "NA", "0", "39.9", "40", "90", "120", "120.5"]
    ages += ["50"] * 20
    ids = [f"r{at:02d}" for at in range(len(ages))]
    labels = pd.DataFrame({"record_id": ids, "AF": [at % 2 for at in range(len(ids))], "age": ages})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    scores = pd.DataFrame({"record_id": ids, "AF": np.arange(len(ids)) / 20})
    scores.to_csv(tmp_path / "scores.csv", index=False)
    found = scored(tmp_path / "scores.csv", tmp_path / "labels.csv", subgroups=["age"])
    assert found.notes == (
        f"5 of 32 ages in {tmp_path / 'labels.csv'} are not above 0 and at most 120 years (-1, 300, 999, 0, "
        "120.5); they count as unknown.",
    )
    groups = found.statistics.subgroups["age"].groups
    sizes = {name: group.records for name, group in groups.items()}
    assert sizes == {"under 40": 1, "40 to 59": 21, "80 and over": 2, "unknown": 8}

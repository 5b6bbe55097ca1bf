"""`score_table`: any two tables that belong together, and one clear sentence for any that do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.scoring.against_labels import score_table
from cohorts.errors import UsageError

LABELS = "record_id,AF\n01,1\n02,0\n03,1\n04,0\n"
SCORES = "record_id,AF\n01,0.9\n02,0.1\n03,0.4\n04,0.5\n"


def write(folder: Path, scores: str | bytes, labels: str | bytes) -> tuple[Path, Path]:
    paths = folder / "scores.csv", folder / "labels.csv"
    for path, content in zip(paths, (scores, labels), strict=True):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return paths


def auroc(folder: Path, scores: str | bytes, labels: str | bytes, concept: str = "AF") -> float | None:
    return score_table(*write(folder, scores, labels), resamples=5).concepts[concept].auroc.value


def test_code_test_gives_the_known_answers(shared: Path, tmp_path: Path) -> None:
    scores = pd.read_csv(shared / "known_answers/code_test_dnn_scores.csv")
    labels = pd.read_csv(shared / "data/code-test/annotations/gold_standard.csv")
    for table in (scores, labels):
        table.insert(0, "record_id", [f"{row:04d}" for row in range(len(table))])
    scores.sample(frac=1, random_state=0).to_csv(tmp_path / "scores.csv", index=False)
    labels.to_csv(tmp_path / "labels.csv", index=False)
    found = score_table(tmp_path / "scores.csv", tmp_path / "labels.csv", resamples=200)

    known = {"1dAVb": 0.99423386, "RBBB": 0.99907277, "LBBB": 1.0, "SB": 0.99745684, "AF": 0.99744850,
             "ST": 0.99856312}  # fmt: skip
    assert {name: metrics.auroc.value for name, metrics in found.concepts.items()} == pytest.approx(
        known, abs=1e-6
    )
    assert found.macro.auroc.value == pytest.approx(0.99779585, abs=1e-6)
    assert (found.bootstrap.unit, found.bootstrap.groups) == ("records", 827)
    assert found.notes == ()


def test_joins_by_id_whatever_the_order_of_rows_and_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = [f"{i:03d}" for i in range(60)]
    labels = pd.DataFrame(
        {"record_id": ids, "patient_id": rng.integers(0, 25, 60), "AF": rng.integers(0, 2, 60)}
    )
    labels["LBBB"] = rng.integers(0, 2, 60)
    scores = pd.DataFrame({"record_id": ids, "AF": rng.random(60), "LBBB": rng.random(60)})
    first = score_table(
        *write(tmp_path, scores.to_csv(index=False), labels.to_csv(index=False)), resamples=50
    )
    mixed = labels.sample(frac=1, random_state=1)[["LBBB", "record_id", "AF", "patient_id"]]
    again = score_table(
        *write(
            tmp_path, scores.sample(frac=1, random_state=2).to_csv(index=False), mixed.to_csv(index=False)
        ),
        resamples=50,
    )

    assert again == first
    assert (first.bootstrap.unit, first.bootstrap.groups) == ("patients", labels["patient_id"].nunique())
    assert list(first.concepts) == ["AF", "LBBB"]


@pytest.mark.parametrize(
    "dress",
    [
        pytest.param(lambda text: text, id="plain"),
        pytest.param(lambda text: text.rstrip("\n"), id="no newline at the end"),
        pytest.param(lambda text: "\ufeff" + text, id="BOM"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(lambda text: ("\ufeff" + text).replace(",", ";").replace("\n", "\r\n"), id="Excel"),
        pytest.param(lambda text: text.replace(",", "\t"), id="tabs"),
        pytest.param(lambda text: text.replace(",", " , "), id="blanks"),
        pytest.param(lambda text: text + "\n\n", id="blank lines at the end"),
        pytest.param(
            lambda text: "".join(
                ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in text.splitlines()
            ),
            id="quotes",
        ),
    ],
)
def test_csv_in_all_its_dresses(tmp_path: Path, dress: Any) -> None:
    assert auroc(tmp_path, dress(SCORES), dress(LABELS)) == 0.75
    assert auroc(tmp_path, dress(SCORES), LABELS) == 0.75


def test_a_delimiter_inside_a_quoted_name(tmp_path: Path) -> None:
    scores, labels = (text.replace("AF", '"AF, or AFL; any"') for text in (SCORES, LABELS))

    assert auroc(tmp_path, scores, labels, "AF, or AFL; any") == 0.75


def test_ids_are_text(tmp_path: Path) -> None:
    """``1`` and ``01`` are two records; ``NA``, ``1e3`` and ``007`` are ids like any other."""
    ids = ["1", "01", "NA", "1e3", "1000", "nan", "007", "None"]
    labels = "record_id,AF\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(ids))
    scores = "record_id,AF\n" + "".join(f"{name},{i % 2}\n" for i, name in enumerate(reversed(ids)))
    found = score_table(*write(tmp_path, scores, labels), resamples=2).concepts["AF"]

    assert (found.n, found.positives, found.auroc.value) == (8, 4, 0.0)


@pytest.mark.parametrize(
    ("one", "nought", "empty"),
    [
        ("1", "0", ""),
        ("1.0", "0.0", " "),
        ("True", "False", "NA"),
        ("TRUE", "FALSE", "NaN"),
        ("1e0", "-0", "nan"),
    ],
)
def test_labels_in_all_their_spellings(tmp_path: Path, one: str, nought: str, empty: str) -> None:
    labels = f"record_id,AF\n01,{one}\n02,{nought}\n03,{empty}\n04,{nought}\n"
    found = score_table(*write(tmp_path, SCORES, labels), resamples=2).concepts["AF"]

    assert (found.n, found.positives, found.auroc.value) == (3, 1, 1.0)


def test_parquet(tmp_path: Path) -> None:
    scores, labels = tmp_path / "scores.parquet", tmp_path / "labels.parquet"
    _, bare = write(tmp_path, SCORES, LABELS.replace("\n0", "\n"))
    pd.DataFrame({"record_id": [4, 3, 2, 1], "AF": np.array([0.5, 0.4, 0.1, 0.9], np.float32)}).to_parquet(
        scores
    )
    for kind in (np.float16, np.float64, np.uint64):
        table = pd.DataFrame({"record_id": ["4", "3", "2", "1"], "AF": np.array([5, 4, 1, 9], kind)})
        table.to_parquet(tmp_path / "other.parquet")
        assert score_table(tmp_path / "other.parquet", bare, resamples=2).concepts["AF"].auroc.value == 0.75
    for values in ([True, False, True, False], [1, 0, 1, 0], [1.0, 0.0, 1.0, 0.0], ["1", "0", "1", "0"]):
        pd.DataFrame({"record_id": ["1", "2", "3", "4"], "AF": values}).to_parquet(labels)
        assert score_table(scores, labels, resamples=2).concepts["AF"].auroc.value == 0.75
    pd.DataFrame({"record_id": ["1", "2", "3", "4"], "AF": [1.0, None, np.nan, 0.0]}).to_parquet(labels)
    assert score_table(scores, labels, resamples=2).concepts["AF"].n == 2


def test_patients_of_the_labels_group_the_records(tmp_path: Path) -> None:
    labels = "record_id,patient_id,AF\n01,7,1\n02,007,0\n03,7,1\n04,,0\n"
    found = score_table(*write(tmp_path, SCORES, labels), resamples=2)

    assert (found.bootstrap.unit, found.bootstrap.groups) == ("patients", 3)
    assert found.notes == ("1 of 4 records have no patient id: each is drawn as a patient of its own.",)


def test_labels_without_scores_are_ignored_with_a_note(tmp_path: Path) -> None:
    labels = "record_id,AF,LBBB,comment\n01,1,7,a\n02,0,,\n03,1,x,\n04,0,1,\n"
    paths = write(tmp_path, SCORES, labels)

    assert score_table(*paths, resamples=2).notes == (
        f"{paths[1]} has columns without scores, which are ignored: LBBB, comment.",
    )


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ("", LABELS, r"scores\.csv is empty"),
        ("\n" + SCORES, LABELS, "begins with a blank line"),
        ("record_id,AF\n", LABELS, r"scores\.csv has a header but no rows"),
        ("record_id,AF", LABELS, r"scores\.csv (has a header but no rows|cannot be read)"),
        ("AF\n0.1\n", LABELS, r"scores\.csv has no column record_id \(it has AF\)"),
        ("Record_ID,AF\n01,0.1\n", LABELS, r"no column record_id \(it has Record_ID, AF\)"),
        (SCORES, "AF\n1\n", r"labels\.csv has no column record_id"),
        ("record_id\n01\n", LABELS, "no column of scores"),
        ("record_id,AF,AF\n01,1,2\n", LABELS, "more than one column 'AF'"),
        ("record_id,AF, AF\n01,1,2\n", LABELS, "more than one column 'AF'"),
        (SCORES, "record_id,AF,AF\n01,1,1\n", r"labels\.csv has more than one column 'AF'"),
        (",record_id,AF\n0,01,1\n", LABELS, "Column 1 of .*scores.csv has no name"),
        ("record_id,AF,\n01,1,\n", LABELS, "Column 3 of .*scores.csv has no name"),
        ("record_id,patient_id,AF\n01,a,1\n", LABELS, "has a column patient_id, which is no score"),
        ("record_id,AFIB\n01,1\n", LABELS, r"does not have \(AFIB\); its columns are record_id, AF"),
        (SCORES + "05,0.3\n06,0.3\n", LABELS, r"labels\.csv lacks 2 records of .*scores\.csv \(05, 06\)"),
        (SCORES, LABELS + "05,1\n", r"scores\.csv lacks 1 record of .*labels\.csv \(05\)"),
        (SCORES.replace("01,", "1,"), LABELS, r"scores\.csv lacks 1 record of .*labels\.csv \(01\)"),
        (SCORES + "02,0.3\n", LABELS, r"scores\.csv has 1 record_ids in more than one row \(02\)"),
        (SCORES, LABELS + "02,1\n", r"labels\.csv has 1 record_ids in more than one row \(02\)"),
        (SCORES.replace("02,", ","), LABELS, "no record_id in row 2 below the header"),
        (
            SCORES.replace("0.4", "high"),
            LABELS,
            "'high' in column 'AF' of record '03', which is no number",
        ),
        (SCORES.replace(",", ";").replace("0.4", "0,4"), LABELS, "'0,4' in column 'AF' of record '03'"),
        (SCORES.replace("0.4", ""), LABELS, "'AF' that are missing, infinite or too large .1, the first"),
        (
            SCORES.replace("0.4", "NaN").replace("0.5", "inf"),
            LABELS,
            "'AF' that are missing, infinite or too large .2, the first",
        ),
        (
            SCORES.replace("0.4", "1e999"),
            LABELS,
            "'AF' that are missing, infinite or too large .1, the first|'1e999'",
        ),
        (SCORES, LABELS.replace("03,1", "03,2"), "'2' in column 'AF' of record '03', which is no label"),
        (SCORES, LABELS.replace("03,1", "03,-1"), "'-1' in column 'AF'"),
        (SCORES, LABELS.replace("03,1", "03,0.5"), "'0.5' in column 'AF'"),
        (SCORES, LABELS.replace("03,1", "03,yes"), "'yes' in column 'AF'"),
        (SCORES, LABELS.replace("03,1", '03,"1\n'), r"labels\.csv lacks 1 record"),
        (SCORES + "05,0.1,0.2\n", LABELS, r"scores\.csv cannot be read as a table"),
        (SCORES + "05\n", LABELS, r"scores\.csv cannot be read as a table"),
        (SCORES, LABELS + "05\n", r"labels\.csv cannot be read as a table"),
        (SCORES.replace("\n", "\r"), LABELS, "not one line of CSV"),
        (SCORES.encode("utf-16"), LABELS, "is text in UTF-16: save the table as CSV in UTF-8"),
        (SCORES.replace("AF", "ÅF").encode("latin-1"), LABELS, "not UTF-8 text"),
        (SCORES.encode() + b"\xff\xfe,1\n", LABELS, r"scores\.csv cannot be read as a table"),
        ('record_id,"AF\n01,1\n', LABELS, 'no column record_id .it has record_id,"AF'),
        (b"\x00\x01\x02", LABELS, "not one line of CSV"),
        (b"\x1f\x8b\x08\x00\x00", LABELS, r"scores\.csv cannot be read"),
        (b"PAR1 and no more", LABELS, r"scores\.csv cannot be read"),
        (b"PAR1", LABELS, r"scores\.csv cannot be read"),
    ],
)
def test_what_does_not_belong_together_is_said_in_one_sentence(
    tmp_path: Path, scores: str | bytes, labels: str | bytes, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as error:
        score_table(*write(tmp_path, scores, labels))
    assert str(error.value).endswith(".")
    assert len(str(error.value).splitlines()) == 1


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    scores, labels = write(tmp_path, SCORES, LABELS)

    with pytest.raises(UsageError, match=r"nowhere\.csv cannot be read \(No such file"):
        score_table(tmp_path / "nowhere.csv", labels)
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory"):
        score_table(scores, tmp_path)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"record_id": [1.0, 2.0], "AF": [0.1, 0.2]}, "decimal numbers"),
        ({"record_id": ["1", None], "AF": [0.1, 0.2]}, "no record_id in row 2"),
        ({"record_id": ["1", "2"], "AF": ["0.1", "0.2"]}, "not numbers"),
        ({"record_id": ["1", "2"], "AF": [[0.1], [0.2]]}, "not numbers"),
        ({"record_id": ["1", "2"], "AF": pd.to_datetime(["2020", "2021"])}, "not numbers"),
        (
            {"record_id": ["1", "2"], "AF": [0.1, None]},
            "'AF' that are missing, infinite or too large .1, the first",
        ),
        (
            {"record_id": ["1", "2"], "AF": [None, None]},
            "'AF' that are missing, infinite or too large .2, the first",
        ),
        ({"record_id": ["1"], "AF": [0.1]}, "lacks 1 record"),
        ({"record_id": [], "AF": []}, "no rows"),
    ],
)
def test_refuses_parquet(tmp_path: Path, table: dict[str, list[Any]], message: str) -> None:
    _, labels = write(tmp_path, SCORES, "record_id,AF\n1,1\n2,0\n")
    pd.DataFrame(table).to_parquet(tmp_path / "scores.parquet")

    with pytest.raises(UsageError, match=message):
        score_table(tmp_path / "scores.parquet", labels)


def test_a_truncated_parquet_file(tmp_path: Path) -> None:
    _, labels = write(tmp_path, SCORES, LABELS)
    path = tmp_path / "scores.parquet"
    pd.DataFrame({"record_id": ["01"], "AF": [0.1]}).to_parquet(path)
    whole = path.read_bytes()
    for cut in (4, 50, len(whole) - 20, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(UsageError, match="cannot be read"):
            score_table(path, labels)


def test_labels_and_ids_in_odd_parquet_types(tmp_path: Path) -> None:
    scores, _ = write(tmp_path, SCORES, LABELS)
    labels = tmp_path / "labels.parquet"
    table = pd.DataFrame({"record_id": ["01", "02", "03", "04"], "AF": ["1", "0", "1", "0"]}).astype(
        "category"
    )
    table.to_parquet(labels)
    assert score_table(scores, labels, resamples=2).concepts["AF"].auroc.value == 0.75
    pd.DataFrame({"record_id": table["record_id"], "AF": [[1], [0], [1], [0]]}).to_parquet(labels)
    with pytest.raises(UsageError, match=r"labels\.parquet"):
        score_table(scores, labels, resamples=2)


def test_one_concept_without_positives_gives_null_and_a_macro_without_it(tmp_path: Path) -> None:
    labels = "record_id,AF,WPW\n" + "".join(f"{i},{i % 2},0\n" for i in range(40))
    scores = "record_id,AF,WPW\n" + "".join(f"{i},{i % 2},{i}\n" for i in range(40))
    text = score_table(*write(tmp_path, scores, labels), resamples=50, seed=3).model_dump_json()
    found = json.loads(text)

    assert "NaN" not in text
    assert found["concepts"]["WPW"]["auroc"]["value"] is None
    assert found["concepts"]["WPW"]["eligible"] is False
    assert found["macro"]["auroc"] == {
        "value": 1.0,
        "low": 1.0,
        "high": 1.0,
        "reason": "an interval without width: at exactly 1 no resample differs, which is not certainty",
        "undefined_fraction": 0.0,
    }
    newcombe = found["concepts"]["AF"]["auroc"]["reason"].partition("Newcombe's method ")[2]
    assert float(newcombe[:5]) < 0.9 < float(newcombe[-5:]) == 1.0
    assert (found["bootstrap"]["resamples"], found["bootstrap"]["seed"]) == (50, 3)


@given(st.binary(max_size=80), st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_a_usage_error(tmp_path: Path, garbage: bytes, with_header: bool) -> None:
    content = (b"record_id,AF\n" if with_header else b"") + garbage
    for scores, labels in ((content, LABELS), (SCORES, content)):
        with pytest.raises(UsageError) as error:
            score_table(*write(tmp_path, scores, labels))
        assert len(str(error.value).splitlines()) == 1

"""PTB-XL+: statements of a programme as a second reader of PTB-XL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.metrics.agreement import agreement_table
from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.families.ptb_xl_plus import FOLDER, second_reader
from cohorts.ontology import load_ontology
from tests.cohorts.wfdb_releases import write_table

COLUMNS = ("ecg_id", "statements", "statements_cat", "statements_ext", "statements_ext_snomed")
ROWS = {
    "3": "['NSR', 'NML']",
    "1": "['SRTH', 'IMI', 'COMMA', 'AU', 'AB']",
    "2": "['AFIB', 'CRO', 'IMI', 'AU', 'AB']",
    "5": "[]",
}


def write(data: Path, rows: dict[str, str]) -> Path:
    folder = data / FOLDER
    cells = [{"ecg_id": record, "statements": statements} for record, statements in rows.items()]
    write_table(folder / "labels" / "12sl_statements.csv", COLUMNS, cells)
    return folder


def test_records_are_joined_by_id_and_the_missing_ones_are_unknown(tmp_path):
    labels = second_reader(write(tmp_path, ROWS), ["1", "2", "3", "4", "5"])
    assert list(labels.index) == ["1", "2", "3", "4", "5"]
    assert set(labels.dtypes) == {np.dtype(np.int8)}
    assert labels["IMI"].tolist() == [1, -1, 0, -1, 0]
    assert labels["AF"].tolist() == [0, 1, 0, -1, 0]
    assert labels["NORM"].tolist() == [0, 0, 1, -1, -1], "AB is a negative, no conclusion is none"
    assert (labels.loc["4"] == -1).all()


def test_only_concepts_that_the_programme_annotates_have_negatives(tmp_path):
    labels = second_reader(write(tmp_path, {"1": "['NSR', 'NML']"}), ["1"])
    states = load_ontology().coverage("heedb-mgh")
    negative = labels.columns[labels.loc["1"] == 0]
    assert set(negative) == set(states.index[states == "annotated"]) - {"NSR", "NORM"}


def test_agreement_with_ptb_xl(write_release, tmp_path):
    cohort = open_cohort("ptb-xl", write_release("ptb-xl"))
    index = cohort.index()
    theirs = second_reader(write(tmp_path, ROWS), index["record_id"].tolist())
    ours = load_ontology().labels("ptb-xl", "scp", index["statements"].tolist()).set_axis(index["record_id"])
    found = agreement_table(ours, theirs, resamples=20).set_index("concept")
    assert found.loc["AF", ["records", "first", "second", "both"]].tolist() == [4, 1, 1, 1]
    assert "TInv" not in found.index, "only one of the two tells inversion from other changes"


@pytest.mark.parametrize("cell", ["", "NSR", "['NSR'", "[NSR]", "['NSR' 'AB']", "nan"])
def test_a_row_that_is_no_list_is_an_error(tmp_path, cell):
    with pytest.raises(UsageError, match=r"12sl_statements\.csv has no list of statements at line 2"):
        second_reader(write(tmp_path, {"1": cell}), ["1"])


def test_a_release_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="put PTB-XL\\+ into the folder 'ptb-xl-plus'"):
        second_reader(tmp_path / FOLDER, ["1"])

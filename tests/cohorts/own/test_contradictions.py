"""A column says 0 of a finding and another source states a kind of it: both are left open; it is told."""

from __future__ import annotations

import pytest

from benchmark.commands.first_look import _findings
from cohorts.errors import UsageError
from cohorts.first_look.look import first_look
from cohorts.labelled import LabelledIndex
from tests.cohorts.own_hospital import FILES, HEAD, PEOPLE, known, table, write, write_hospital

CODES = '\n[labels.statements]\ncolumn = "dx"\nvocabulary = "{}"\n'
VOCABULARY = (
    "code,concept,relation,note\nSR,NSR,same,\nVF,AF,same,\nVF?,AF,ambiguous,possible\nFL,AFL,same,\n"
)
VOCABULARY += "VFLSB,AF,same,\nVFLSB,LBBB,same,\nVAR,AF_AFL,same,\n"
DENIED = "Rows in which AF_AFL is 0 in column 'either' and {}, a kind of it, is stated: {}; both"


def described(columns: str, vocabulary: str = "codes.csv") -> str:
    labels = f"\n[labels]\ncolumns = {{ {columns} }}\n" + CODES.format(vocabulary)
    return HEAD + PEOPLE + FILES + labels


def labelled(folder, rows, description):
    (folder / "codes.csv").write_text(VOCABULARY)
    with known(write(folder, rows, description)) as cohort:
        found = LabelledIndex(cohort)
        return found.labels, cohort.warnings(), cohort.examples()


def test_a_code_against_a_column(tmp_path):
    cells = ["VF", "VF", "VF;FL", "FL", "SR", "VF?", "VFLSB", "VF", "SR"]
    either = ["0", "1", "0", "0", "0", "0", "0", "", "1"]
    rows = table(len(cells)).assign(dx=cells, either=either)
    labels, warnings, examples = labelled(tmp_path, rows, described('AF_AFL = "either"'))
    assert labels["AF_AFL"].tolist() == [-1, 1, -1, -1, 0, -1, -1, 1, 1]
    # A rhythm that is left open is none, so the question which one it is stays open, too.
    assert labels["AF"].tolist() == [-1, 1, -1, -1, 0, -1, -1, 1, 0]
    assert labels["AFL"].tolist() == [-1, 0, -1, -1, 0, -1, -1, 0, 0]
    assert labels["LBBB"].tolist()[6] == 1, "nothing contradicts the other half of the code"
    stated = [text for text in warnings if "is stated" in text]
    said = [text.partition(" are left open (-1)")[0] for text in stated]
    assert said == [DENIED.format("AF", 3), DENIED.format("AFL", 2)]
    assert [examples[text] for text in stated] == [("E001", "E003", "E007"), ("E003", "E004")]
    assert "AF_AFL is 0 and a kind of it (AF) is left open: 1;" in " ".join(warnings)
    assert "E00" not in " ".join(warnings), "what a page shows names no record"


def test_no_more_than_three_are_named(tmp_path):
    rows = table(6).assign(dx="VF", either=["0"] * 5 + ["1"])
    _, _, examples = labelled(tmp_path, rows, described('AF_AFL = "either"'))
    assert list(examples.values()) == [("E001", "E002", "E003")]


def test_without_a_contradiction_nothing_is_said(tmp_path):
    rows = table(4).assign(dx=["VF", "FL", "SR", "VAR"], either=["1", "1", "0", "0"])
    labels, warnings, examples = labelled(tmp_path, rows, described('AF_AFL = "either"'))
    assert labels["AF_AFL"].tolist() == [1, 1, 0, 0], "the column answers alone for its own concept"
    assert (warnings, examples) == ((), {})


def test_a_code_with_a_modifier(tmp_path):
    """A hedge is joined with +: what is hedged is not stated."""
    rows = table(3).assign(dx=["AFIB", "AFIB+PO", "AFIB"], either=["0", "0", "1"])
    labels, warnings, _ = labelled(tmp_path, rows, described('AF_AFL = "either"', "12sl"))
    assert labels["AF"].tolist() == [-1, -1, 1]
    assert labels["AF_AFL"].tolist() == [-1, -1, 1]
    assert DENIED.format("AF", 1) in " ".join(warnings)


def test_several_columns_above_one_code(tmp_path):
    rows = table(4).assign(dx=["IMI", "IMI", "IMI", "SR"], mi=["0", "1", "", "0"], ami=["0", "0", "0", "0"])
    (tmp_path / "mi.csv").write_text("code,concept,relation\nIMI,IMI,same\nSR,NSR,same\n")
    labels, warnings, _ = labelled(tmp_path, rows, described('MI = "mi", AMI = "ami"', "mi.csv"))
    assert labels["MI"].tolist() == [-1, 1, 1, 0]
    assert labels["IMI"].tolist() == [-1, 1, 1, 0]
    assert labels["AMI"].tolist() == [0, 0, 0, 0]
    assert len([text for text in warnings if "is stated" in text]) == 1


def test_a_code_that_has_the_name_of_a_twin_is_refused(tmp_path):
    (tmp_path / "more.csv").write_text(VOCABULARY + '"VF, contradicted",LBBB,same,\n')
    with pytest.raises(UsageError, match="'VF, contradicted' is one that is made here"):
        labelled(tmp_path, table().assign(dx="VF", either="0"), described('AF_AFL = "either"', "more.csv"))


def test_the_first_look_names_the_rows(tmp_path, write_record):
    write_hospital(tmp_path, write_record)
    (tmp_path / "codes.csv").write_text(VOCABULARY)
    file = write(tmp_path, table().assign(dx="VF", either="0"), described('AF_AFL = "either"'))
    with known(file) as cohort:
        said = " ".join(" ".join(_findings(first_look(cohort))).split())
    assert DENIED.format("AF", 6) in said
    assert "(-1) there. For example: E001, E002, E003." in said


@pytest.mark.parametrize("column", ["AF", "NORM"])
def test_a_column_without_kinds_changes_no_code(tmp_path, column):
    rows = table(2).assign(dx=["FL", "SR"], one=["0", "1"])
    labels, warnings, examples = labelled(tmp_path, rows, described(f'{column} = "one"'))
    assert labels[column].tolist() == [0, 1]
    assert labels["AFL"].tolist() == [1, 0]
    assert (warnings, examples) == ((), {})

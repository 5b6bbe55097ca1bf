"""Labels of an own cohort: columns, native codes, and what each of them leaves open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.labelled import LabelledIndex
from cohorts.ontology.coverage_table import minimum_prevalence
from tests.cohorts.own_hospital import FILES, HEAD, PEOPLE, annotated, known, labelled, table, write

SECRET = "Mustermann"
CODES = '\n[labels.statements]\ncolumn = "dx"\nvocabulary = "codes.csv"\n'
VOCABULARY = """code,concept,relation,note
SR,NSR,same,
VF,AF,same,
VF?,AF,ambiguous,possible
LSB,LBBB,same,
RSB,RBBB,same,
SM,PR,same,
N,NORM,same,
ETT,,unmapped,nothing
"""


# --- columns -----------------------------------------------------------------------------------------


def columns(**named: str) -> str:
    return (
        HEAD
        + PEOPLE
        + FILES
        + "\n[labels]\ncolumns = { "
        + ", ".join(f'{k} = "{v}"' for k, v in named.items())
        + " }\n"
    )


def test_columns_are_labels(tmp_path):
    rows = table().assign(af=["1", "0", "", "1.0", "0.0", "1"], lbbb=["0", "1"] * 3)
    labels, warnings = labelled(tmp_path, rows, columns(AF="af", LBBB="lbbb"))
    assert labels["AF"].tolist() == [1, 0, -1, 1, 0, 1]
    assert labels["LBBB"].tolist() == [0, 1] * 3
    assert annotated(labels) == {"AF", "LBBB"}
    assert warnings == ()


def test_another_value_is_refused_with_counts_and_without_text(tmp_path):
    rows = table().assign(af=["1", "2", "2", SECRET, "yes", ""])
    with pytest.raises(UsageError) as caught:
        labelled(tmp_path, rows, columns(AF="af"))
    said = str(caught.value)
    assert "column 'af'" in said
    assert "'2' (2x) and 'yes' (1x) and something else (1x), beside 1 one, 0 zeros and 1 empty cell" in said
    assert SECRET not in said


def test_parents_follow_the_rules_of_the_ontology(tmp_path):
    rows = table().assign(mi=["0", "0", "0", "1", "", ""], imi=["0", "1", "", "0", "1", "0"], ami=["0"] * 6)
    labels, warnings = labelled(tmp_path, rows, columns(MI="mi", IMI="imi", AMI="ami"))
    assert labels["IMI"].tolist() == [0, -1, -1, 0, 1, 0], "contradicted in the second row"
    assert labels["MI"].tolist() == [0, -1, -1, 1, 1, -1]
    assert "MI is 0 in column 'mi' and IMI, a kind of it, is stated: 1; both are left open" in warnings[0]
    assert "MI is 0 and a kind of it (IMI) is left open: 1; MI is -1 there too" in warnings[1]
    assert annotated(labels) == {"MI", "IMI", "AMI"}


def test_a_parent_without_a_column_is_not_annotated_unless_it_is_their_sum(tmp_path):
    rows = table().assign(a=["1", "0", "0", "", "0", "1"], b=["0", "1", "0", "0", "", ""])
    labels, _ = labelled(tmp_path, rows, columns(AF="a", AFL="b"))
    assert labels["AF_AFL"].tolist() == [1, 1, 0, -1, -1, 1]
    labels, _ = labelled(tmp_path, rows, columns(SB="a"))
    assert annotated(labels) == {"SB"}, "bradycardia of another origin has no column"
    labels, _ = labelled(tmp_path, rows, columns(RBBB="a", LAnFB="b"))
    assert labels["BIFB"].tolist() == [0, 0, 0, 0, 0, -1], "computed from its parts"


def test_a_column_that_is_empty_everywhere(tmp_path):
    labels, warnings = labelled(tmp_path, table().assign(af=""), columns(AF="af", LBBB="lbbb"))
    assert annotated(labels) == {"LBBB"}
    assert warnings == ("The column 'af' is empty in every row, so AF is not annotated.",)


# --- native codes ------------------------------------------------------------------------------------


def coded(folder, cells: list[str], *, more: str = "", labels: str = "", vocabulary: str = VOCABULARY):
    folder.mkdir(exist_ok=True)
    (folder / "codes.csv").write_text(vocabulary)
    rows = table(len(cells)).assign(dx=cells)
    return labelled(folder, rows, HEAD + PEOPLE + FILES + labels + CODES + more)


CELLS = ["SR", "SR;LSB", "VF", "VF;LSB", " VF? ; LSB", "SM", "LSB", "ETT", "XX", "VF;XX", "", "N;SR"]


def test_native_codes(tmp_path):
    labels, warnings = coded(tmp_path, CELLS)
    assert annotated(labels) == {"NSR", "AF", "LBBB", "PR", "NORM"}, "RBBB is never stated"
    assert labels["AF"].tolist() == [0, 0, 1, 1, -1, 0, -1, -1, -1, 1, -1, 0]
    assert labels["NSR"].tolist() == [1, 1, 0, 0, -1, 0, -1, -1, -1, -1, -1, 1]
    # An ECG with nothing but pacing (5), or with nothing that has a concept (7), was not read for conduction.
    assert labels["LBBB"].tolist() == [0, 1, 0, 1, 1, -1, 1, -1, -1, -1, -1, 0]
    # Normal or not: a finding says no, sinus rhythm alone says nothing.
    assert labels["NORM"].tolist() == [-1, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, 1]
    unknown, silent = warnings
    assert "left open (-1) for what no other of their codes states: 2; 1 code too rare or too" in unknown
    assert "XX" not in unknown, "a rare code may be about one patient"
    assert "ECGs without a code in column 'dx', left open (-1): 1;" in silent


def test_a_code_that_is_frequent_is_shown(tmp_path):
    _, warnings = coded(tmp_path, ["VF"] * 6 + ["XX"] * 5 + [SECRET + " " * 30 + SECRET] * 5)
    assert "; 'XX' (5x) and 1 code too rare or too long to be shown." in warnings[0]
    assert SECRET not in "".join(warnings)


def test_a_cell_without_a_code_is_as_an_empty_one(tmp_path):
    """Nothing but a separator says as little as nothing."""
    labels, warnings = coded(tmp_path, ["SR", "VF;LSB", ";", " ; "])
    assert labels["AF"].tolist() == [0, 1, -1, -1]
    assert "ECGs without a code in column 'dx', left open (-1): 2;" in warnings[0]


def test_a_row_without_a_relation_is_not_decided(tmp_path):
    undecided = "code,concept,relation\nSR,NSR,same\nVF,AF,\nLSB,,\n"
    labels, warnings = coded(tmp_path, ["SR", "SR", "VF", "LSB"], vocabulary=undecided)
    assert annotated(labels) == {"NSR"}
    assert labels["NSR"].tolist() == [1, 1, -1, -1], "whatever VF and LSB mean is open"
    assert "2 codes too rare" in warnings[0]
    none = "code,concept,relation\nSR,NSR,\n"
    labels, warnings = coded(tmp_path / "none", ["SR", "SR"], vocabulary=none)
    assert not annotated(labels)
    assert "does not say of any code what it means; fill in its column relation" in warnings[-1]


FREE = """\
code,concept,relation,note
Sinusrhythmus,NSR,same,
vorhofflimmern,AF,same,
Linksschenkelblock.,LBBB,same,
"V.a. LSB, VHF",AF,ambiguous,a hedge
"v.a. lsb, vhf",LBBB,ambiguous,a hedge
"""


def test_free_text_is_taken_apart_into_phrases(tmp_path):
    cells = [
        "Sinusrhythmus.",
        "Vorhofflimmern, Linksschenkelblock",
        "SINUSRHYTHMUS. linksschenkelblock.",
        "Sinusrhythmus, kein Linksschenkelblock",
        "V.a. LSB, VHF",
        "...",
        "",
    ]
    (tmp_path / "codes.csv").write_text(FREE)
    statements = CODES.replace('vocabulary = "', 'free_text = true\nvocabulary = "')
    rows = table(len(cells)).assign(dx=cells)
    labels, warnings = labelled(tmp_path, rows, HEAD + PEOPLE + FILES + statements)
    assert labels["NSR"].tolist() == [1, 0, 1, -1, -1, -1, -1], "a sentence with a no is no plain phrase"
    assert labels["LBBB"].tolist() == [0, 1, 1, -1, -1, -1, -1]
    assert labels["AF"].tolist() == [0, 1, 0, -1, -1, -1, -1]
    assert "ECGs without a code in column 'dx', left open (-1): 2;" in warnings[1]


def test_no_phrase_of_a_report_is_shown(tmp_path):
    """However frequent: who signs the reports stands in many of them."""
    (tmp_path / "codes.csv").write_text(FREE)
    statements = CODES.replace('vocabulary = "', 'free_text = true\nvocabulary = "')
    rows = table(9).assign(dx=[f"Sinusrhythmus. {SECRET}"] * 9)
    file = write(tmp_path, rows, HEAD + PEOPLE + FILES + statements)
    with known(file) as cohort:
        (warning,) = cohort.warnings()
        assert warning.endswith("states: 9; 1 phrase not shown here.")
        assert SECRET.casefold() not in repr(cohort.index()).casefold()
        assert SECRET.casefold() not in repr(cohort.own_codes).casefold()
        assert cohort.unheard() == {SECRET.casefold(): 9}, "its owner is told, by prepare --check"


def test_a_rate_in_free_text_is_no_phrase_of_its_own(tmp_path):
    """One row says of all rates that they say nothing; a degree is another finding each."""
    (tmp_path / "codes.csv").write_text(
        FREE + "Frequenz #/min,,unmapped,a rate\nAV-Block 1. Grades,IAVB,same,\n"
    )
    statements = CODES.replace('vocabulary = "', 'free_text = true\nvocabulary = "')
    cells = ["Sinusrhythmus, Frequenz 72/min", "Vorhofflimmern, Frequenz 101/min", "Sinusrhythmus"]
    cells += ["Sinusrhythmus, AV-Block 1. Grades", "Sinusrhythmus, AV-Block 2. Grades"]
    labels, _ = labelled(tmp_path, table(len(cells)).assign(dx=cells), HEAD + PEOPLE + FILES + statements)
    assert labels["AF"].tolist() == [0, 1, 0, 0, -1]
    assert labels["IAVB"].tolist() == [0, 0, 0, 1, -1]


def test_nothing_stated_is_a_negative_only_where_the_hospital_says_so(tmp_path):
    cells = ["VF", "", "SR", "LSB"]
    labels, _ = coded(tmp_path, cells)
    assert labels.loc["E002", ["AF", "LBBB"]].tolist() == [-1, -1]
    labels, warnings = coded(tmp_path, cells, more='empty = "negative"\n')
    assert labels.loc["E002", ["AF", "LBBB", "NSR"]].tolist() == [0, 0, -1]
    assert warnings == ()


def test_tokens_are_whole(tmp_path):
    labels, _ = coded(tmp_path, ["VF", "VFX;LSB", "LSB", "SR"])
    assert labels["AF"].tolist() == [1, -1, -1, 0]


def test_a_concept_rarer_than_anywhere_is_not_annotated(tmp_path):
    ecgs = 1_000
    few = int(np.ceil(ecgs * minimum_prevalence()["RBBB"] / 100)) - 1
    assert few == 4
    cells = ["SR;RSB"] * few + ["SR;VF"] * 200 + ["SR"] * (ecgs - few - 200)
    labels, _ = coded(tmp_path, cells)
    assert annotated(labels) == {"AF", "NSR"}
    labels, _ = coded(tmp_path, ["SR;RSB", *cells[:-1]])
    assert (labels["RBBB"] == 1).sum() == few + 1
    assert (labels["RBBB"] == 0).sum() == ecgs - few - 1
    labels, _ = coded(tmp_path, cells, more='annotated = ["RBBB"]\n')
    assert annotated(labels) == {"RBBB"}
    with pytest.raises(UsageError, match=r"no code of codes\.csv states it"):
        coded(tmp_path, cells, more='annotated = ["IAVB"]\n')


def test_a_parent_needs_a_code_of_its_own(tmp_path):
    vocabulary = "code,concept,relation\nB,Brady,same\nSB,SB,same\nSR,NSR,same\n"
    labels, _ = coded(tmp_path, ["SB", "SR", "SR"], vocabulary=vocabulary)
    assert annotated(labels) == {"SB", "NSR"}
    labels, _ = coded(tmp_path, ["SB", "SR", "B"], vocabulary=vocabulary)
    assert labels["Brady"].tolist() == [1, 0, 1]


def test_a_column_answers_alone_for_its_concept(tmp_path):
    both = '\n[labels]\ncolumns = { AF = "af" }\n'
    folder = tmp_path
    (folder / "codes.csv").write_text(VOCABULARY)
    rows = table(5).assign(dx=["VF", "SR", "XX", "", "SR;LSB"], af=["0", "1", "0", "1", ""])
    labels, _ = labelled(folder, rows, HEAD + PEOPLE + FILES + both + CODES)
    assert labels["AF"].tolist() == [0, 1, 0, 1, -1]
    assert labels["LBBB"].tolist() == [-1, 0, -1, -1, 1]


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ("code,concept\nA,AF\n", "code, concept and relation"),
        ("code,concept,relation,colour\nA,AF,same,x\n", "code, concept and relation"),
        ("code,concept,relation\n", "no rows"),
        ("", "it is empty."),
        ("code,concept,relation\nA,AF\n", "another number of cells than columns in line 2"),
        ("code,concept,relation\nA,AFF,same\n", "line 2: unknown concept 'AFF'; did you mean AF"),
        ("code,concept,relation\nA,AF,equal\n", "'equal', which is not known, in line 2"),
        ("code,concept,relation\nA,,same\n", "no concept in line 2"),
        ("code,concept,relation\nA,AF,same\nA,AF,same\n", "a second time in line 3"),
        ("code,concept,relation\nA,BIFB,same\n", "computed from RBBB and LAnFB"),
        ("code,concept,relation\nXX,AF,same\n", "knows none; correct separator or vocabulary"),
    ],
)
def test_a_slip_in_the_vocabulary_is_told(tmp_path, vocabulary, said):
    with pytest.raises(UsageError) as caught:
        coded(tmp_path, ["VF"], vocabulary=vocabulary)
    assert said in str(caught.value)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_vocabulary_with_another_separator(tmp_path, separator, mark):
    """As Excel saves it where the comma is the decimal sign: with ; and a mark, and quotes where needed."""
    vocabulary = 'code,concept,relation,note\nSR,NSR,same,\nVF,AF,same,\nVF?,AF,ambiguous,"NOTE"\n,,,\n'
    vocabulary = mark + vocabulary.replace(",", separator).replace("NOTE", f"possible, or 50{separator} %")
    labels, warnings = coded(tmp_path, ["SR", "VF", "VF?"], vocabulary=vocabulary)
    assert labels["AF"].tolist() == [0, 1, -1]
    assert labels["NSR"].tolist() == [1, 0, -1]
    assert warnings == ()


def test_a_slip_in_a_vocabulary_with_semicolons_names_its_line(tmp_path):
    vocabulary = 'code;concept;relation;note\nSR;NSR;same;"two\nlines"\nVF;AFF;same;\n'
    with pytest.raises(UsageError, match=r"line 4: unknown concept 'AFF'; did you mean AF"):
        coded(tmp_path, ["VF"], vocabulary=vocabulary)
    with pytest.raises(UsageError, match="another number of cells than columns in line 2"):
        coded(tmp_path, ["VF"], vocabulary="code;concept;relation\nVF;AF,same\n")


def test_a_vocabulary_that_is_not_in_utf8_is_told(tmp_path):
    (tmp_path / "codes.csv").write_bytes("code;concept;relation;note\nVF;AF;same;für\n".encode("cp1252"))
    with pytest.raises(UsageError, match="save it as CSV in UTF-8"):
        labelled(tmp_path, table().assign(dx="VF"), HEAD + PEOPLE + FILES + CODES)


def test_an_unknown_vocabulary_is_told(tmp_path):
    text = HEAD + PEOPLE + FILES + CODES.replace("codes.csv", "snomedct")
    with pytest.raises(UsageError, match="no vocabulary has this name; there are 12sl, aha"):
        labelled(tmp_path, table().assign(dx="x"), text)


@pytest.mark.parametrize(
    ("cohort_id", "vocabulary"), [("ptb-xl", "scp"), ("chapman-shaoxing", "snomed"), ("ningbo", "snomed")]
)
def test_a_release_described_as_an_own_cohort_says_nothing_else(shared, tmp_path, cohort_id, vocabulary):
    """What the release's own adapter and coverage say, or nothing: the other label is never given."""
    release = LabelledIndex(open_cohort(cohort_id, shared / "data"))
    index = release.index
    rows = pd.DataFrame(
        {"ecg_id": index["record_id"], "file": index["path"], "dx": index["statements"].map("|".join)}
    )
    text = HEAD + FILES + CODES.replace("codes.csv", vocabulary) + 'separator = "|"\n'
    labels, _ = labelled(tmp_path, rows, text)
    theirs = release.labels.set_axis(index["record_id"])
    ours = labels.loc[theirs.index]
    both = (ours >= 0) & (theirs >= 0)
    assert both.to_numpy().sum() > len(index)
    differ = (ours != theirs) & both
    assert not differ.to_numpy().any(), differ.sum()[lambda n: n > 0]
    common = sorted(annotated(ours) & annotated(theirs))
    positives = (theirs[common] == 1).to_numpy()
    assert (ours[common].to_numpy()[positives] == 1).all(), "no positive is lost"

"""Labels of an own cohort: columns, native codes, ICD-10, and what each of them leaves open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import open_cohort
from cohorts.errors import UsageError
from cohorts.labelled import LabelledIndex
from cohorts.ontology.coverage_table import minimum_prevalence
from cohorts.ontology.ontology import load_ontology
from tests.cohorts.own_hospital import FILES, HEAD, ID, PEOPLE, known, table, write

SECRET = "Mustermann"
DATED = HEAD + PEOPLE + 'date = "recorded"\n' + FILES
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


def labelled(folder, rows: pd.DataFrame, description: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Labels by record, and warnings."""
    with known(write(folder, rows, description)) as cohort:
        found = LabelledIndex(cohort)
        return found.labels.set_axis(found.index["record_id"]), cohort.warnings()


def annotated(labels: pd.DataFrame) -> set[str]:
    return set(labels.columns[(labels >= 0).any()])


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
    assert "'2' (2x) and 'yes' (1x) and something else (1x), beside 1 ones, 0 zeros and 1 empty" in said
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


# --- ICD-10 ------------------------------------------------------------------------------------------

ICD = '\n[labels.icd10]\ntable = "icd.csv"\ncode = "icd"\nwindow_days = [-10, 5]\n'


def diagnosed(folder, rows: pd.DataFrame, diagnoses: str, *, labels: str = ""):
    folder.mkdir(exist_ok=True)
    (folder / "icd.csv").write_text("patient_id,icd,date\n" + diagnoses)
    return labelled(folder, rows, DATED + labels + ICD)


def test_diagnoses_in_a_window_of_days(tmp_path):
    rows = table(6).assign(patient=["1", "1", "2", "3", "", "4"], recorded="2020-06-15")
    rows.loc[1, "recorded"] = "2020-07-15 23:00"
    rows.loc[5, "recorded"] = ""
    diagnoses = (
        "1,E85.4,2020-06-05\n1,I43.1,2020-06-20 08:00\n1,I10,2020-07-20\n"
        "2,I31.1,2020-06-21\n3,i311,2020-06-20\n9,Q22.5,2020-06-15\n4,I31.1,2020-06-15\n"
    )
    labels, warnings = diagnosed(tmp_path, rows, diagnoses)
    assert annotated(labels) == {"AMYL", "CONSTR", "EBST", "DEXTRO"}
    # 1: E85 on the first day and I43 on the last of the window; a month later hypertension alone.
    assert labels["AMYL"].tolist() == [1, 0, -1, 0, -1, -1]
    # 2: constriction is coded a day too late, so nothing is known of it; 3: on the last day.
    assert labels["CONSTR"].tolist() == [0, 0, -1, 1, -1, -1]
    assert "in the window of -10 to 5 days: 3 of 6;" in warnings[0]


def test_diagnoses_that_cannot_be_read_count_as_none(tmp_path):
    rows = table(3).assign(patient=["1", "2", "3"], recorded="2020-06-15")
    diagnoses = f"1,428.0,2020-06-15\n2,{SECRET},2020-06-15\n,I31.1,2020-06-15\n3,I31.1+,2020-06-15\n"
    labels, warnings = diagnosed(tmp_path, rows, diagnoses)
    assert labels["CONSTR"].tolist() == [-1, -1, 1]
    assert "which are not used: 3 of 4." in warnings[1]
    assert SECRET not in "".join(warnings)
    with pytest.raises(UsageError, match="dates in column 'date'"):
        diagnosed(tmp_path, rows, "1,I31.1,15.06.2020\n")


def test_far_dates_stay_with_their_patient(tmp_path):
    """A sentinel date of one patient must not fall into the window of the next."""
    rows = table(3).assign(patient=["1", "2", "3"], recorded=["2020-06-15", "0001-01-01", "9999-12-31"])
    labels, _ = diagnosed(tmp_path, rows, "1,I31.1,9999-12-31\n2,I31.1,2020-06-15\n3,I31.1,0001-01-01\n")
    assert labels["CONSTR"].tolist() == [-1, -1, -1]


def test_diagnoses_agree_with_a_join_of_every_row(tmp_path):
    rng = np.random.default_rng(3)
    ecgs, codes = 200, 400
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 60, ecgs), unit="D")
    rows = table(ecgs).assign(
        patient=rng.integers(0, 30, ecgs).astype(str), recorded=days.strftime("%Y-%m-%d")
    )
    coded_on = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 60, codes), unit="D")
    icd = rng.choice(["I311", "I10", "Q246", "Q225", "Q240", "J18"], codes)
    table_of = pd.DataFrame({"p": rng.integers(0, 40, codes).astype(str), "c": icd, "d": coded_on})
    text = "".join(f"{row.p},{row.c},{row.d:%Y-%m-%d}\n" for row in table_of.itertuples())
    labels, _ = diagnosed(tmp_path, rows, text)
    for ecg in rows.assign(day=days).itertuples():
        near = table_of[(table_of["p"] == ecg.patient) & ((table_of["d"] - ecg.day).dt.days.between(-10, 5))]
        for concept, code in (("CONSTR", "I311"), ("DEXTRO", "Q240"), ("EBST", "Q225")):
            expected = -1 if near.empty else int((near["c"] == code).any())
            assert labels.loc[ecg.ecg_id, concept] == expected, (ecg, concept)


def test_a_diagnosis_is_no_reading_of_the_tracing(tmp_path):
    rows = table(2).assign(patient=["1", "2"], recorded="2020-06-15", af=["0", "1"])
    labels, _ = diagnosed(
        tmp_path,
        rows,
        "1,I48.0,2020-06-15\n2,I10,2020-06-15\n",
        labels='\n[labels]\ncolumns = { AF = "af" }\n',
    )
    assert labels["AF"].tolist() == [0, 1]
    assert labels["AMYL"].tolist() == [0, 0]
    assert ID not in load_ontology().cohorts


def test_letters_of_certainty_of_the_german_icd_10(tmp_path):
    rows = table(8).assign(patient=[str(number) for number in range(8)], recorded="2020-06-15")
    codes = ("I31.1G", "I31.1A", "I31.1V", "i311z", "I31.1 A", "I31.1V", "I31.1", "I21.A1")
    diagnoses = "".join(f"{number},{code},2020-06-15\n" for number, code in enumerate(codes))
    diagnoses += "5,I31.1G,2020-06-15\n0,I43.1G,2020-06-15\n0,E85.4V,2020-06-15\n"
    diagnoses += "1,I43.1A,2020-06-15\n4,E85.4A,2020-06-15\n4,I43.1,2020-06-15\n1,E85.4G,2020-06-15\n"
    diagnoses += "6,I43.1,2020-06-15\n6,E85.4G,2020-06-15\n"
    labels, _ = diagnosed(tmp_path, rows, diagnoses)
    # Excluded is no; suspected and past are left open, unless another code is certain.
    assert labels["CONSTR"].tolist() == [1, 0, -1, -1, 0, 1, 1, 0]
    # Amyloid of the heart needs both codes; E85 alone, certain or suspected, leaves it open.
    assert labels["AMYL"].tolist() == [-1, -1, 0, 0, 0, 0, 1, 0]


GERMAN = "patient_id;Schlüssel;date\n1;I31.1;2020-06-15\n2;I10;2020-06-15\n"


@pytest.mark.parametrize(
    ("written", "of_index", "stated"),
    [
        ("cp1252", "", 'encoding = "cp1252"\n'),
        ("cp1252", 'encoding = "cp1252"\n', ""),
        ("utf-8", 'encoding = "cp1252"\n', 'encoding = "utf-8"\n'),
        ("utf-8-sig", "", ""),
        ("utf-16", "", 'encoding = "utf-16"\n'),
    ],
)
def test_the_encoding_of_diagnoses(tmp_path, written, of_index, stated):
    """Its own, or that of the index where none is stated."""
    (tmp_path / "icd.csv").write_bytes(GERMAN.encode(written))
    rows = table(2).assign(patient=["1", "2"], recorded="2020-06-15")
    text = HEAD + of_index + PEOPLE + 'date = "recorded"\n' + FILES + ICD.replace('"icd"', '"Schlüssel"')
    labels, _ = labelled(tmp_path, rows, text + stated)
    assert labels["CONSTR"].tolist() == [1, 0]


def test_diagnoses_in_another_encoding_than_stated_are_told(tmp_path):
    (tmp_path / "icd.csv").write_bytes(GERMAN.encode("cp1252"))
    rows = table(2).assign(patient=["1", "2"], recorded="2020-06-15")
    for encoding, said in (("utf-8", "icd.csv"), ("klingon", "encoding")):
        with pytest.raises(UsageError, match=said) as caught:
            labelled(
                tmp_path, rows, DATED + ICD.replace('"icd"', '"Schlüssel"') + f'encoding = "{encoding}"\n'
            )
        assert "I31" not in str(caught.value)
        print(caught.value)

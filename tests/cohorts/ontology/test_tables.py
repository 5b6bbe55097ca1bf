"""Every slip in a table is one clear sentence, never a label."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cohorts.errors import LeadboardError
from cohorts.ontology.ontology import Ontology
from cohorts.ontology.tables import read_tables
from tests.cohorts.ontology.own_tables import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """All tables but the other vocabularies, which none of these tests changes and each would check."""
    (tmp_path / "vocabularies").mkdir()
    for name in ("concepts.csv", "coverage.csv", "computed.csv", "questions.csv", SNOMED):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


CONCEPTS, SNOMED, COVERAGE = "concepts.csv", "vocabularies/snomed.csv", "coverage.csv"
QUESTIONS, PTB_XL = "questions.csv", "ptb-xl,rhythm;ectopy,rhythm,"
AF = "164889003,atrial fibrillation,AF,same,,\n"
AFL = "164890007,atrial flutter,AFL,same,,\n"
COMPUTED = "computed.csv"
BIFB = "BIFB,RBBB;LAnFB,"
STACH = "STach,sinus tachycardia,427084000,rhythm,,"
PROMPTS = "sinus tachycardia;fast sinus rhythm\n"
TWO_TO_FOUR = "something other than 2 to 4 different prompts"

# Table, what stands in it, what shall stand there, and what the error says.
SLIPS = [
    (CONCEPTS, "id,name,", "id,title,", "must have exactly the columns id, name,"),
    (CONCEPTS, STACH, f"{STACH}{PROMPTS}{STACH}", "STach a second time in line 7"),
    (CONCEPTS, ",427084000,", ",426177001,", "426177001 a second time"),
    (CONCEPTS, "STach,", "S Tach,", "'S Tach', which is no id"),
    (CONCEPTS, "STach,", ",", "'', which is no id"),
    (CONCEPTS, STACH, STACH.replace("rhythm", "rythm"), "the category 'rythm'"),
    (CONCEPTS, STACH, STACH.replace("rhythm,", "rhythm,Tachy"), "the parent 'Tachy'"),
    (CONCEPTS, STACH, STACH.replace("rhythm,", "rhythm,STach"), "the parent 'STach'"),
    (CONCEPTS, STACH, STACH.replace("rhythm,", "rhythm,AF"), "the parent 'AF', which no row above it"),
    (CONCEPTS, PROMPTS, PROMPTS.replace(";", ","), "7 cells instead of 6 in line 6"),
    (CONCEPTS, PROMPTS, PROMPTS.replace(";", " "), TWO_TO_FOUR),
    (CONCEPTS, PROMPTS, ";" + PROMPTS, TWO_TO_FOUR),
    (CONCEPTS, PROMPTS, "tachycardia;tachycardia\n", TWO_TO_FOUR),
    (CONCEPTS, "STach,sinus tachycardia,", "STach,,", "no name in line 6"),
    (SNOMED, AF, AF.replace("AF", "AFIB"), "the concept 'AFIB', which is not known"),
    (SNOMED, AF, AF.replace("same", "equal"), "the relation 'equal'"),
    (SNOMED, AF, AF + AF, "164889003 / AF a second time in line 3"),
    (SNOMED, AF, AF.replace("AF", ""), "no concept in line 2"),
    (SNOMED, AF, AF.replace("same", "ambiguous"), "no note in line 2"),
    (SNOMED, AF, AF.replace("164889003", ""), "no code in line 2"),
    (SNOMED, AF, AF.replace("same,,", "unmapped,,why"), "a concept for an unmapped code in line 2"),
    (SNOMED, AF, AF + AF.replace("AF,same,,", ",unmapped,,why"), "an unmapped code that is mapped as well"),
    (SNOMED, AF, AF.replace("AF,same", ",unmapped"), "no note in line 2"),
    (SNOMED, AF, AF.replace("same,,", "same,nowhere,why"), "the cohort 'nowhere'"),
    (
        SNOMED,
        AFL,
        AFL.replace("same,,", "same,ptb,why"),
        "the code without a row for all cohorts '164890007'",
    ),
    (SNOMED, AF, AF + AF.replace("same,,", "same,ptb,"), "no note in line 3"),
    (SNOMED, AF, AF.replace("AF", "AF "), "a cell with blanks at an end"),
    (SNOMED, AF, AF.replace("AF", "A\0F"), "an unprintable character"),
    (SNOMED, AF, AF.replace(",same,,", ",same"), "4 cells instead of 6 in line 2"),
    (COVERAGE, "ptb-xl,SB,annotated,", "ptb-xl,SB,yes,", "the state 'yes'"),
    (COVERAGE, "ptb-xl,SB,", "ptb-xl,SBR,", "the concept 'SBR'"),
    (COVERAGE, "ptb-xl,SB,", "ptb-xl,NSR,", "ptb-xl / NSR a second time"),
    (COVERAGE, "None of PTB-XL's 71 statements means it.", "none", "the reason 'none', which is no sentence"),
    (COVERAGE, "None of PTB-XL's 71 statements means it.", "", "no reason"),
    (
        COVERAGE,
        "Complete without AF, AFRVR, AFL:",
        "Complete without AF:",
        "'Complete without AF, AFRVR, AFL:'",
    ),
    (COVERAGE, "ptb-xl,AFL,annotated", "ptb-xl,AFL,ambiguous", "AF_AFL annotated, but its reason"),
    (COVERAGE, "Complete without SB:", "Complete:", "'Complete without SB:'"),
    (COVERAGE, '"Stated: SBRAD', '"Complete without Brady: SBRAD', "(nothing: no such words)"),
    (COVERAGE, "ptb-xl,BIFB,annotated", "ptb-xl,BIFB,ambiguous", "annotated exactly where RBBB, LAnFB are"),
    (
        COVERAGE,
        "code-15,BIFB,not annotated",
        "code-15,BIFB,annotated",
        "annotated exactly where RBBB, LAnFB are",
    ),
    (COMPUTED, BIFB, "BIF,RBBB;LAnFB,", "the concept 'BIF'"),
    (COMPUTED, BIFB, "BIFB,RBBB,", "'RBBB', which is not two or more stated concepts"),
    (COMPUTED, BIFB, "BIFB,RBBB;LAFB,", "'RBBB;LAFB', which is not two or more stated concepts"),
    (COMPUTED, BIFB, "AF,RBBB;LAnFB,", "AF computed, which has a statement, a parent or a child too"),
    (SNOMED, AF, AF + AF.replace("AF,", "BIFB,"), "BIFB computed, which has a statement"),
    (QUESTIONS, PTB_XL, PTB_XL.replace("ptb-xl", "ptbxl"), "the cohort 'ptbxl'"),
    (QUESTIONS, PTB_XL, PTB_XL.replace(";ectopy", ";ectopia"), "the name in concepts 'ectopia'"),
    (QUESTIONS, PTB_XL, PTB_XL.replace(",rhythm,", ",-rythm,"), "the name in answered_by '-rythm'"),
    (QUESTIONS, PTB_XL, "ptb-xl,,rhythm,", "no concepts in line 2"),
    (QUESTIONS, PTB_XL, "ptb-xl,rhythm,,", "no answered_by in line 2"),
    (QUESTIONS, "As in Chapman-Shaoxing and Ningbo.", "", "no reason in line 6"),
]


@pytest.mark.parametrize(("table", "old", "new", "message"), SLIPS)
def test_a_slip_is_named(folder, table, old, new, message):
    path = folder / table
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(LeadboardError) as error:
        read_tables(folder)
    sentence = str(error.value)
    assert message in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "content", [b"", b"id\n", b"\xff\xfe\x00", b'"id,name', b"id,name,snomed,category,parents,prompts\n"]
)
@pytest.mark.parametrize("table", ["concepts.csv", "coverage.csv", SNOMED])
def test_a_table_that_is_no_table(folder, table, content):
    (folder / table).write_bytes(content)
    with pytest.raises(LeadboardError, match=Path(table).stem):
        read_tables(folder)


def test_missing_tables(folder):
    shutil.rmtree(folder / "vocabularies")
    with pytest.raises(LeadboardError, match="holds no vocabulary"):
        read_tables(folder)
    (folder / "concepts.csv").unlink()
    with pytest.raises(LeadboardError, match=r"concepts\.csv cannot be read"):
        read_tables(folder)


def test_a_byte_order_mark_and_other_line_ends_change_nothing(folder):
    shutil.copytree(FOLDER / "vocabularies", folder / "vocabularies", dirs_exist_ok=True)
    before = Ontology(read_tables(folder))
    for path in folder.rglob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    after = Ontology(read_tables(folder))
    assert after.label_hashes("georgia", "snomed") == before.label_hashes("georgia", "snomed")
    assert after.coverage("georgia").equals(before.coverage("georgia"))


def test_a_cohort_is_added_by_rows_alone(folder):
    path = folder / "coverage.csv"
    text = path.read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("georgia,")]
    path.write_text(text + "\n".join(rows).replace("georgia,", "new-hospital,") + "\n", "utf-8")
    ontology = Ontology(read_tables(folder))
    assert ontology.cohorts[-1] == "new-hospital"
    assert ontology.labels("new-hospital", "snomed", [["164889003"]])["AF"].tolist() == [1]

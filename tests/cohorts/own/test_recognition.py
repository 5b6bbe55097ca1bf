"""`new-cohort --table`: what a table says of itself stands in cohort.toml, and nothing else does."""

from __future__ import annotations

import io
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from cohorts.errors import RecordError, UsageError
from cohorts.labelled import LabelledIndex
from cohorts.own.recognition.filling import filled
from cohorts.own.recognition.recognise import Recognised, recognise
from cohorts.recording import STANDARD_LEADS
from cohorts.scaffold import write_description
from tests.cohorts.conftest import Write
from tests.cohorts.own_hospital import beats, known
from tests.commands import command

GERMAN = """\
EKG-Nr;Patientennummer;Geburtsjahr;Geschlecht;Aufnahmedatum;Dateiname;Vorhofflimmern;LSB;Bemerkung
E1;P1;1950;weiblich;03.02.2024;rec1;1;0;nüchtern
E2;P1;1950;weiblich;13.02.2024;rec2;0;0;
E3;P2;1961;männlich;14.02.2024;rec3;;1;
"""
GERMAN_COHORT = {
    "id": "klinik",
    "name": "Klinik",
    "index": "ekg.csv",
    "encoding": "cp1252",
    "record_id": "EKG-Nr",
    "patient_id": "Patientennummer",
    "birth_year": "Geburtsjahr",
    "date": "Aufnahmedatum",
    "date_format": "%d.%m.%Y",
    "sex": {"column": "Geschlecht", "female": "weiblich", "male": "männlich"},
    "signals": "ekg/{Dateiname}.hea",
    "format": "auto",
}


def table(folder: Path, text: str, *files: str, name: str = "ecgs.csv") -> Path:
    """Write a table, and empty files that it may name."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder / name


def described(path: Path, sheet: str | None = None) -> tuple[dict[str, Any], str]:
    """What cohort.toml says, and its text."""
    file = write_description("klinik", path.parent, recognise(path, path.parent, sheet))
    text = file.read_text("utf-8")
    return tomllib.loads(text), text


def test_a_german_table_of_windows_can_be_prepared_as_it_is(tmp_path: Path, write_record: Write) -> None:
    for number, counts in enumerate(beats(3, samples=5000), start=1):
        write_record(tmp_path / f"ekg/rec{number}.hea", counts)
    (tmp_path / "ekg.csv").write_bytes(GERMAN.encode("cp1252"))
    made = command(tmp_path, "new-cohort", "klinik", "--table", "ekg.csv")
    assert "record_id" in made.out
    assert "Columns of which nothing is said: LSB, Bemerkung." in made.out
    found = tomllib.loads((tmp_path / "cohort.toml").read_text("utf-8"))
    assert found == {"cohort": GERMAN_COHORT, "labels": {"columns": {"AF": "Vorhofflimmern"}}}
    seen = command(tmp_path, "prepare", "klinik", "--check", "--cohort-file", "cohort.toml").out
    assert re.search(r"records +3 in the index; 3 of a sample of 3 can be read", seen)
    assert re.search(r"^AF +1 +1 +1 *$", seen, re.MULTILINE)
    with known(tmp_path / "cohort.toml") as cohort:
        index = cohort.index()
        assert index["age"].tolist() == [74, 74, 63]
        assert index["sex"].tolist() == ["female", "female", "male"]
        assert index["patient_id"].tolist() == ["P1", "P1", "P2"]


FREE_TEXT = """\
EKG-Nr;Patienten-ID;Geburtsdatum;Geschlecht;Aufnahmedatum;Datei;Befund
E1;P1;12.03.1950;w;11.03.2024 08:15;rec1;Vorhofflimmern. Kompletter Linksschenkelblock.
E2;P2;12.03.1950;m;12.03.2024 09:00;rec2.hea;Sinusrhythmus, kein Schenkelblock
E3;P3;29.02.1960;m;28.02.2024 10:00;rec3.csv;sinusrhythmus, VHF
E4;P4;;w;14.02.2024 10:00;broken.xml;Vorhofflimmern
"""


def test_free_text_dates_of_birth_and_several_formats(tmp_path: Path, write_record: Write) -> None:
    """What a hospital has as it is: only what is nobody's to guess is left to be written."""
    counts = beats(3, samples=5000)
    write_record(tmp_path / "ekg/rec1.hea", counts[0])
    write_record(tmp_path / "ekg/rec2.hea", counts[1])
    millivolts = pd.DataFrame(counts[2].T / 1000, columns=list(STANDARD_LEADS))
    millivolts.to_csv(tmp_path / "ekg/rec3.csv", index=False)
    (tmp_path / "ekg/broken.xml").write_bytes(b"\x00\x01")
    (tmp_path / "ekg.csv").write_text(FREE_TEXT)
    made = command(tmp_path, "new-cohort", "klinik", "--table", "ekg.csv").out
    assert "codes.csv is written: say in its column relation" in made
    assert "1 are tables or arrays" in made
    assert "Vorhofflimmern" not in made, "cells stay where they are"
    text = (tmp_path / "cohort.toml").read_text("utf-8")
    cohort = tomllib.loads(text)["cohort"]
    assert (cohort["birth_date"], cohort["birth_date_format"]) == ("Geburtsdatum", "%d.%m.%Y")
    assert cohort["date_format"] == "%d.%m.%Y %H:%M"
    codes = (tmp_path / "codes.csv").read_text("utf-8")
    assert codes.splitlines() == [
        "code,concept,relation,note",
        "vorhofflimmern,AF,,in 2 ECGs",
        "kompletter linksschenkelblock,LBBB,,in 1 ECG",
        "sinusrhythmus,NSR,,in 1 ECG",
        '"sinusrhythmus, kein schenkelblock",,,in 1 ECG',
        "vhf,AF,,in 1 ECG",
    ]
    seen = command(tmp_path, "prepare", "klinik", "--check", "--cohort-file", "cohort.toml").out
    assert "does not say of any code what it means" in " ".join(seen.split())
    assert "rec3.csv does not say what is in it; state unit" in " ".join(seen.split())

    decided = codes.replace(",AF,,", ",AF,same,").replace(",LBBB,,", ",LBBB,same,")
    (tmp_path / "codes.csv").write_text(decided.replace(",NSR,,", ",NSR,same,"))
    leads = ", ".join(f'"{lead}"' for lead in STANDARD_LEADS)
    stated = f'[array]\nunit = "mV"\nrate = 500\nleads = [{leads}]\n'
    (tmp_path / "cohort.toml").write_text(text.replace("# [array]\n", stated))
    with known(tmp_path / "cohort.toml") as own:
        index = own.index()
        assert index["age"].tolist()[:3] == [73, 74, 63], "whole years, as people say them"
        assert index["age"].isna().tolist() == [False, False, False, True]
        labels = LabelledIndex(own).labels
        assert labels["AF"].tolist() == [1, -1, 1, 1]
        assert labels["NSR"].tolist() == [0, -1, 1, 0]
        read = [own.read(row).to_recording() for _, row in index.iloc[:3].iterrows()]
        for number, recording in enumerate(read):
            np.testing.assert_allclose(recording.signal, counts[number] / 1000, atol=2e-3)
        with pytest.raises(RecordError, match="none of the files that are read"):
            own.read(index.iloc[3])


@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "parquet", "xlsx"])
def test_a_table_says_the_same_however_it_was_saved(tmp_path: Path, form: str) -> None:
    cells = pd.read_csv(io.StringIO(GERMAN), sep=";", dtype="str", keep_default_na=False)
    path = tmp_path / f"t.{form if form in ('parquet', 'xlsx') else 'csv'}"
    if form == "parquet":
        cells.assign(nested=[[1]] * 3).to_parquet(path)
    elif form == "xlsx":
        cells.to_excel(path, index=False)
    else:
        path.write_bytes(GERMAN.encode(form))
    (tmp_path / "ekg").mkdir()
    for number in (1, 2, 3):
        (tmp_path / f"ekg/rec{number}.hea").touch()
    found, _ = described(path)
    encoding = {"encoding": "cp1252"} if form == "cp1252" else {}
    plain = {key: value for key, value in GERMAN_COHORT.items() if key != "encoding"}
    assert found["cohort"] == plain | encoding | {"index": path.name}
    assert found["labels"] == {"columns": {"AF": "Vorhofflimmern"}}


def test_an_english_workbook_says_its_sheet(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    book = openpyxl.Workbook()
    book.create_sheet("ECGs")
    rows = [
        ["Recording ID", "Subject", "Age (years)", "Gender", "SNOMED codes", "strat_fold", "Report"],
        ["r1", 1, 60, "Female", "164889003, 426783006", 1, "AF"],
        ["r2", 2, 61, "Male", "426783006", 2, "normal"],
        ["r3", 3, 62.5, "", "", 3, ""],
    ]
    for row in rows:
        book["ECGs"].append(row)
    for number in (1, 2, 3):
        (tmp_path / f"raw/r{number}.xml").touch()
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(UsageError, match="2 sheets; say which"):
        recognise(tmp_path / "t.xlsx", tmp_path)
    found, text = described(tmp_path / "t.xlsx", "ECGs")
    assert found["cohort"] | {"id": "", "name": ""} == {
        "id": "",
        "name": "",
        "index": "t.xlsx",
        "sheet": "ECGs",
        "record_id": "Recording ID",
        "patient_id": "Subject",
        "age": "Age (years)",
        "sex": "Gender",
        "signals": "raw/{Recording ID}.xml",
        "format": "auto",
    }
    codes = {"column": "SNOMED codes", "separator": ",", "vocabulary": "snomed"}
    assert found["labels"] == {"statements": codes}
    assert '# report = "Report"' in text
    assert '# fold = "strat_fold"' in text


@pytest.mark.parametrize(
    ("setting", "columns", "files", "why"),
    [
        ("record_id", {"ecg_id": "a b", "exam_id": "c d"}, (), "Several may be meant"),
        ("record_id", {"ecg_id": "a a"}, (), "Called so, but not: no two rows have the same"),
        ("record_id", {"id": "a b"}, (), "It may be the id of an ECG, or of a patient"),
        ("patient_id", {"ecg_id": "a b", "mrn": "1 2", "subject": "3 4"}, (), "Several may be meant"),
        ("age", {"ecg_id": "a b", "age": "60 70", "Alter": "61 71"}, (), "Several may be meant"),
        ("age", {"ecg_id": "a b", "age": "old young"}, (), "Called so, but not: numbers of up to 120"),
        ("age", {"ecg_id": "a b", "age": "21900 25550"}, (), "Called so, but not: numbers of up to 120"),
        ("birth_year", {"ecg_id": "a b", "yob": "1960 1970"}, (), "It needs the date or year of the ECG too"),
        ("birth_year", {"ecg_id": "a b", "age": "1 2", "yob": "1960 1970"}, (), "The age is there"),
        ("date", {"ecg_id": "a b", "date": "03/04/2020 04/05/2020"}, (), "Called so, but not: all cells are"),
        ("date", {"ecg_id": "a b", "date": "3.4.2020 2020-04-03"}, (), "Called so, but not: all cells are"),
        ("sex", {"ecg_id": "a b", "sex": "1 2"}, (), "Called so, but not: usual codes"),
        ("sex", {"ecg_id": "a b", "sex": "W W"}, (), "Called so, but not: usual codes"),
        ("signals", {"ecg_id": "a b", "file": "a.xml b.xml"}, (), "neither here nor one folder below"),
        (
            "signals",
            {"ecg_id": "a b", "file": "a.xml b.xml"},
            ("x/a.xml", "x/b.xml", "y/a.xml", "y/b.xml"),
            "Files are at x/{file} and y/{file}; say which are meant",
        ),
        (
            "signals",
            {"ecg_id": "a b", "filename_lr": "l1 l2", "filename_hr": "h1 h2"},
            ("l1.hea", "l2.hea", "h1.hea", "h2.hea"),
            "Files are at {filename_lr}.hea and {filename_hr}.hea; say which are meant",
        ),
        ("signals", {"ecg_id": "a b", "file": "a.dat b.dat"}, ("a.dat", "b.dat"), "the header (.hea)"),
        ("signals", {"ecg_id": "a b", "file": "../a.xml ../b.xml"}, (), "neither here nor one folder below"),
    ],
)
def test_what_may_be_two_things_or_is_not_what_it_is_called_is_not_chosen(
    tmp_path: Path, setting: str, columns: dict[str, str], files: tuple[str, ...], why: str
) -> None:
    cells = pd.DataFrame({name: text.split() for name, text in columns.items()})
    (tmp_path / "a.xml").touch()  # what a path that leads out would find
    (tmp_path / "home").mkdir()
    found, text = described(table(tmp_path / "home", cells.to_csv(index=False), *files))
    assert setting not in found["cohort"]
    line = next(at for at, line in enumerate(text.splitlines()) if line.startswith(f"# {setting} = "))
    above = " ".join(one.removeprefix("# ") for one in text.splitlines()[max(0, line - 4) : line])
    assert f"Not chosen: {why}" in above or why in above
    called = [name for name in columns if name != "ecg_id"] or ["ecg_id"]
    assert any(name in above for name in called)


def test_labels_are_columns_of_ones_and_zeros_with_a_name_that_is_known(tmp_path: Path) -> None:
    cells = {
        "ecg_id": ["a", "b"],
        "AF": ["1", "0"],
        "Linksschenkelblock": ["0", ""],
        "164909002": ["1", "0"],  # that of the line above, by its code
        "first degree AV block": ["1.0", "0.0"],
        "LVH": ["1", "2"],  # a degree
        "A1": ["1", "0"],  # normal, in one list of codes
        "BIFB": ["1", "0"],
        "smoker": ["1", "0"],
        "MI": ["", ""],
    }
    found, text = described(table(tmp_path, pd.DataFrame(cells).to_csv(index=False)))
    assert found["labels"] == {"columns": {"AF": "AF", "IAVB": "first degree AV block"}}
    assert "Several are called like LBBB, so none is chosen. It may be: Linksschenkelblock, 164909002" in text
    assert "BIFB is computed from RBBB and LAnFB; name those" in text
    assert '# columns.LBBB = "..."' in text


def test_codes_that_are_not_of_snomed_need_a_vocabulary(tmp_path: Path) -> None:
    """VF is ventricular fibrillation in one list, and Vorhofflimmern in another."""
    found, text = described(table(tmp_path, "ecg_id,rhythm\na,VF|SR\nb,SR\n"))
    statements = {"column": "rhythm", "separator": "|", "vocabulary": "codes.csv"}
    assert found["labels"] == {"statements": statements}
    assert "in codes.csv for you to say what they mean" in text
    assert recognise(tmp_path / "ecgs.csv", tmp_path).codes == {"VF": 1, "SR": 2}
    mixed, _ = described(table(tmp_path / "other", "ecg_id,dx\na,164889003\nb,999999999\n"))
    assert mixed["labels"] == {}


PRIVATE = "Mustermann"


@pytest.mark.parametrize(
    "text",
    [
        f"1001,{PRIVATE},64,W,a.xml\n1002,{PRIVATE},71,M,b.xml\n",  # no header
        f"{PRIVATE},Hans\n{PRIVATE},Eva\n",
        "\n\n",
        "",
        "ecg_id\n",  # and no rows
        f"ecg_id,age\n1,2,{PRIVATE}\n",  # more cells than columns
        f'ecg_id,age\n1,"{PRIVATE}\n2,3\n',  # a quote that is not closed
        "sep=;\necg_id;age\n1;2\n",
        "ecg_id\0,age\n1,2\n",
    ],
)
def test_what_is_no_table_with_names_is_refused_without_a_cell(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        recognise(table(tmp_path, text), tmp_path)
    assert PRIVATE not in str(caught.value)
    assert "Hans" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_hostile_names_of_columns_do_not_get_into_the_description(tmp_path: Path) -> None:
    names = [
        "ecg_id",
        'age"\n[labels]\ncolumns = { AF = "x" } #',
        "sex\x1b[2J",
        "file\u202e",
        "{ecg_id}",
        "age",
        "age",
        "",
        f"{PRIVATE}, Hans",
        "03.02.1955",
        "x" * 500,
    ]
    cells = pd.DataFrame([[str(row)] * len(names) for row in (1, 2)], columns=names)
    path = tmp_path / "ecgs.csv"
    cells.to_csv(path, index=False)
    found, text = described(path)
    assert found["cohort"].keys() == {"id", "name", "index", "record_id", "format"}
    assert found["labels"] == {}
    assert "10 more are not looked at" in text
    for part in (PRIVATE, "1955", "\x1b", "\u202e", "{ecg_id}", "xxx", '{ AF = "x" }'):
        assert part not in text


def test_no_cell_of_a_patient_is_printed_or_written(tmp_path: Path) -> None:
    """Every cell is a word of its own, but for the usual codes of the sexes."""
    rows = [
        f"cell{row}a,cell{row}b,cell{row}c,{code},cell{row}d,cell{row}e,cell{row}f"
        for row, code in enumerate(["W", "M", "cellsex", "w"])
    ]
    header = "ecg_id,patient,age,Geschlecht,file,dx,report"
    table(tmp_path, "\n".join([header, *rows, ""]), "cell0d", "cell1d", "cell2d", "cell3d")
    made = command(tmp_path, "new-cohort", "klinik", "--table", "ecgs.csv")
    text = (tmp_path / "cohort.toml").read_text("utf-8")
    assert 'signals = "{file}"' in text
    assert 'female = ["W", "w"], male = "M"' in text
    assert "cell" not in re.sub("cells?\\b", "", text + made.out + made.err)


def test_every_setting_that_is_found_has_a_line_in_the_template(tmp_path: Path) -> None:
    (tmp_path / "ekg.csv").write_bytes(GERMAN.encode("cp1252"))
    found = recognise(tmp_path / "ekg.csv", tmp_path)
    template = write_description("klinik", tmp_path / "plain").read_text("utf-8")
    assert filled(template, Recognised((), (), 0, {})).count("\n") >= template.count("\n") - 1
    text = filled(template, found)
    for one in found.findings:
        if one.value:
            assert f"= {one.value}" in text, one


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    table(tmp_path, "ecg_id\n1\n")
    told = command(tmp_path, "new-cohort", "klinik", "--sheet", "ECGs", code=2).err
    assert "--sheet is for a workbook" in told
    told = command(tmp_path, "new-cohort", "klinik", "--sheet", "S", "--table", "ecgs.csv", code=2).err
    assert "is no workbook of Excel" in told
    told = command(tmp_path, "new-cohort", "klinik", "--code", "--table", "ecgs.csv", code=2).err
    assert "--table and --sheet are for a description" in told
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["ecgs.csv"]

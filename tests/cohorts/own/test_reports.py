"""What a hospital has written about its ECGs: a model is pre-trained on it, and no label is made of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from cohorts.labelled import LabelledIndex
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.sentences import sentences_of, wording
from tests.cohorts.own_hospital import FILES, HEAD, PEOPLE, known, table, write

WRITTEN = ["AFib with slow conduction;\nLBBB pattern", "", *["sinus tach"] * 3, "normal"]
REPORT = 'report = "text"\nreport_language = "{}"\n'
LABELS = """
[labels]
columns = { AF = "af", LBBB = "lbbb" }

[labels.statements]
column = "dx"
vocabulary = "codes.csv"
"""


def read(
    folder: Path, described: str, *, multilingual: bool = False
) -> tuple[list[tuple[str, ...]], set[int]]:
    """Sentences of each record, and the labels that there are."""
    rows = table().assign(text=WRITTEN, dx=["SR", "", "UNHEARD", "SR", "SR", "SR"])
    folder.mkdir(exist_ok=True)
    (folder / "codes.csv").write_text("code,name,concept,relation\nSR,sinus rhythm,NSR,same\n")
    with known(write(folder, rows, HEAD + PEOPLE + described)) as cohort:
        index, ontology = LabelledIndex(cohort), load_ontology()
        assert isinstance(wording(cohort.card, ontology), dict)
        said = sentences_of(index.index, cohort.card, ontology, multilingual=multilingual)
        return said, set(pd.unique(index.labels.to_numpy().ravel()).tolist())


def test_an_english_report_is_read_line_by_line_and_makes_no_label(tmp_path: Path) -> None:
    said, labels = read(tmp_path, REPORT.format("en") + FILES)
    assert said[0] == ("AFib with slow conduction;", "LBBB pattern")
    assert said[1:] == [(), *[("sinus tach",)] * 3, ("normal",)]
    assert labels == {-1}


def test_a_foreign_report_is_for_those_who_read_it(tmp_path: Path) -> None:
    german = REPORT.format("de") + FILES
    assert read(tmp_path, german)[0] == [()] * 6
    assert read(tmp_path, german, multilingual=True)[0][5] == ("normal",)


def test_without_a_report_what_is_stated_is_said_and_silence_is_not(tmp_path: Path) -> None:
    """Neither an empty cell nor an unknown code is a sentence, and a 1 is the name of its concept."""
    said, labels = read(tmp_path, FILES + LABELS)
    assert labels == {-1, 0, 1}
    names = load_ontology().concepts["name"]
    assert said == [
        ("sinus rhythm",),
        (names["LBBB"],),
        (names["AF"],),
        ("sinus rhythm",),
        ("sinus rhythm",),
        (names["AF"], "sinus rhythm"),
    ]

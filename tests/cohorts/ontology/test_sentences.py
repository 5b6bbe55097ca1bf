"""What is read to a text encoder of each release's reports."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.ontology import load_ontology
from cohorts.ontology.sentences import sentences_of

ONTOLOGY = load_ontology()


def sentences(
    cohort: str, statements: tuple[str, ...], report: str | None = None, *, multilingual: bool = False
) -> tuple[str, ...]:
    index = pd.DataFrame(
        {
            "statements": pd.Series([statements], dtype="object"),
            "report": pd.Series([report], dtype="str"),
        }
    )
    return sentences_of(index, find_cohort(cohort).card, ONTOLOGY, multilingual=multilingual)[0]


@pytest.mark.parametrize(
    ("cohort", "statements", "expected"),
    [
        ("ptb-xl", ("1AVB", "SR"), ("first degree AV block", "sinus rhythm")),
        ("georgia", ("164889003",), ("atrial fibrillation",)),
        ("ludb", ("Sinus bradycardia",), ("Sinus bradycardia",)),
        ("code-15", ("1dAVb",), ("first-degree atrioventricular block",)),
        ("sph", ("60+310", "1"), ("Ventricular premature complex(es), frequent", "Normal ECG")),
        ("incartdb", ("ventricular couplets",), ("ventricular couplets",)),
        ("ptb-xl", (), ()),
    ],
)
def test_a_coded_statement_is_a_sentence(
    cohort: str, statements: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    found = sentences(cohort, statements)
    assert tuple(map(str.lower, found)) == tuple(map(str.lower, expected))


def test_a_code_means_what_the_release_says() -> None:
    assert sentences("cpsc-2018", ("426783006",)) != sentences("georgia", ("426783006",))


def test_german_is_for_those_who_read_it() -> None:
    report = "sinusrhythmus\nav-block 1. grades"
    assert sentences("ptb-xl", ("1AVB",), report) == ("first degree AV block",)
    assert sentences("ptb-xl", ("1AVB",), report, multilingual=True) == tuple(report.splitlines())


def test_without_a_report_the_statements_speak() -> None:
    assert sentences("ptb-xl", ("1AVB",), None, multilingual=True) == ("first degree AV block",)
    assert sentences("ptb-xl", ("1AVB",), " \n", multilingual=True) == ("first degree AV block",)


def test_english_reports_are_read_line_by_line() -> None:
    report = "Sinus rhythm\nSinus rhythm\n\n  Left  axis deviation"
    assert sentences("mimic-iv-ecg", ("sinus rhythm",), report) == ("Sinus rhythm", "Left axis deviation")


def test_every_real_statement_has_an_english_sentence(shared: Path) -> None:
    for name in ("ptb-xl", "georgia", "ningbo", "ludb", "sph"):
        cohort = open_cohort(name, shared / "data")
        assert cohort is not None
        found = sentences_of(cohort.index(), cohort.card, ONTOLOGY)
        assert all(found), f"{name} has a record without a sentence"
        assert not any(text.strip("+0123456789").strip() == "" for said in found for text in said), name

"""The TRIPOD+AI checklist: what a run knows, and blanks."""

from __future__ import annotations

import re

import pytest

from benchmark.report.papers.tripod import BLANK, checklist
from benchmark.report.papers.tripod_items import SECTIONS
from cohorts.catalogue import cohort_cards
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import planned, record, run_file

CELLS = [
    record("net", "ptb-xl", {"AF": 0.95}, relation="internal"),
    record("net", "georgia", {"AF": 0.9}, skipped={"E1": "no signal", "E2": "no signal"}),
    record("net", "ludb", {"AF": 0.7}),
]


def of_item(text: str, number: str) -> str:
    """The part of the checklist about one item."""
    return text.split(f"\n**{number} ")[1].split("\n**")[0].split("\n## ")[0]


def test_all_27_items_stand_there_once_and_in_order() -> None:
    items = [item for section in SECTIONS.values() for item in section]
    assert list(dict.fromkeys(item.whole for item in items)) == list(range(1, 28))
    text = checklist(run_file(CELLS), CELLS, cohort_cards())
    assert re.findall(r"^\*\*(\d+[a-g]?) ", text, re.MULTILINE) == [item.number for item in items]
    assert all(re.search(r"- \[[x ]\] ", of_item(text, item.number)) for item in items)


def test_what_the_run_knows_is_filled_in() -> None:
    text = checklist(run_file(CELLS, [planned("net", "sph")]), CELLS, cohort_cards())
    assert "2 external, 1 internal" in of_item(text, "4")
    assert "physionet.org/content/challenge-2021" in of_item(text, "5a")
    assert "georgia: United States." in of_item(text, "6a")
    assert "no signal (2)" in of_item(text, "11")
    assert "102 records found, 2 could not be used, 0 not selected, 100 scored" in of_item(text, "20a")
    assert "0.900 [0.880, 0.920]" in of_item(text, "23a")
    assert "0.700 (ludb) to 0.900 (georgia) over 2 cohorts" in of_item(text, "23b")  # not the internal one
    assert "1 planned result" in of_item(text, "26")
    assert "simulated" not in text


def test_what_no_run_knows_is_blank() -> None:
    text = checklist(run_file(CELLS), CELLS, cohort_cards())
    for number in ("1", "2", "3a", "5b", "8b", "17", "18a", "18b", "18c", "18d", "19", "25", "27c"):
        assert f"- [ ] {BLANK}" in of_item(text, number)
        assert "[x]" not in of_item(text, number)


def test_simulated_and_private_cohorts_are_told_apart() -> None:
    mine = record("net", "our-ward", facts={"private": True}, skipped={"p7": "p7.hea has no leads"})
    cells = [record("net", "georgia", simulated=True), mine]
    text = checklist(run_file(cells), cells, cohort_cards())
    assert "not from patients" in text.split("\n## ")[0]
    assert "georgia (simulated): synthetic recordings" in of_item(text, "5a")
    assert "p7" not in text
    assert "our-ward: private." in of_item(text, "18e")


def test_of_predictions_made_elsewhere_no_preparation_is_claimed() -> None:
    cells = [record("doctors", "georgia", protocol="predictions")]
    text = checklist(run_file(cells), cells, cohort_cards())
    assert "only the scores: doctors" in of_item(text, "7")
    assert all("[x]" not in of_item(text, number) for number in ("8c", "9a", "9b", "9c", "27a"))


def test_a_run_without_a_result_has_no_checklist() -> None:
    with pytest.raises(UsageError, match="no finished cell"):
        checklist(run_file([]), [], {})

"""Tables of what was measured: nothing simulated looks like a release, and no person was trained."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.records.measuring import PREDICTIONS
from benchmark.report.facts import cohorts_table, partial_copies
from benchmark.report.model_facts import models_table, trained_on
from benchmark.report.tables import Table
from tests.benchmark.report.report_factory import record

RELEASE = {"release_records": 21799}


def rows(table: Table) -> list[dict[str, str]]:
    return [dict(zip(table.columns, (cell.text for cell in row), strict=True)) for row in table.rows]


def test_a_simulated_cohort_is_measured_against_no_release() -> None:
    real, simulated = (record(simulated=one, facts=RELEASE) for one in (False, True))
    first, second = rows(cohorts_table([real, simulated]))
    assert (first["Patients"], first["Version"], first["Records"]) == ("real", "1.0", "100 of 21,799 records")
    assert (second["Patients"], second["Version"]) == ("simulated", "simulated in the layout of 1.0")
    assert second["Records"] == "100 simulated records"
    assert second["Cohort"] == "georgia (simulated)"
    assert partial_copies([simulated]) == []
    assert partial_copies([real]) == ["georgia: 100 of 21,799 records"]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (("code-test",), "code-test (or had a part in its labels)"),
        (("code-15", "code-test"), "code-15, code-test (or had a part in their labels)"),
        ((), "none of the cohorts"),
        ("undisclosed", "undisclosed"),
    ],
)
def test_what_was_handed_in_may_be_of_people(seen: Any, said: str) -> None:
    card = {"trained_on": seen}
    handed_in = record("cardiologist", "code-test", protocol=PREDICTIONS, card=card)
    assert trained_on(handed_in) == said
    assert rows(models_table([handed_in]))[0]["Trained on"] == said
    assert "labels" not in trained_on(record(card=card))

"""The table of concepts by cohort, and the counts in it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cohorts.ontology import load_ontology
from cohorts.ontology.coverage_table import coverage_matrix, coverage_reasons, positives

CHALLENGE_2020 = {
    "CPSC": "cpsc-2018",
    "CPSC-Extra": "cpsc-2018-extra",
    "StPetersburg": "incart",
    "PTB": "ptb",
    "PTB-XL": "challenge-ptb-xl",
    "Georgia": "georgia",
}


def test_the_table_says_of_each_concept_and_cohort_what_the_coverage_says():
    ontology = load_ontology()
    lines = coverage_matrix(ontology).splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line[:1] == "|"]
    cohorts = next(row for row in rows if row[0] == "concept")[1:]
    assert cohorts == list(ontology.cohorts)
    cells = {
        row[0]: dict(zip(cohorts, row[1:], strict=True)) for row in rows if row[0] in ontology.concepts.index
    }
    assert set(cells) == set(ontology.concepts.index)
    for cohort in cohorts:
        for concept, state in ontology.coverage(cohort).items():
            cell = cells[concept][cohort]
            assert (cell == "?") == (state == "ambiguous"), (cohort, concept)
            assert (cell == "·") == (state == "not annotated"), (cohort, concept)
    assert cells["AF"]["georgia"] == "570"
    assert cells["SVT"]["ningbo"] == "≤ 355"
    assert cells["AF"]["mimic-iv-ecg"] == "yes"


def test_every_concept_that_is_not_annotated_has_its_reason():
    ontology = load_ontology()
    for cohort in ontology.cohorts:
        reasons = coverage_reasons(ontology, cohort)
        told = {concept: (*key,) for key, concepts in reasons.items() for concept in concepts}
        states = ontology.coverage(cohort)
        assert set(told) == set(states.index[states != "annotated"])
        for concept, (state, reason) in told.items():
            assert (state, reason) == (states[concept], ontology.coverage_reason(cohort, concept))


def test_counts_are_of_what_is_annotated():
    ontology, counts = load_ontology(), positives()
    assert counts.index.is_unique
    assert set(counts["bound"]) == {"exactly", "at most"}
    assert (counts["positives"] > 0).all()
    for cohort, concept in counts.index:
        assert ontology.coverage(cohort)[concept] == "annotated", (cohort, concept)


@pytest.fixture(scope="module")
def abbreviations(shared: Path) -> dict[str, str]:
    parts = [
        pd.read_csv(shared / f"facts/challenge2021_dx_mapping_{part}.csv", dtype="str")
        for part in ("scored", "unscored")
    ]
    table = pd.concat(parts)
    return dict(zip(table["Abbreviation"], table["SNOMEDCTCode"], strict=True))


def exact(cohort: str) -> dict[str, int]:
    counts = positives().loc[cohort]
    return counts.loc[counts["bound"] == "exactly", "positives"].to_dict()


def found(cohort: str, vocabulary: str, statements: list[list[str]]) -> dict[str, int]:
    labels = load_ontology().labels(cohort, vocabulary, statements)
    sums = (labels == 1).sum()
    return {concept: int(sums[concept]) for concept in exact(cohort)}


@pytest.mark.parametrize("name", CHALLENGE_2020)
def test_exact_counts_of_the_challenge_are_those_of_its_records(shared, abbreviations, name):
    cohort = CHALLENGE_2020[name]
    table = pd.read_csv(shared / "known_answers/challenge2020_record_labels.csv.gz", keep_default_na=False)
    cells = table.loc[table["cohort"] == name, "dx_abbreviations"]
    statements = [[abbreviations[item] for item in cell.split(";")] for cell in cells]
    assert found(cohort, "snomed", statements) == exact(cohort)


def test_every_concept_is_annotated_somewhere():
    ontology = load_ontology()
    annotated = {
        concept
        for cohort in ontology.cohorts
        for concept, state in ontology.coverage(cohort).items()
        if state == "annotated"
    }
    nowhere = sorted(set(ontology.concepts.index) - annotated)
    assert nowhere == [], "say in coverage.csv who annotates them; without a row nobody does"


@pytest.fixture(scope="module")
def sph(shared: Path) -> list[list[str]]:
    """What SPH's table states of each record."""
    cells = pd.read_csv(shared / "data/sph/metadata.csv", dtype="str")["AHA_Code"]
    return [[code for code in "".join(cell.split()).split(";") if code] for cell in cells]


def test_exact_counts_of_sph_are_those_of_its_table(sph):
    assert found("sph", "aha", sph) == exact("sph")


def test_what_sph_annotates_it_states_in_some_record(sph):
    ontology = load_ontology()
    positives = (ontology.labels("sph", "aha", sph) == 1).sum()
    coverage = ontology.coverage("sph")
    assert list(coverage.index[(coverage == "annotated") & (positives == 0)]) == []

"""What the pages of models, cohorts and concepts say: as the records, the cards and the ontology have it."""

from __future__ import annotations

import json

import pytest

from benchmark.records.measuring import PREDICTIONS
from benchmark.report.view_facts import MOST_CODES, cohort_facts, concept_facts, overlap_sentence
from cohorts.catalogue import find_cohort
from cohorts.ontology.ontology import load_ontology
from tests.benchmark.report.report_factory import record


@pytest.mark.parametrize(
    ("cohort", "relation", "seen", "sentence"),
    [
        (
            "georgia",
            "external",
            ("ptb-xl",),
            "External: net was trained on ptb-xl, and Georgia is not known to share recordings with it.",
        ),
        ("georgia", "external", (), "External: net was trained on none of the cohorts."),
        (
            "ptb-xl",
            "internal",
            ("ptb-xl",),
            "Internal: net was trained on Ptb-Xl, and is scored on its test records.",
        ),
        (
            "challenge-ptb-xl",
            "internal",
            ("ptb-xl",),
            "Internal: Challenge-Ptb-Xl shares recordings with what net was trained on (ptb-xl).",
        ),
        (
            "georgia",
            "unknown",
            "undisclosed",
            "Unknown: it is not known whether net has seen recordings of Georgia.",
        ),
    ],
)
def test_overlap_is_one_sentence(cohort: str, relation: str, seen: object, sentence: str) -> None:
    assert overlap_sentence(record(cohort=cohort, relation=relation, card={"trained_on": seen})) == sentence


@pytest.mark.parametrize(
    ("cohort", "relation", "seen", "sentence"),
    [
        (
            "code-test",
            "internal",
            ("code-test",),
            "Internal: reader, by its card, learnt from Code-Test or had a part in its labels, and is scored "
            "on all of its records.",
        ),
        (
            "code-test",
            "unknown",
            "undisclosed",
            "Unknown: it is not known whether reader learnt from Code-Test, or had a part in its labels.",
        ),
        (
            "georgia",
            "external",
            ("code-test",),
            "External: reader, by its card, learnt from code-test, and Georgia is not known to share "
            "recordings with it.",
        ),
        (
            "challenge-ptb-xl",
            "internal",
            ("ptb-xl",),
            "Internal: Challenge-Ptb-Xl shares recordings with what reader, by its card, learnt from "
            "(ptb-xl).",
        ),
    ],
)
def test_nobody_says_of_people_that_they_were_trained(
    cohort: str, relation: str, seen: object, sentence: str
) -> None:
    """Predictions that were handed in may be a reader's: no card tells one from a model."""
    handed_in = record("reader", cohort, protocol=PREDICTIONS, relation=relation, card={"trained_on": seen})
    records = handed_in.records.model_copy(update={"selection": "all"})
    assert overlap_sentence(handed_in.model_copy(update={"records": records})) == sentence


def test_a_cohort_has_the_facts_of_its_card_and_what_was_quarantined() -> None:
    skipped = {f"r{at}": "flat line" for at in range(30)} | {"x": "no header"}
    found = cohort_facts([record(skipped=skipped)])
    card = find_cohort("georgia").card
    assert (found["licence"], found["url"], found["country"]) == (card.licence, card.url, card.country)
    assert found["quarantined"]["flat line"] == {"count": 30, "ids": [f"r{at}" for at in range(20)]}
    assert found["quarantined"]["no header"] == {"count": 1, "ids": ["x"]}
    coverage = load_ontology().coverage("georgia")
    assert set(found["annotated"]) == set(coverage.index[coverage != "not annotated"])
    json.dumps(found, allow_nan=False)


def test_no_record_of_a_private_or_unknown_cohort_is_named() -> None:
    for one in (
        record(skipped={"x": "flat"}, facts={"private": True}),
        record(cohort="mine", skipped={"x": "flat"}),
    ):
        assert cohort_facts([one])["quarantined"] == {"flat": {"count": 1, "ids": []}}


def test_what_is_simulated_has_no_publisher() -> None:
    found = cohort_facts([record(simulated=True)])
    assert found["simulated"]
    assert not {"licence", "access", "country", "url", "citation"} & set(found)
    assert found["note"] == ""
    assert (found["version"], found["records"]) == ("simulated in the layout of 1.0", "100 simulated records")


def test_no_count_of_a_release_stands_beside_what_is_simulated() -> None:
    """The reasons of the coverage tell how many records of the release state a concept."""
    real, simulated = (cohort_facts([record(simulated=one)])["annotated"] for one in (False, True))
    assert any(reason for _, reason in real.values())
    assert simulated == {concept: [state, ""] for concept, (state, _) in real.items()}


def test_a_concept_has_the_codes_of_every_vocabulary() -> None:
    ontology = load_ontology()
    found = concept_facts([*ontology.concepts.index, "a stranger's"])
    assert list(found) == list(ontology.concepts.index)
    for vocabulary, table in ontology.vocabularies.items():
        for concept, rows in table[table["concept"] != ""].groupby("concept"):
            kept = found[str(concept)]["codes"][vocabulary]
            assert kept["count"] == len(rows)
            assert len(kept["first"]) == min(len(rows), MOST_CODES)
            assert {row[0] for row in kept["first"]} <= set(rows["code"])
    assert found["AF"]["prompts"] == list(ontology.concepts.loc["AF", "prompts"])
    assert found["AF"]["codes"]["scp"]["first"][0][:3] == ["AFIB", "atrial fibrillation", "same"]
    assert len(json.dumps(found, allow_nan=False)) < 700_000

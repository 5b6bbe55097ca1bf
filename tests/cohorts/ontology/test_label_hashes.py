"""What decides the labels of a cohort, as hashes tell it."""

from __future__ import annotations

import dataclasses
import re

import pandas as pd
import pytest

from cohorts.ontology import Ontology, load_ontology
from cohorts.ontology.ontology import VERSION
from tests.cohorts.ontology.own_tables import own_tables


@pytest.fixture(scope="module")
def ontology() -> Ontology:
    return load_ontology()


def changed(**tables):
    """Give the ontology with other tables."""
    return Ontology(dataclasses.replace(own_tables(), **tables))


def differing(one, other, cohort="georgia", vocabulary="snomed"):
    """Name the concepts whose labels may differ in a cohort, as the hashes tell it."""
    first, second = (ontology.label_hashes(cohort, vocabulary) for ontology in (one, other))
    return {concept for concept in first if first[concept] != second.get(concept)}


def test_the_hashes_are_of_what_decides_the_labels_of_one_cohort_and_of_nothing_else(ontology):
    tables = own_tables()
    assert ontology.version == VERSION
    assert re.fullmatch(r"\d+\.\d+\.\d+", ontology.version)
    assert all(
        re.fullmatch("[0-9a-f]{64}", digest) for digest in ontology.label_hashes("georgia", "snomed").values()
    )
    assert not differing(ontology, changed())

    named = tables.concepts.replace("sinus bradycardia", "x")
    assert not differing(ontology, changed(concepts=named))
    coverage = tables.coverage
    hospital = coverage[coverage["cohort"] == "georgia"].assign(cohort="my-hospital")
    assert not differing(ontology, changed(coverage=pd.concat([coverage, hospital])))
    others = {name: table.iloc[:1] for name, table in tables.vocabularies.items() if name != "snomed"}
    assert not differing(ontology, changed(vocabularies={**others, "snomed": tables.vocabularies["snomed"]}))


def test_a_row_of_the_cohort_changes_the_hash_of_its_concept_alone(ontology):
    tables = own_tables()
    coverage = tables.coverage.copy()
    row = (coverage["cohort"] == "georgia") & (coverage["concept"] == "AF")
    assert coverage.loc[row, "state"].tolist() == ["annotated"]
    coverage.loc[row, "state"] = "ambiguous"
    assert differing(ontology, changed(coverage=coverage)) == {"AF"}

    snomed = tables.vocabularies["snomed"].copy()
    row = (snomed["code"] == "426177001") & (snomed["concept"] == "SB")
    assert snomed.loc[row, "relation"].tolist() == ["same"]
    snomed.loc[row, "relation"] = "ambiguous"
    found = differing(ontology, changed(vocabularies={**tables.vocabularies, "snomed": snomed}))
    assert found == {"SB", "Brady"}  # Brady is its parent


def test_a_question_is_in_the_hash_of_what_it_is_about_and_its_answers_too(ontology):
    tables = own_tables()
    ptb_xl = {"cohort": "ptb-xl", "vocabulary": "scp"}
    about_normality = (tables.questions["cohort"] == "ptb-xl") & (tables.questions["concepts"] == "NORM")
    assert about_normality.sum() == 1
    without = changed(questions=tables.questions[~about_normality])
    assert differing(ontology, without, **ptb_xl) == {"NORM"}
    assert not differing(ontology, without)

    scp = tables.vocabularies["scp"]
    no_answer = scp[~((scp["code"] == "QWAVE") & (scp["concept"] == "QAb"))]
    found = differing(ontology, changed(vocabularies={**tables.vocabularies, "scp": no_answer}), **ptb_xl)
    assert {"QAb", "NORM"} <= found  # a Q wave is a finding, so it answers whether the ECG is normal
    assert not {"SB", "PVC"} & found


def test_a_part_is_in_the_hash_of_what_is_computed_from_it(ontology):
    tables = own_tables()
    snomed = tables.vocabularies["snomed"]
    row = (snomed["code"] == "445118002") & (snomed["concept"] == "LAnFB")
    hedged = snomed.assign(relation=snomed["relation"].mask(row, "ambiguous"))
    found = differing(ontology, changed(vocabularies={**tables.vocabularies, "snomed": hedged}))
    assert found == {"LAnFB", "BIFB"}
    other = tables.computed.replace("LAnFB", "LPFB", regex=True)
    assert differing(ontology, changed(computed=other)) == {"BIFB"}


def test_a_code_that_becomes_known_changes_every_hash(ontology):
    tables = own_tables()
    row = {"code": "1", "name": "x", "concept": "", "relation": "unmapped", "cohort": "", "note": "why"}
    snomed = pd.concat([tables.vocabularies["snomed"], pd.DataFrame([row])])
    found = differing(ontology, changed(vocabularies={**tables.vocabularies, "snomed": snomed}))
    assert found == set(ontology.concepts.index)


def test_the_labelling_rules_are_part_of_the_hashes(ontology, monkeypatch):
    before = ontology.label_hashes("georgia", "snomed")
    monkeypatch.setattr("cohorts.ontology.ontology.LABELLING", 0)
    after = changed().label_hashes("georgia", "snomed")
    assert all(before[concept] != after[concept] for concept in before)


def test_a_question_is_part_of_the_hashes_of_its_concepts(ontology):
    tables = own_tables()
    others = changed(questions=tables.questions[tables.questions["cohort"] != "chapman-shaoxing"])
    rhythms = ontology.concepts.index[ontology.concepts["category"] == "rhythm"]
    assert differing(ontology, others, "chapman-shaoxing") == set(rhythms)
    assert not differing(ontology, others)

"""Properties of labelling that hold for any statements, and an oracle that follows the rules literally."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohorts.catalogue import all_cohorts
from cohorts.ontology import Ontology, load_ontology
from tests.cohorts.ontology.own_tables import unmasked

ONTOLOGY = load_ontology()
VOCABULARY_OF = {cohort_id: cohort.card.vocabulary for cohort_id, cohort in all_cohorts().items()}
CODES = {name: sorted(set(table["code"])) for name, table in ONTOLOGY.vocabularies.items()}
KNOWN = {name: set(codes) for name, codes in CODES.items()}

ALWAYS_ASKED = ~ONTOLOGY.concepts.index.isin([c for own in ONTOLOGY.questions["concepts"] for c in own])
"""Concepts that no question leaves open in any cohort: a further statement may answer one and make it 0."""

cohort_ids = st.sampled_from(ONTOLOGY.cohorts)


@st.composite
def cohort_and_records(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    cohort = draw(cohort_ids)
    codes = st.sampled_from(CODES[VOCABULARY_OF[cohort]]) | st.text(max_size=5)
    return cohort, draw(st.lists(st.lists(codes, max_size=6), max_size=5))


def labels(cohort: str, records: list[list[str]], ontology: Ontology = ONTOLOGY) -> pd.DataFrame:
    return ontology.labels(cohort, VOCABULARY_OF[cohort], records)


PARENTS = ONTOLOGY.concepts["parents"].to_dict()
PARTS = {concept: parts for concept in PARENTS if (parts := ONTOLOGY.parts(concept))}
QUESTIONS = list(ONTOLOGY.questions.itertuples(index=False))


@cache
def coverage_of(cohort: str) -> dict[str, str]:
    return ONTOLOGY.coverage(cohort).to_dict()


@cache
def rows_of(cohort: str) -> dict[str, list[tuple[str, str]]]:
    """Concepts and relations of each code: the cohort's own rows, or else the general ones."""
    rows: dict[tuple[str, str], list[tuple[str, str]]] = {}
    table = ONTOLOGY.vocabularies[VOCABULARY_OF[cohort]]
    for row in table.itertuples(index=False):
        rows.setdefault((row.code, row.cohort), []).append((row.concept, row.relation))
    return {code: rows.get((code, cohort)) or rows[code, ""] for code in table["code"]}


def by_the_rules(cohort: str, codes: list[str]) -> dict[str, int]:
    """One record, one rule after the other, nothing precomputed."""
    every = list(ONTOLOGY.concepts.index)
    unknown = ONTOLOGY.unknown_codes(VOCABULARY_OF[cohort], [codes])
    stated = [row for code in codes for row in rows_of(cohort).get(code, [])]
    positive = {concept for concept, relation in stated if relation in ("same", "narrower")}
    ambiguous = {concept for concept, relation in stated if relation == "ambiguous"} | set(
        every if unknown else []
    )
    grown = True
    while grown:
        before = len(positive) + len(ambiguous)
        for concept, parents in PARENTS.items():
            if concept in positive:
                positive |= set(parents)
            elif concept in ambiguous:
                ambiguous |= set(parents)
        grown = len(positive) + len(ambiguous) > before
    for question in QUESTIONS:
        if question.cohort == cohort and positive.isdisjoint(question.answered_by):
            ambiguous |= set(question.concepts)
    coverage = coverage_of(cohort)
    found = {
        concept: -1
        if coverage[concept] != "annotated"
        else 1
        if concept in positive
        else -1
        if concept in ambiguous
        else 0
        for concept in every
    }
    for concept, names in PARTS.items():
        parts = [found[name] for name in names]
        if coverage[concept] == "annotated":
            found[concept] = 0 if 0 in parts else 1 if set(parts) == {1} else -1
    return found


@settings(max_examples=50, deadline=None)
@given(cohort_and_records())
def test_labels_follow_the_rules(case):
    cohort, records = case
    wanted = pd.DataFrame([by_the_rules(cohort, codes) for codes in records], columns=ONTOLOGY.concepts.index)
    np.testing.assert_array_equal(labels(cohort, records), wanted)


@pytest.mark.parametrize("cohort", ONTOLOGY.cohorts)
def test_every_single_code_follows_the_rules(cohort):
    codes = CODES[VOCABULARY_OF[cohort]]
    wanted = pd.DataFrame([by_the_rules(cohort, [code]) for code in codes])
    np.testing.assert_array_equal(labels(cohort, [[code] for code in codes]), wanted)


@settings(max_examples=50, deadline=None)
@given(cohort_and_records(), st.randoms())
def test_order_and_repetition_of_statements_do_not_matter(case, random):
    cohort, records = case
    shuffled = [random.sample(codes * 2, len(codes) * 2) for codes in records]
    pd.testing.assert_frame_equal(labels(cohort, records), labels(cohort, shuffled))


@settings(max_examples=50, deadline=None)
@given(cohort_and_records())
def test_a_record_is_labelled_alone(case):
    cohort, records = case
    together = labels(cohort, records).to_numpy()
    for row, codes in zip(together, records, strict=True):
        np.testing.assert_array_equal(labels(cohort, [codes]).to_numpy()[0], row)


@settings(max_examples=50, deadline=None)
@given(cohort_and_records())
def test_parents_and_children_agree(case):
    cohort, records = case
    table = labels(cohort, records, unmasked())
    pairs = [(parent, child) for parent in table for child in unmasked().descendants(parent)]
    above, below = (table[list(names)].to_numpy() for names in zip(*pairs, strict=True))
    assert (above[below == 1] == 1).all()
    assert (above[below == -1] != 0).all()
    assert (below[above == 0] == 0).all()


@settings(max_examples=50, deadline=None)
@given(cohort_and_records())
def test_a_positive_label_means_the_same_with_and_without_the_mask(case):
    cohort, records = case
    masked, plain = labels(cohort, records), labels(cohort, records, unmasked())
    covered = ONTOLOGY.coverage(cohort) == "annotated"
    assert (masked.loc[:, ~covered] == -1).all(axis=None)
    pd.testing.assert_frame_equal(masked.loc[:, covered], plain.loc[:, covered])


@settings(max_examples=50, deadline=None)
@given(cohort_and_records())
def test_one_statement_more_never_takes_a_positive_away(case):
    cohort, records = case
    for codes in records:
        parts = [codes[:cut] for cut in range(len(codes) + 1)]
        *some, more = labels(cohort, parts, unmasked()).to_numpy()
        for fewer in some:
            assert (more[fewer == 1] == 1).all()
            assert (more[(fewer == -1) & ALWAYS_ASKED] != 0).all()


@settings(max_examples=50, deadline=None)
@given(cohort_ids, st.data())
def test_a_piece_of_a_code_is_not_the_code(cohort, data):
    vocabulary = VOCABULARY_OF[cohort]
    code = data.draw(st.sampled_from(CODES[vocabulary]))
    start = data.draw(st.integers(0, len(code) - 1))
    piece = code[start : data.draw(st.integers(start + 1, len(code)))]
    longer = data.draw(st.text(max_size=2)) + code + data.draw(st.text(max_size=2))
    joined = ",".join(data.draw(st.lists(st.sampled_from(CODES[vocabulary]), min_size=2, max_size=3)))
    for other in (piece, longer, joined, code.lower(), f" {code}", f"{code}\n"):
        base = other.partition("+")[0]  # a known code with a modifier is a code by rule
        if KNOWN[vocabulary].isdisjoint({other, base}):
            assert (labels(cohort, [[other]], unmasked()) == -1).all(axis=None)
            assert ONTOLOGY.unknown_codes(vocabulary, [[other, code]]) == {other: 1}

"""Holding concepts out: records that have one and sentences that name one are gone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.protocols.held_out import HELD_OUT, keeps_silent, words
from cohorts.ontology import load_ontology

ONTOLOGY = load_ontology()


def labels(**columns: list[int]) -> pd.DataFrame:
    count = len(next(iter(columns.values())))
    table = pd.DataFrame(-1, index=range(count), columns=ONTOLOGY.concepts.index, dtype=np.int8)
    for concept, values in columns.items():
        table[concept] = np.array(values, dtype=np.int8)
    return table


def test_positive_and_open_records_go() -> None:
    table = labels(AF=[1, 0, -1, 0], LBBB=[0, 0, 0, 1])
    kept = keeps_silent(table, [("x",)] * 4, ["AF"], ONTOLOGY)
    assert kept.tolist() == [False, True, False, True]


def test_a_record_that_is_open_goes_though_no_other_is_positive() -> None:
    assert keeps_silent(labels(AF=[0, -1]), [("x",)] * 2, ["AF"], ONTOLOGY).tolist() == [True, False]


def test_children_go_with_their_parent() -> None:
    table = labels(LVH=[0, 1, 0], LVHV=[0, 1, 1])
    assert keeps_silent(table, [("x",)] * 3, ["LVH"], ONTOLOGY).tolist() == [True, False, False]


def test_a_cohort_that_does_not_annotate_the_concept_is_judged_by_its_words() -> None:
    table = labels(NORM=[1, 0])
    said = [("Normal ECG",), ("Sinus rhythm", "Left Bundle Branch Block, old")]
    assert keeps_silent(table, said, ["LBBB"], ONTOLOGY).tolist() == [True, False]


@pytest.mark.parametrize(
    "text",
    ["atrial fibrillation", "AF with rapid response", "PVCs", "LVH", "complete left bundle branch block"],
)
def test_names_prompts_and_ids_are_words(text: str) -> None:
    assert words(HELD_OUT, ONTOLOGY).search(text.lower())


@pytest.mark.parametrize("text", ["right bundle branch block", "aftermath", "sinus rhythm", "normal ecg"])
def test_other_words_are_not(text: str) -> None:
    assert not words(HELD_OUT, ONTOLOGY).search(text)


def test_nothing_held_out_keeps_everything() -> None:
    assert keeps_silent(labels(AF=[1, -1]), [("atrial fibrillation",)] * 2, [], ONTOLOGY).all()


def test_one_concept_of_each_kind_is_held_out() -> None:
    kinds = [ONTOLOGY.concepts.loc[concept, "category"] for concept in HELD_OUT]
    assert len(set(kinds)) == len(kinds)

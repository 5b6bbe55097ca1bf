"""The maps of published models: complete, of existing concepts, at one with the ontology's own reading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from baselines.foundation.maps import FOLDER, own_labels
from benchmark.models.label_map import OwnLabel, check_labels, labels_of, own_names, scored_concepts
from cohorts.ontology import ontology
from cohorts.ontology.ontology import load_ontology
from tests.baselines.official_files import label_names

PUBLISHED = {
    "code": "code_6class_labels.csv",
    "ecg_fm": "ecg_fm_labels.csv",
    "ecgfounder": "ecgfounder_labels.csv",
    "ked": "ked_mimic_labels.csv",
    "ptbxl": "ptbxl_exp0_labels.csv",
}
VOCABULARIES = {"ecgfounder": "mimic", "ked": "mimic", "ptbxl": "scp", "code": "code"}
SCORED = ("same", "narrower")
VOCABULARY_FOLDER = Path(ontology.__file__).with_name("vocabularies")


@pytest.fixture(scope="module")
def parents() -> dict[str, tuple[str, ...]]:
    return {str(concept): tuple(some) for concept, some in load_ontology().concepts["parents"].items()}


def ancestors(concept: str, parents: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for parent in parents[concept]:
        yield parent
        yield from ancestors(parent, parents)


def scored_rows(name: str) -> list[OwnLabel]:
    return [row for row in own_labels(name) if row.relation in SCORED]


def test_there_is_a_test_for_every_map() -> None:
    assert sorted(PUBLISHED) == sorted(file.stem for file in FOLDER.glob("*.csv"))


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_label_is_listed_in_the_order_of_the_outputs(shared: Path, name: str) -> None:
    assert own_names(own_labels(name)) == label_names(shared / "facts" / "checkpoints" / PUBLISHED[name])


@pytest.mark.parametrize("name", PUBLISHED)
def test_concepts_exist_and_a_parent_has_the_labels_of_its_children(
    name: str, parents: dict[str, tuple[str, ...]]
) -> None:
    labels = own_labels(name)
    check_labels(labels)
    assert {row.concept for row in labels if row.concept} <= set(parents)
    for row in scored_rows(name):
        for parent in ancestors(row.concept, parents):
            of_parent = [other.label for other in labels_of(parent, labels)]
            assert not of_parent or row.label in of_parent, (row.label, parent)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_parent_is_scored_by_a_name_of_its_own_or_by_several_children(name: str) -> None:
    labels = own_labels(name)
    for concept in scored_concepts(labels):
        rows = labels_of(concept, labels)
        alone = len(rows) == 1 and rows[0].relation == "narrower"
        assert not alone or (name, concept) in NEARLY_ALL, (concept, rows)


NEARLY_ALL = {
    ("ked", "Brady"),
}
"""What a single narrower label makes up nearly all of."""


def spelt(label: str) -> str:
    """A label as the vocabulary of MIMIC-IV-ECG spells the lines of carts."""
    words = re.sub(r"[^a-z0-9 ]", " ", label.lower()).replace("1st", "first").replace("2nd", "second")
    return re.sub(r"\s+", " ", words).strip().removeprefix("with ")


@pytest.mark.parametrize("name", VOCABULARIES)
def test_what_the_ontology_calls_ambiguous_is_no_score(
    name: str, parents: dict[str, tuple[str, ...]]
) -> None:
    """A hospital's statement of the same words is read by a vocabulary, which was made for its labels."""
    vocabulary = VOCABULARIES[name]
    file = VOCABULARY_FOLDER / f"{vocabulary}.csv"
    table = pd.read_csv(file, dtype=str, keep_default_na=False)
    relations = {(row.code, row.concept): row.relation for row in table.itertuples()}
    known = set(table["code"])
    compared = 0
    for row in scored_rows(name):
        code = spelt(row.label) if vocabulary == "mimic" else row.label
        if code not in known:
            continue
        compared += 1
        relation = relations.get((str(code), row.concept))
        stated = [concept for (other, concept), how in relations.items() if other == code and how in SCORED]
        inherited = any(row.concept in ancestors(concept, parents) for concept in stated if concept)
        assert relation in SCORED or (relation is None and inherited), (row, relation)
    assert compared >= {"ecgfounder": 60, "ked": 40, "ptbxl": 100, "code": 6}[name]

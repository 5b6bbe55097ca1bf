"""The registry names cohorts that exist, and a card that claims less than it is not believed."""

from __future__ import annotations

import doctest
from itertools import combinations

import pytest

import benchmark.known_models
from benchmark.contamination import relation_of, unstated_training
from benchmark.known_models import find_known, known_models, known_training, names_of, spelling
from benchmark.models import ModelCard
from cohorts.catalogue import all_cohorts

CARDS = {name: cohort.card for name, cohort in all_cohorts().items()}
CHALLENGE = {name for name, card in CARDS.items() if card.folder.startswith("challenge-2021/")}


def card(name: str, *trained_on: str) -> ModelCard:
    return ModelCard(name=name, outputs=("AF",), trained_on=trained_on)


@pytest.mark.parametrize("known", known_models(), ids=lambda known: known.name)
def test_every_cohort_named_exists_once_and_a_source_is_given(
    known: benchmark.known_models.KnownModel,
) -> None:
    if known.trained_on != "undisclosed":
        assert set(known.trained_on) <= set(CARDS)
        assert len(set(known.trained_on)) == len(known.trained_on)
    assert any(mark in known.source for mark in ("github.com/", "huggingface.co/", "doi:", "arXiv:"))


def test_no_name_means_two_models() -> None:
    for a, b in combinations(known_models(), 2):
        assert not set(map(spelling, names_of(a))) & set(map(spelling, names_of(b))), (a.name, b.name)


def test_docstring_examples() -> None:
    assert doctest.testmod(benchmark.known_models).failed == 0


def test_what_the_registry_says() -> None:
    assert known_training("MERL") == ("mimic-iv-ecg",)
    assert known_training("ECG-JEPA") == ("ecg-arrhythmia", "code-15")
    assert known_training("HuBERT_ECG") == "undisclosed"
    assert known_training("ecgclip") == ()
    assert known_training("ecgfounder") == ("heedb-mgh",)
    assert known_training("resnet1d") is None
    seen = known_training("ecg-fm")
    assert seen is not None
    assert set(seen) == CHALLENGE | {"mimic-iv-ecg"}


def test_the_whole_challenge_makes_its_originals_internal() -> None:
    for cohort in ("ptb-xl", "ptbdb", "incartdb", "ecg-arrhythmia", "georgia"):
        assert relation_of(card("ecg-fm"), cohort, CARDS) == "internal", cohort
    assert relation_of(card("ecg-fm"), "sph", CARDS) == "external"


def test_a_card_that_claims_less_is_contradicted_and_its_relation_is_the_worse_one() -> None:
    silent = card("merl", "ptb-xl")
    assert relation_of(silent, "mimic-iv-ecg", CARDS) == "internal"
    assert relation_of(silent, "ptb-xl", CARDS) == "internal"
    assert relation_of(silent, "georgia", CARDS) == "external"
    sentence = unstated_training(silent, CARDS)
    assert sentence is not None
    assert sentence.startswith("merl is known to have been trained on mimic-iv-ecg (")
    assert sentence.endswith("; its card does not say so.")
    assert unstated_training(card("merl", "mimic-iv-ecg", "ptb-xl"), CARDS) is None
    assert unstated_training(card("ecg-jepa", "chapman-shaoxing", "ningbo", "code-15"), CARDS) is None
    assert unstated_training(card("my-model"), CARDS) is None


def test_weights_made_by_the_suite_are_not_the_published_ones() -> None:
    ours = card("merl", "ptb-xl")
    assert relation_of(ours, "mimic-iv-ecg", CARDS, pretrained_here=True) == "external"
    assert unstated_training(ours, CARDS, pretrained_here=True) is None


def test_what_a_source_leaves_open_is_unknown() -> None:
    tuned = card("hubert-ecg-sft-cardiolearning-base")
    assert relation_of(tuned, "sph", CARDS) == "internal"
    assert relation_of(tuned, "mimic-iv-ecg", CARDS) == "unknown"
    assert relation_of(card("hubert-ecg"), "georgia", CARDS) == "unknown"
    assert relation_of(card("hubert-ecg", "georgia"), "georgia", CARDS) == "internal"
    sentence = unstated_training(card("hubert-ecg"), CARDS)
    assert sentence is not None
    assert "claims to" in sentence
    undisclosed = ModelCard(name="merl", outputs=("AF",), trained_on="undisclosed")
    assert relation_of(undisclosed, "mimic-iv-ecg", CARDS) == "internal"
    assert relation_of(undisclosed, "georgia", CARDS) == "unknown"
    assert unstated_training(undisclosed, CARDS) is None


def test_a_note_goes_with_what_is_not_plain() -> None:
    for known in known_models():
        if known.and_others or known.trained_on in ("undisclosed", ()):
            assert known.note, known.name
    assert find_known("ECG.Founder") is not None

"""The registry names cohorts that exist, and a card that claims less than it is not believed."""

from __future__ import annotations

import doctest
from itertools import combinations

import pytest

import benchmark.models.known_models
from benchmark.models.contamination import relation_of, unstated_training
from benchmark.models.contract import ModelCard
from benchmark.models.known_models import find_known, known_models, names_of, spelling
from cohorts.catalogue import all_cohorts

CARDS = {name: cohort.card for name, cohort in all_cohorts().items()}
CHALLENGE = {name for name, card in CARDS.items() if card.folder.startswith("challenge-2021/")}


def card(name: str, *trained_on: str) -> ModelCard:
    return ModelCard(name=name, outputs=("AF",), trained_on=trained_on)


def trained_on(name: str) -> tuple[str, ...] | str:
    known = find_known(name)
    assert known is not None
    return known.trained_on


@pytest.mark.parametrize("known", known_models(), ids=lambda known: known.name)
def test_every_cohort_named_exists_once_and_a_source_is_given(
    known: benchmark.models.known_models.KnownModel,
) -> None:
    if known.trained_on != "undisclosed":
        assert set(known.trained_on) <= set(CARDS)
        assert len(set(known.trained_on)) == len(known.trained_on)
    assert any(mark in known.source for mark in ("github.com/", "huggingface.co/", "doi:", "arXiv:"))


def test_no_name_means_two_models() -> None:
    for a, b in combinations(known_models(), 2):
        assert not set(map(spelling, names_of(a))) & set(map(spelling, names_of(b))), (a.name, b.name)


def test_docstring_examples() -> None:
    assert doctest.testmod(benchmark.models.known_models).failed == 0


def test_what_the_registry_says() -> None:
    assert trained_on("MERL") == ("mimic-iv-ecg",)
    assert trained_on("ECG-JEPA") == ("ecg-arrhythmia", "code-15")
    assert trained_on("HuBERT_ECG") == "undisclosed"
    assert trained_on("ecgclip") == trained_on("ecgfounder") == ()
    assert find_known("resnet1d") is None
    seen = trained_on("ecg-fm")
    assert seen is not None
    assert set(seen) == CHALLENGE | {"mimic-iv-ecg"}


def test_the_whole_challenge_makes_its_originals_internal() -> None:
    for cohort in ("ptb-xl", "ptbdb", "incartdb", "ecg-arrhythmia", "georgia"):
        assert relation_of(card("ecg-fm"), cohort) == "internal", cohort
    assert relation_of(card("ecg-fm"), "sph") == "external"


def test_a_card_that_claims_less_is_contradicted_and_its_relation_is_the_worse_one() -> None:
    silent = card("merl", "ptb-xl")
    assert relation_of(silent, "mimic-iv-ecg") == "internal"
    assert relation_of(silent, "ptb-xl") == "internal"
    assert relation_of(silent, "georgia") == "external"
    sentence = unstated_training(silent)
    assert sentence is not None
    assert sentence.startswith("merl is known to have been trained on mimic-iv-ecg (")
    assert sentence.endswith("; its card does not say so.")
    assert unstated_training(card("merl", "mimic-iv-ecg", "ptb-xl")) is None
    assert unstated_training(card("ecg-jepa", "chapman-shaoxing", "ningbo", "code-15")) is None
    assert unstated_training(card("my-model")) is None


def test_weights_made_by_the_suite_are_not_the_published_ones() -> None:
    ours = card("merl", "ptb-xl")
    assert relation_of(ours, "mimic-iv-ecg", pretrained_here=True) == "external"
    assert unstated_training(ours, pretrained_here=True) is None


def test_what_a_source_leaves_open_is_unknown() -> None:
    tuned = card("hubert-ecg-sft-cardiolearning-base")
    assert relation_of(tuned, "sph") == "internal"
    assert relation_of(tuned, "mimic-iv-ecg") == "unknown"
    assert relation_of(card("hubert-ecg"), "georgia") == "unknown"
    assert relation_of(card("hubert-ecg", "georgia"), "georgia") == "internal"
    sentence = unstated_training(card("hubert-ecg"))
    assert sentence is not None
    assert "claims to" in sentence
    undisclosed = ModelCard(name="merl", outputs=("AF",), trained_on="undisclosed")
    assert relation_of(undisclosed, "mimic-iv-ecg") == "internal"
    assert relation_of(undisclosed, "georgia") == "unknown"
    assert unstated_training(undisclosed) is None


def test_a_note_goes_with_what_is_not_plain() -> None:
    for known in known_models():
        if known.and_others or known.trained_on in ("undisclosed", ()):
            assert known.note, known.name
    assert find_known("ECG.Founder") is not None

"""The registry of published models names cohorts that exist, and says where each fact comes from."""

from __future__ import annotations

import doctest
from itertools import combinations

import pytest
from pydantic import ValidationError

import benchmark.models.known_models
from benchmark.models.known_models import KnownModel, find_known, known_models, names_of, spelling
from cohorts.catalogue import all_cohorts

CARDS = {name: cohort.card for name, cohort in all_cohorts().items()}
CHALLENGE = {name for name, card in CARDS.items() if card.folder.startswith("challenge-2021/")}


def trained_on(name: str) -> tuple[str, ...] | str:
    known = find_known(name)
    assert known is not None
    return known.trained_on


@pytest.mark.parametrize("known", known_models(), ids=lambda known: known.name)
def test_every_cohort_named_exists_once_and_a_source_is_given(
    known: KnownModel,
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


def test_a_note_goes_with_what_is_not_plain() -> None:
    for known in known_models():
        if known.and_others or known.trained_on in ("undisclosed", ()):
            assert known.note, known.name
    assert find_known("ECG.Founder") is not None


def test_an_entry_has_a_name_and_a_source() -> None:
    assert KnownModel(name="m", trained_on=(), source="s").and_others is False
    for nothing in ({"name": ""}, {"source": ""}):
        with pytest.raises(ValidationError):
            KnownModel.model_validate({"name": "m", "trained_on": (), "source": "s"} | nothing)

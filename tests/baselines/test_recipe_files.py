"""Recipes of ECGCLIP: every number stands in a file with its source, and another file can change it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from typing import Any

import pytest

from baselines.clip_image.model import ClipImageSmall
from baselines.ecgclip.model import RECIPE, SMALL_RECIPE, EcgClip, EcgClipSmall, EcgClipSmallRandom
from baselines.training.recipes import Augmentation, PretrainRecipe, Recipe
from cohorts.errors import UsageError


def test_every_hyper_parameter_stands_in_the_file_with_its_source() -> None:
    text = RECIPE.read_text(encoding="utf-8")
    kinds = {"pretraining": PretrainRecipe, "augmentation": Augmentation, "fine-tuning": Recipe}
    assert {table: set(entries) for table, entries in tomllib.loads(text).items()} == {
        table: {field.name for field in fields(kind)} - {"name"} for table, kind in kinds.items()
    }
    assert not re.findall(r"^[a-z_]+ = [^#\n]*$", text, flags=re.MULTILINE)  # each has its comment


def test_what_the_file_says_is_what_is_done() -> None:
    assert EcgClip().complete_recipe({}) == tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    small, model = tomllib.loads(SMALL_RECIPE.read_text(encoding="utf-8")), EcgClipSmall()
    assert model.complete_recipe({}) == EcgClip().complete_recipe(small)
    assert model.dim == EcgClipSmallRandom().dim == small["pretraining"]["dim"]
    assert model.fitting.learning_rate == EcgClipSmallRandom().fitting.learning_rate == 2e-3


def test_a_recipe_names_only_what_differs_and_asking_changes_nothing() -> None:
    model = EcgClip()
    own = model.complete_recipe({})
    found = model.complete_recipe({"pretraining": {"epochs": 3}, "augmentation": {"noise": 0}})
    assert found["pretraining"] == own["pretraining"] | {"epochs": 3}
    assert found["augmentation"] == own["augmentation"] | {"noise": 0}
    assert found["fine-tuning"] == own["fine-tuning"]
    assert model.complete_recipe(found) == found
    assert model.complete_recipe({}) == own


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pretrainning": {}}, "no table 'pretrainning', did you mean 'pretraining'?"),
        ({"pretraining": {"learning_rat": 1}}, "no 'learning_rat', did you mean 'learning_rate'?"),
        ({"pretraining": {"zzz": 1}}, r"no 'zzz'; there are: epochs, batch_size"),
        ({"pretraining": {"name": "x"}}, "no 'name'"),
        ({"fine-tuning": 3}, r"write \[fine-tuning\] above its keys"),
        ({"pretraining": {"epochs": 0}}, r"\[pretraining\] epochs = 0 in the recipe"),
        ({"pretraining": {"epochs": True}}, r"\[pretraining\] epochs = True in the recipe"),
        ({"pretraining": {"epochs": "3"}}, r"\[pretraining\] epochs = 3 in the recipe"),
        ({"pretraining": {"learning_rate": float("nan")}}, "learning_rate = nan in the recipe"),
        ({"augmentation": {"gain": 1.5}}, r"\[augmentation\] gain = 1.5 in the recipe"),
        ({"fine-tuning": {"schedule": "16"}}, r"\[fine-tuning\] schedule = 16 in the recipe"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        EcgClip().complete_recipe(given)


def test_a_model_with_augmentation_of_its_own_takes_none() -> None:
    assert set(ClipImageSmall().complete_recipe({})) == {"pretraining", "fine-tuning"}
    with pytest.raises(UsageError, match="A recipe of clip-image-small has no table 'augmentation'"):
        ClipImageSmall().complete_recipe({"augmentation": {}})

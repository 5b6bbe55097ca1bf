"""What published models are known to have been trained on: ``known_models.yaml``, each with its source."""

from __future__ import annotations

import functools
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class KnownModel(BaseModel):
    """One published model.

    Attributes
    ----------
    trained_on
        Ids of the cohorts of this project that its weights have seen, or ``"undisclosed"``.
    and_others
        Whether it may have seen other cohorts too.
    not_here
        Training data that no cohort of this project holds.
    source
        Where all this is said.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    aliases: tuple[str, ...] = ()
    trained_on: tuple[str, ...] | Literal["undisclosed"]
    and_others: bool = False
    not_here: tuple[str, ...] = ()
    source: str = Field(min_length=1)
    note: str = ""


@functools.cache
def known_models() -> tuple[KnownModel, ...]:
    """Read the whole registry."""
    text = files("benchmark.models").joinpath("known_models.yaml").read_text(encoding="utf-8")
    return TypeAdapter(tuple[KnownModel, ...]).validate_python(yaml.safe_load(text))


def find_known(name: str) -> KnownModel | None:
    """Find a published model by its name or an alias, however it is spelt.

    Examples
    --------
    >>> known = find_known("ECG_FM")
    >>> known.name, known.trained_on[0]
    ('ecg-fm', 'mimic-iv-ecg')
    >>> find_known("my-model") is None
    True
    """
    wanted = spelling(name)
    return next((known for known in known_models() if wanted in map(spelling, names_of(known))), None)


def names_of(known: KnownModel) -> tuple[str, ...]:
    """Name and aliases."""
    return known.name, *known.aliases


@functools.cache
def spelling(name: str) -> str:
    """Reduce a name to what it is compared by: small letters and digits."""
    return "".join(character for character in name.lower() if character.isalnum())

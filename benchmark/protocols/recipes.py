"""The hyper-parameters of a pre-training: from a file of the user, through the model that knows them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark.models.contract import Adjustable
from benchmark.models.guard import guarded
from benchmark.models.model_source import ModelSource
from benchmark.text import printable
from cohorts.errors import ModelError, UsageError

LARGEST = 256 * 1024
"""Bytes of a recipe."""


def read_recipe(file: Path | None) -> dict[str, Any]:
    """Read a recipe's file as it is; empty if there is none.

    Raises
    ------
    UsageError
        If it is not there, or no TOML.
    """
    if file is None:
        return {}
    shown = printable(str(file), 200)
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            raise UsageError(f"No recipe of at most {LARGEST // 1024} kB is at {shown}; name a TOML file.")
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{shown} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError) as error:  # among them that it is no UTF-8
        raise UsageError(f"{shown} is not valid TOML: {printable(str(error), 120)}.") from None


def complete_recipe(source: ModelSource, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask a model for its recipe with what was given in it; empty for a model that takes none.

    Raises
    ------
    UsageError
        If one was given to a model that takes none.
    ModelError
        If the model refuses it, or answers what cannot be written down.
    """
    name = source.card.name
    if "Adjustable" not in source.abilities:
        if given:
            raise UsageError(f"{name} takes no recipe: it has no 'complete_recipe'. Leave out --recipe.")
        return {}
    model = source.build("cpu")
    if not isinstance(model, Adjustable):
        raise ModelError(f"{name} has no 'complete_recipe' any more.")
    found = guarded(f"{name}.complete_recipe", lambda: model.complete_recipe(given))
    try:
        if not isinstance(found, Mapping):
            raise TypeError(f"it is a {type(found).__name__}")
        written: dict[str, Any] = json.loads(json.dumps(dict(found), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{name}.complete_recipe gives no table of plain values: {printable(str(error), 120)}."
        ) from None
    return written

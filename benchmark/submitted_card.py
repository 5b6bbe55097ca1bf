"""Reading a model's card from a file, for a model that is not here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from benchmark.card_file import read_fields
from benchmark.models import ModelCard
from benchmark.untrusted import printable, some
from cohorts.catalogue import find_cohort
from cohorts.errors import ModelError, UsageError


def read_card(path: Path | None, name: str | None, outputs: tuple[str, ...]) -> ModelCard:
    """Read the card of a model whose predictions are given; without one its training is undisclosed.

    Parameters
    ----------
    path
        YAML or JSON with the fields of `ModelCard`; ``name`` and ``outputs`` may be left out.
    name
        Of the model, where the card does not give it.
    outputs
        The concepts that the predictions are of.

    Raises
    ------
    UsageError
        If there is no name, or the card is not valid, contradicts the name or the predictions, or names
        cohorts that do not exist.
    """
    content: dict[str, Any] = {"trained_on": "undisclosed"} if path is None else _content(path)
    stated = content.setdefault("name", name)
    if stated is None:
        raise UsageError("The model has no name; give one with --name or in its card.")
    if name is not None and stated != name:
        raise UsageError(
            f"The card is of '{printable(str(stated), 64)}', but --name says '{name}'; correct one."
        )
    content.setdefault("outputs", outputs)
    try:
        card = ModelCard.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = printable(".".join(str(part) for part in first["loc"]) or "the card", 60)
        raise UsageError(
            f"{path or 'The card'} is not valid: {field}: {printable(first['msg'], 120)}."
        ) from None
    if card.outputs != "any" and set(card.outputs) != set(outputs):
        differing = sorted(set(card.outputs) ^ set(outputs))
        raise UsageError(
            f"The card and the predictions differ in their outputs ({some(differing)}); correct one of them."
        )
    for seen in card.trained_on if card.trained_on != "undisclosed" else ():
        find_cohort(printable(seen, 40))
    return card.model_copy(update={"outputs": outputs})


def _content(path: Path) -> dict[str, Any]:
    try:
        return read_fields(path)
    except ModelError as error:
        raise UsageError(printable(str(error), 300)) from None

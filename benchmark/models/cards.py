"""A model's card as a file of its own: ``card.yaml`` beside the Python file of the model.

The map of a model's own labels may lie there too, as ``labels.csv``: see `benchmark.models.label_map`.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.constructor import ConstructorError

from benchmark.models import label_map
from benchmark.models.contract import Model
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.text import printable, some
from cohorts.catalogue import find_cohort
from cohorts.errors import ModelError, UsageError
from cohorts.ontology.names import concept_meant

FILE = "card.yaml"

LARGEST = 64 * 1024
"""Bytes; a card is a page."""

DEEPEST = 4
"""Lists and mappings in each other; a card has two."""


def card_beside(path: Path) -> dict[str, Any] | None:
    """Read the card that lies beside a file.

    Parameters
    ----------
    path
        The Python file of a model.

    Returns
    -------
    The fields as text, as they were written, for `benchmark.models.card_of` to check; with the rows of
    ``labels.csv`` as its labels if there is one. None if there is no card.

    Raises
    ------
    ModelError
        If it cannot be read, is no YAML mapping, says something twice, or uses aliases.
    """
    file = path.with_name(FILE)
    if not file.is_file():
        return None
    fields, labels = read_fields(file), path.with_name(label_map.FILE)
    if labels.is_file():
        if "labels" in fields:
            raise ModelError(f"{file} has labels, and {labels.name} lies beside it; keep one of the two.")
        fields["labels"] = [row.model_dump() for row in label_map.read_labels(labels)]
    return fields


def read_fields(file: Path) -> dict[str, Any]:
    """Read a card; JSON is YAML too.

    Returns
    -------
    The fields as text, as they were written.

    Raises
    ------
    ModelError
        As `card_beside`.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ModelError(f"{file} has more than {LARGEST // 1024} kB; a card is a page of facts.")
        card = _mapping(content.decode())
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise ModelError(f"{file} is not UTF-8 text; save it as such.") from None
    except yaml.YAMLError as error:
        raise ModelError(f"{file} is not valid YAML: {_what_and_where(error)}.") from None
    if not isinstance(card, dict):
        raise ModelError(f"{file} has no fields; write 'name: my-model' and so on, one field a line.")
    return card


class _StrictLoader(yaml.BaseLoader):
    """No key that hides another, and every value as it was written: an output NO is no boolean."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a field without a plain name", key.start_mark)
            if key.value in keys:
                raise ConstructorError(None, None, f"a second '{key.value}'", key.start_mark)
            keys.add(key.value)
        return super().construct_mapping(node, deep)


def _mapping(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, yaml.BaseLoader):  # one by one, so that neither of these costs anything
        if isinstance(event, yaml.AliasEvent):  # ten lines of them can stand for a billion values
            raise yaml.YAMLError("it has an alias, which a card does not need")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.YAMLError("it is nested too deeply")
    return yaml.load(text, _StrictLoader)  # noqa: S506 - the base loader makes nothing but text


def _what_and_where(error: yaml.YAMLError) -> str:
    """Say what is wrong and in which line, without the excerpt that PyYAML draws."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{printable(str(error.problem))} in line {error.problem_mark.line + 1}"
    return printable(str(error))


def check_outputs(card: ModelCard, concepts: Collection[str]) -> None:
    """Refuse a model whose outputs are not all concepts of the ontology.

    Raises
    ------
    ModelError
        Naming the first unknown outputs.
    """
    outputs = () if card.outputs == "any" else card.outputs
    meant = dict.fromkeys((*outputs, *(row.concept for row in card.labels if row.concept)))
    unknown = [concept for concept in meant if concept not in set(concepts)]
    if unknown:
        what = "outputs or labels" if card.labels else "outputs"
        named = [_with_what_was_meant(concept, concept_meant(concept), concepts) for concept in unknown[:5]]
        raise ModelError(
            f"{card.name} has {what} that are no concepts of the ontology: {', '.join(named)}; "
            "'leadboard concepts' lists them."
        )


def check_training(card: ModelCard, cohorts: Collection[str]) -> None:
    """Refuse a card that names cohorts which do not exist: misspelt, an internal one would be external.

    Raises
    ------
    ModelError
        Naming the first unknown cohorts.
    """
    seen = () if card.trained_on == "undisclosed" else card.trained_on
    unknown = [cohort for cohort in seen if cohort not in cohorts]
    if unknown:
        raise ModelError(
            f"{card.name} says that it was trained on {named_cohorts(unknown[:5], cohorts)}, which is no "
            "cohort here; 'leadboard cohorts' lists them."
        )


def named_cohorts(unknown: Collection[str], cohorts: Collection[str]) -> str:
    """List names that are no cohorts, each with the cohort that may have been meant."""
    return ", ".join(_with_what_was_meant(name, None, cohorts) for name in unknown)


def _with_what_was_meant(name: str, known: str | None, available: Collection[str]) -> str:
    if known is not None:
        return f"{name} (write {known})"
    spelt = {one.casefold(): one for one in available}
    near = [spelt[one] for one in get_close_matches(name.casefold(), spelt, n=2)]
    return f"{name} (did you mean {' or '.join(near)}?)" if near else name


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
        raise UsageError(f"{path or 'The card'} is not valid: {why_invalid(error)}.") from None
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


def card_of(model: Model) -> ModelCard:
    """Read the card of a model, given as a `ModelCard` or a plain dict.

    Raises
    ------
    ModelError
        If there is none or a field is missing, unknown or out of range.
    """
    card = getattr(model, "card", None)
    if isinstance(card, ModelCard):
        return card
    try:
        return ModelCard.model_validate(card)
    except ValidationError as error:
        raise ModelError(f"The card of {type(model).__name__} is not valid: {why_invalid(error)}.") from None


_MAY_BE = {
    "name": "up to 64 letters, digits, '.', '_' and '-', such as my-model",
    "outputs": "a list of concepts, or 'any'; labels that say what the columns mean may stand for it",
    "trained_on": "a list of cohorts, [] for none, or 'undisclosed'",
}


def why_invalid(error: ValidationError) -> str:
    """Say which field of a card is wrong and how; of an unknown one, which there are.

    An unknown one comes first: a field that seems to be missing is often there, misspelt.
    """
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    path = [str(part) for part in first["loc"]]
    field = printable(".".join(path) or "card", 60)
    if first["type"] == "missing":
        return f"{field} is missing; it is {_MAY_BE[field]}" if field in _MAY_BE else f"{field} is missing"
    if first["type"] == "value_error":  # of a check of ours, whose sentence is whole
        return f"{field}: {printable(first['msg'].removeprefix('Value error, '), 160)}"
    if path and path[0] in _MAY_BE and len(path) < 3:  # of a list's entries pydantic says what is wrong
        return f"{path[0]} is {printable(repr(first['input']), 60)}; it has to be {_MAY_BE[path[0]]}"
    if first["type"] != "extra_forbidden":
        return f"{field}: {printable(first['msg'], 160)}"
    names = list((InputSpec if path[0] == "input" else ModelCard).model_fields)
    if path == ["license"]:  # which is read, unless there is the other one
        return "licence and license are one field; keep one of the two"
    near = get_close_matches(path[-1], names, n=1)
    hint = f", did you mean '{near[0]}'" if near else ""
    return f"{field} is no field of it{hint}; there are: {', '.join(names)}"

"""A model's card as a file of its own: ``card.yaml`` beside the Python file of the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from cohorts.errors import ModelError

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
    The fields as text, as they were written, for `benchmark.models.card_of` to check; None if there is no
    card.

    Raises
    ------
    ModelError
        If it cannot be read, is no YAML mapping, says something twice, or uses aliases.
    """
    file = path.with_name(FILE)
    return read_fields(file) if file.is_file() else None


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
        raise ModelError(f"{file} is not valid YAML: {_in_one_line(error)}.") from None
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


def _in_one_line(error: yaml.YAMLError) -> str:
    """Say what is wrong and in which line, without the excerpt that PyYAML draws."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    return " ".join(str(error).split())

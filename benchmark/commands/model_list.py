"""The list of models: what each is, can be asked, has seen, and whether its weights are here."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from benchmark.commands.listing import Row
from benchmark.models.known_models import find_known
from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import find_model, installed_models
from benchmark.protocols.protocol import possible
from benchmark.protocols.published import command_for_weights, find_published
from benchmark.report.text import UNDEFINED
from benchmark.text import one_line
from cohorts.errors import LeadboardError

WIDTH = 100
"""Columns of the terminal that the list fits."""

_COLUMNS = {"name": 28, "kind": 12, "asked": 28, "Hz x s x leads": 15}
_NUMBER = 8
_SHORTER = {"linear-probe": "probe"}


def model_rows(cache: Path) -> list[Row]:
    """One row an installed model; one that cannot be loaded carries its error.

    Parameters
    ----------
    cache
        Where published weights may lie.
    """
    return [_row(name, entry.value, cache) for name, entry in installed_models().items()]


def _row(name: str, value: str, cache: Path) -> Row:
    row: Row = {"name": name, "from": value}
    try:
        source = find_model(name)
        weights, commands = _weights(source, cache)
    except LeadboardError as error:
        return row | {"kind": "BROKEN", "description": str(error), "licence": None, "citation": None}
    card = source.card
    pretrainable = source.small and "Pretrainable" in source.abilities
    protocols = possible(source.abilities, card.outputs, may_pretrain=pretrainable)
    usual = source.usual_protocols
    return row | {
        "kind": kind_of(source),
        "asked": list(
            dict.fromkeys(protocol.kind for protocol in protocols if usual is None or protocol.name in usual)
        ),
        "input": card.input.model_dump(mode="json"),
        "parameters": card.parameters,
        "trained_on": "undisclosed" if card.trained_on == "undisclosed" else list(card.trained_on),
        "learns_from": learns_from(source),
        "outputs": card.outputs if card.outputs == "any" else list(card.outputs),
        "own_labels": [row.model_dump(mode="json") for row in card.labels],
        "weights": weights,
        "commands": commands,
        "description": card.description,
        "licence": card.licence,
        "citation": card.citation,
    }


def kind_of(source: ModelSource) -> str:
    """Say in a word where a model's weights come from, or that it is a control."""
    if source.card.control_for is not None:
        return "control"
    kinds = {"Published": "published", "Pretrainable": "pre-trained", "Trainable": "trained"}
    return next((kind for ability, kind in kinds.items() if ability in source.abilities), "complete")


def learns_from(source: ModelSource) -> str:
    """Say what a model is trained on whose card names no cohort: the card is of the model before that."""
    card, known = source.card, find_known(source.card.name)
    if card.trained_on:
        return ""
    if "Pretrainable" in source.abilities and card.control_for is None:
        theirs = known.not_here if known and "Published" in source.abilities else ()
        authors = f" (its authors' weights: {', '.join(theirs)})" if theirs else ""
        return f"what it is pre-trained on here{authors}"
    return (
        "what a run trains it on"
        if {"Trainable", "Encoder"} & source.abilities == {"Trainable"}
        else "nothing"
    )


def _weights(source: ModelSource, cache: Path) -> tuple[str, list[str]]:
    """Say where the weights are, and the commands that bring them if they are not here."""
    if find_published(source, cache) is not None:
        return "here", []
    commands = [command] if (command := command_for_weights(source)) else []
    if "Pretrainable" in source.abilities:
        if source.small:
            return "by a run", commands
        commands.insert(0, f"leadboard pretrain {source.spec} --source COHORT")
    if commands:
        return "missing", commands
    return ("by a run" if "Trainable" in source.abilities else "its own"), []


def text_of(rows: Sequence[Row]) -> str:
    """Write the list for a terminal of `WIDTH` columns, and below it how to bring what is missing."""
    heading = "".join(f"{name:{width}}" for name, width in _COLUMNS.items())
    blocks = [f"{heading}{'numbers':>{_NUMBER - 1}}  weights", *map(_block, rows)]
    commands = [command for row in rows if row.get("weights") == "missing" for command in row["commands"]]
    if commands:
        blocks.append("\nMissing weights are brought, or made, by one of these (docs/models.md):")
        blocks += [f"  {one_line(command)}" for command in commands]
    return "\n".join(blocks)


def _block(row: Row) -> str:
    if row["kind"] == "BROKEN":
        return f"{row['name']:{_COLUMNS['name']}}BROKEN\n{_wrapped(row['description'])}"
    spec = row["input"]
    cells = (
        row["name"],
        row["kind"],
        ", ".join(_SHORTER.get(kind, kind) for kind in row["asked"]),
        f"{spec['sampling_rate']:g}x{spec['seconds']:g}x{len(spec['leads'])}",
    )
    line = "".join(_cell(text, width) for text, width in zip(cells, _COLUMNS.values(), strict=True))
    seen = "training undisclosed"
    if row["trained_on"] != "undisclosed":
        seen = f"trained on {', '.join(row['trained_on']) or row['learns_from']}"
    about = f"{seen}; {row['licence'] or 'no licence stated'}"
    return f"{line}{_in_millions(row['parameters']):>{_NUMBER - 1}}  {row['weights']}\n{_wrapped(about)}"


def _cell(text: str, width: int) -> str:
    """Fill a column; what does not fit has a line of its own, because a name that is cut is of no use."""
    return f"{text:{width}}" if len(text) < width else f"{text}\n{'':{width}}"


def _wrapped(text: str) -> str:
    return textwrap.fill(one_line(text), WIDTH, initial_indent="    ", subsequent_indent="    ")


def _in_millions(parameters: int | None) -> str:
    return UNDEFINED if parameters is None else f"{parameters / 1e6:.1f} M"

"""A model's own labels and what they mean: from columns under the model's names to concepts.

A row says what one of the model's labels is to one concept: ``same``; ``narrower``, where whatever has the
label has the concept too, but not the other way round; ``broader``, where the label takes in more than the
concept. A concept is scored by the highest of its labels that are the same or narrower. A broader label is
never a score: it is listed so that a reader sees that it was looked at. ``unmapped`` is a label without a
concept, with the reason.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchmark.text import printable, visible
from cohorts.counts import plural
from cohorts.errors import ModelError

FILE = "labels.csv"
COLUMNS = ("label", "concept", "relation")

LARGEST = 1024 * 1024
"""Bytes of a map."""

Relation = Literal["same", "narrower", "broader", "unmapped"]

_SCORED = ("same", "narrower")


class OwnLabel(BaseModel):
    """What one of a model's own labels is to one concept.

    Attributes
    ----------
    label
        The model's own name of one of its columns. A label of several concepts has several rows.
    concept
        Id of a concept; empty for an unmapped label.
    relation
        What the label is to the concept.
    note
        Why; an unmapped label must have one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: str = Field(min_length=1, max_length=200)
    concept: str = Field(default="", max_length=64)
    relation: Relation
    note: str = Field(default="", max_length=500)

    @model_validator(mode="after")
    def _has_what_its_relation_needs(self) -> OwnLabel:
        if self.relation == "unmapped" and (self.concept or not self.note.strip()):
            raise ValueError(
                f"'{self.label}' is unmapped: leave the concept empty and give a note that says why"
            )
        if self.relation != "unmapped" and not self.concept:
            raise ValueError(f"'{self.label}' has no concept: name one, or call it unmapped and say why")
        return self


def own_names(labels: Iterable[OwnLabel]) -> tuple[str, ...]:
    """List the labels in the order of the model's columns, which is that of their first rows."""
    return tuple(dict.fromkeys(row.label for row in labels))


def scored_concepts(labels: Iterable[OwnLabel]) -> tuple[str, ...]:
    """List the concepts that have a label of the same or a narrower meaning, in the order of the rows."""
    return tuple(dict.fromkeys(row.concept for row in labels if row.relation in _SCORED))


def labels_of(concept: str, labels: Iterable[OwnLabel]) -> tuple[OwnLabel, ...]:
    """List the rows that score a concept."""
    return tuple(row for row in labels if row.concept == concept and row.relation in _SCORED)


def check_labels(labels: Sequence[OwnLabel]) -> None:
    """Check what no single row shows.

    Raises
    ------
    ValueError
        If a label has two rows for one concept, or is mapped and unmapped at once.
    """
    pairs = [(row.label, row.concept) for row in labels]
    twice = next((pair for pair in pairs if pairs.count(pair) > 1), None)
    if twice is not None:
        raise ValueError(f"'{twice[0]}' has two rows for {twice[1] or 'no concept'}")
    unmapped = {row.label for row in labels if row.relation == "unmapped"}
    both = [row.label for row in labels if row.relation != "unmapped" and row.label in unmapped]
    if both:
        raise ValueError(f"'{both[0]}' is both mapped and unmapped")


def joined_scores(
    scores: npt.NDArray[Any], labels: Sequence[OwnLabel], outputs: Sequence[str]
) -> npt.NDArray[Any]:
    """Make scores of concepts from scores of a model's own labels: the highest of those of each concept.

    Parameters
    ----------
    scores
        ``[records, labels]``, in the order of `own_names`.
    outputs
        Concepts, each with a label that scores it.

    Returns
    -------
    ``[records, outputs]``

    Examples
    --------
    >>> rows = [OwnLabel(label="AFIB", concept="AF", relation="same"),
    ...         OwnLabel(label="AFIB RVR", concept="AF", relation="narrower"),
    ...         OwnLabel(label="AFIB RVR", concept="AFRVR", relation="same")]
    >>> joined_scores(np.array([[0.2, 0.7]]), rows, ("AFRVR", "AF")).tolist()
    [[0.7, 0.7]]
    """
    names = own_names(labels)
    columns = [[names.index(row.label) for row in labels_of(concept, labels)] for concept in outputs]
    return np.stack([scores[:, some].max(axis=1) for some in columns], axis=1)


def map_lines(labels: Sequence[OwnLabel]) -> list[str]:
    """Write a map for a reader: what scores each concept, what is too broad to, and what has no concept."""
    scored = scored_concepts(labels)
    lines = [
        f"{plural(len(own_names(labels)), 'label')} of its own; {plural(len(scored), 'concept')}, "
        "each scored by the highest of:",
        *(_line(concept, "; ".join(map(_named, labels_of(concept, labels)))) for concept in scored),
    ]
    broader = [row for row in labels if row.relation == "broader"]
    if broader:
        lines.append("Broader than a concept, and so no score of it:")
        lines += [_line(row.concept, row.label, row.note) for row in broader]
    unmapped = [row for row in labels if row.relation == "unmapped"]
    if unmapped:
        lines.append("Without a concept:")
        lines += [_line("", row.label, row.note) for row in unmapped]
    return lines


def _named(row: OwnLabel) -> str:
    return row.label if row.relation == "same" else f"{row.label} (narrower)"


def _line(concept: str, text: str, note: str = "") -> str:
    return visible(f"  {concept:8} {text}" + (f": {note}" if note else ""))


def read_labels(file: Path) -> tuple[OwnLabel, ...]:
    """Read a map: a CSV file with the columns ``label``, ``concept``, ``relation`` and, optionally, ``note``.

    Raises
    ------
    ModelError
        If it cannot be read, or a row is not valid; the message names the line.
    """
    rows = []
    for number, row in enumerate(label_rows(file), start=2):
        try:
            rows.append(OwnLabel.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            found = f"; here it is '{printable(str(first['input']), 40)}'" if first["loc"] else ""
            field = f"{first['loc'][0]}: " if first["loc"] else ""
            why = printable(first["msg"].removeprefix("Value error, "), 300)
            raise ModelError(f"{file}, line {number}: {field}{why}{found}.") from None
    return tuple(rows)


def label_rows(file: Path) -> list[dict[str, str]]:
    """Read the rows of a map as they were written, for `benchmark.models.ModelCard` to check."""
    try:
        if file.stat().st_size > LARGEST:
            raise ModelError(f"{file} has more than {LARGEST // 1024} kB; a map has one short row a label.")
        with file.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream, strict=True)
            header = tuple(reader.fieldnames or ())
            if header not in (COLUMNS, (*COLUMNS, "note")):
                raise ModelError(
                    f"{file} has the columns {', '.join(header) or 'of an empty file'}; a map has "
                    f"{', '.join(COLUMNS)} and, optionally, note."
                )
            rows = list(reader)
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}).") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ModelError(f"{file} is no CSV table in UTF-8 ({type(error).__name__}).") from None
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ModelError(f"{file}, line {number}: it has not as many fields as the header; quote commas.")
    undecided = [(number, row) for number, row in enumerate(rows, start=2) if not row["relation"].strip()]
    if undecided:
        number, row = undecided[0]
        raise ModelError(
            f"{file} has {len(undecided)} of {len(rows)} rows without a relation, the first in line {number} "
            f"for '{printable(row['label'], 40)}': write same, narrower, broader or unmapped there, or "
            "delete a row that its label does not need."
        )
    return rows

"""Hashes of what decides labels, so that a result says by which labels it was measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cohorts.hashing import hash_of_json
from cohorts.ontology.codes import POSITIVE, Rows

Columns = npt.NDArray[np.intp]


def hashes_of_labels(
    rules: int,
    concepts: Iterable[str],
    row_of: Rows,
    strength: npt.NDArray[np.uint8],
    annotated: npt.NDArray[np.bool_],
    questions: Sequence[tuple[Columns, Columns]],
) -> dict[str, str]:
    """Hash, for each concept, what decides its labels in a cohort where it is stated.

    Parameters
    ----------
    rules
        Version of the labelling rules.
    row_of, strength
        What each code says of each concept, as `strengths` gives it.
    annotated
        Of each concept, whether the cohort annotates it.
    questions
        Columns of the concepts that each question is about, and of those that answer it.

    Returns
    -------
    dict
        SHA-256 in hexadecimal by concept.
    """
    codes = sorted(row_of)
    spoken = json.dumps([rules, codes, sorted(row_of.modifiers.items())]).encode()
    said = strength[[row_of[code] for code in codes]]
    answers = [(said[:, answered_by] >= POSITIVE).any(axis=1).tobytes() for _, answered_by in questions]
    hashes: dict[str, str] = {}
    for column, concept in enumerate(concepts):
        asked = [answer for (about, _), answer in zip(questions, answers, strict=True) if column in about]
        content = spoken + bytes([int(annotated[column])]) + said[:, column].tobytes()
        hashes[concept] = hashlib.sha256(b"".join([content, bytes([len(asked)]), *asked])).hexdigest()
    return hashes


def hash_of_labelling(hashes: Mapping[str, str], concepts: Iterable[str] | None = None) -> str:
    """Hash what decides the labels of some concepts, of all by default (see `Ontology.label_hashes`)."""
    asked = sorted(hashes if concepts is None else concepts)
    return hash_of_json([[name, hashes[name]] for name in asked])

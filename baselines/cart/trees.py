"""Gradient-boosted trees of scikit-learn as plain arrays, saved without code and asked with NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Floats
from benchmark.models.weights import Array

FIELDS = ("feature_idx", "num_threshold", "missing_go_to_left", "left", "right", "value", "is_leaf")
"""What is kept of a node, as scikit-learn calls it."""


def flattened(forests: Sequence[Any], start: npt.NDArray[np.float64]) -> dict[str, Array]:
    """Put the nodes of all trees of all concepts behind each other.

    Parameters
    ----------
    forests
        A fitted ``HistGradientBoostingClassifier`` a concept, or None for one that was not learnt.
    start
        Logits of the concepts that were not learnt.

    Returns
    -------
    The fields of all nodes; ``first``, the first node of each tree; ``concept``, that of each tree; and
    ``start``, the logit to which the trees of each concept add.
    """
    trees = [
        (concept, round_[0].nodes)
        for concept, forest in enumerate(forests)
        if forest is not None
        for round_ in forest._predictors
    ]
    logits = [
        start[concept] if forest is None else float(np.ravel(forest._baseline_prediction)[0])
        for concept, forest in enumerate(forests)
    ]
    sizes = [len(nodes) for _, nodes in trees]
    arrays: dict[str, Array] = {
        "first": np.cumsum([0, *sizes], dtype=np.int64)[:-1],
        "concept": np.array([concept for concept, _ in trees], dtype=np.int64),
        "start": np.array(logits, dtype=np.float64),
    }
    for name in FIELDS:
        parts = [np.ascontiguousarray(nodes[name]) for _, nodes in trees]
        arrays[name] = np.concatenate(parts) if parts else np.zeros(0)
    return arrays


def decision(trees: Mapping[str, Array], measurements: Floats) -> npt.NDArray[np.float64]:
    """Give logits ``[records, concepts]`` of measurements ``[records, columns]``, which may be NaN."""
    logits = np.tile(trees["start"], (len(measurements), 1))
    rows = np.arange(len(measurements))
    values = measurements.astype(np.float64)
    for first, concept in zip(trees["first"], trees["concept"], strict=True):
        at = np.full(len(values), first)
        while not trees["is_leaf"][at].all():
            value = values[rows, trees["feature_idx"][at]]
            goes_left = np.where(
                np.isnan(value), trees["missing_go_to_left"][at] > 0, value <= trees["num_threshold"][at]
            )
            onward = first + np.where(goes_left, trees["left"][at], trees["right"][at]).astype(np.int64)
            at = np.where(trees["is_leaf"][at] > 0, at, onward)
        logits[:, concept] += trees["value"][at]
    return logits

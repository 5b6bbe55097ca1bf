"""Features of a model of a run, of all its cohorts at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.feature_map import FOLDS, FeatureMap, map_features
from benchmark.models.concept_names import unknown_concept
from benchmark.progress import Callback
from benchmark.protocols.embeddings import Embeddings
from benchmark.run.reopening import OpenedCell
from cohorts.errors import UsageError

MOST = 2_000
"""Recordings of a cohort, drawn at random, that are enough for a picture and its number."""

FEWEST = 2 * FOLDS


def too_small(cells: Sequence[OpenedCell]) -> list[str]:
    """List the cohorts that have too few recordings to be in a map."""
    return [cell.record.cohort.id for cell in cells if len(cell.store) < FEWEST]


def map_cells(
    cells: Sequence[OpenedCell],
    concepts: Sequence[str],
    progress: Callback,
    *,
    seed: int = 0,
    resamples: int = 1_000,
) -> FeatureMap:
    """Embed the recordings of all cohorts of a model and map them (see `map_features`).

    Parameters
    ----------
    cells
        Of one model under one protocol.
    concepts
        To colour by; the two that most cohorts have positives of if none is given.

    Raises
    ------
    UsageError
        If fewer than two cohorts have enough recordings, or a concept is unknown.
    ModelError
        If the model has no ``embed``.
    """
    enough = [cell for cell in cells if len(cell.store) >= FEWEST]
    if len(enough) < 2:
        raise UsageError(f"A map needs two cohorts with {FEWEST} recordings or more.")
    unknown = [concept for concept in concepts if concept not in enough[0].store.labels]
    if unknown:
        raise unknown_concept(unknown[0], [str(one) for one in enough[0].store.labels])
    chosen = list(concepts) or _most_common(enough)
    random = np.random.default_rng(seed)
    features, names, patients, labels = [], [], [], []
    for cell in enough:
        store = cell.store
        rows = np.sort(random.permutation(len(store))[:MOST])
        features.append(_means(cell.scorer.features.of(cell.model, store, progress), rows))
        index = store.index.iloc[rows]
        names += [store.card.id] * len(rows)
        # Without an id a recording is a patient of its own; ids of two cohorts are never one person.
        ids = index["patient_id"].fillna(index["record_id"])
        patients += [f"{store.card.id} {name}" for name in ids]
        labels.append(store.labels.iloc[rows][chosen])
    return map_features(
        np.vstack(features), names, patients, pd.concat(labels), seed=seed, resamples=resamples
    )


def _most_common(cells: Sequence[OpenedCell]) -> list[str]:
    """Name the two concepts that most cohorts have positives of."""
    positives = pd.concat([(cell.store.labels == 1).sum() for cell in cells], axis="columns")
    order = pd.DataFrame({"cohorts": (positives > 0).sum(axis=1), "records": positives.sum(axis=1)})
    best = order.sort_values(["cohorts", "records"], ascending=False, kind="stable")
    return [str(concept) for concept in best.index[:2]]


def _means(embeddings: Embeddings, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Mean of the features of the windows of each recording."""
    windows = [embeddings.features[embeddings.starts[row] : embeddings.starts[row + 1]] for row in rows]
    return np.stack([window.mean(axis=0, dtype=np.float64) for window in windows]).astype(np.float32)

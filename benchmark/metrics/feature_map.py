"""What a model keeps apart: features of several cohorts in a plane, and how well they tell the hospital."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmark.metrics.cell.evaluation import evaluate
from benchmark.metrics.estimates import Estimate

FOLDS = 5
COMPONENTS = 50
PERPLEXITY = 30.0

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """Features of recordings of several cohorts.

    Attributes
    ----------
    points
        One row a recording: ``cohort``, ``x``, ``y``, and the label of each concept (1, 0, -1 not annotated).
    concepts
        That points are coloured by.
    hospital
        Macro AUROC of telling the cohort of a recording of patients that were not learnt from, by a logistic
        regression on the features: 0.5 where the features do not know the hospital.
    of_cohort
        The same for each cohort against the others.
    """

    points: pd.DataFrame
    concepts: tuple[str, ...]
    hospital: Estimate
    of_cohort: dict[str, Estimate]


def map_features(
    features: npt.NDArray[np.float32],
    cohorts: Sequence[str],
    patients: Sequence[str],
    labels: pd.DataFrame,
    *,
    seed: int = 0,
    resamples: int = 1_000,
) -> FeatureMap:
    """Lay features out in a plane, and ask which cohort each recording is from.

    Parameters
    ----------
    features
        float32 ``[records, features]``.
    cohorts, patients
        Of each record; a patient is in one cohort.
    labels
        int8 ``[records, concepts]``, of the concepts to colour by.
    """
    reduced = _reduced(features, seed)
    points = labels.reset_index(drop=True)
    points.insert(0, "cohort", list(cohorts))
    points[["x", "y"]] = _plane(reduced, seed)
    truth = pd.get_dummies(points["cohort"]).astype(np.int8)
    told = _told(reduced, np.array(cohorts), np.array(patients), [str(name) for name in truth], seed)
    found = evaluate(truth, told, pd.Series(list(patients), dtype="str"), resamples=resamples, seed=seed)
    of_cohort = {str(cohort): one.auroc for cohort, one in found.concepts.items()}
    return FeatureMap(points, tuple(map(str, labels.columns)), found.macro.auroc, of_cohort)


def _reduced(features: npt.NDArray[np.float32], seed: int) -> Doubles:
    """Standardise, and keep the principal components."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(features.astype(np.float64))
    count = min(COMPONENTS, *scaled.shape)
    reduced: Doubles = PCA(count, svd_solver="full", random_state=seed).fit_transform(scaled)
    return reduced


def _plane(reduced: Doubles, seed: int) -> Doubles:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(reduced) - 1) / 3)
    plane: Doubles = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced)
    return plane


def _told(
    reduced: Doubles,
    cohorts: npt.NDArray[np.str_],
    patients: npt.NDArray[np.str_],
    names: Sequence[str],
    seed: int,
) -> pd.DataFrame:
    """Probability of each cohort for each recording, from recordings of other patients."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    told = np.zeros((len(reduced), len(names)))
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for training, test in splitter.split(reduced, cohorts, patients):
        scale = reduced[training].std(axis=0)
        scale[scale == 0] = 1.0
        model = LogisticRegression(C=0.1, max_iter=2_000).fit(reduced[training] / scale, cohorts[training])
        columns = [names.index(name) for name in model.classes_]
        told[np.ix_(test, columns)] = model.predict_proba(reduced[test] / scale)
    return pd.DataFrame(told, columns=list(names))

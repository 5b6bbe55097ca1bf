"""Controls: what a model must beat before its signal processing is worth anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmark.models.contract import Batch, FitSettings, Floats, Records
from benchmark.models.labels import Doubles, learnable, prevalence, targets
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.weights import load_weights, save_weights, untrained

# Neither control looks at the signal, so both ask for as little of it as possible.
NEXT_TO_NOTHING = InputSpec(leads=("I",), seconds=1)


class Prevalence:
    """The trivial control: every record gets the training prevalence of each concept.

    Its AUROC is exactly 0.5 and its AUPRC is the prevalence of the cohort in question.
    """

    def __init__(self) -> None:
        self.card = ModelCard(
            name="prevalence",
            version="1",
            description="Constant control: the share of positives among the annotated training records.",
            control_for="any",
            licence="Apache-2.0",
            input=NEXT_TO_NOTHING,
            outputs=(),
            probabilities=True,
            trained_on=(),
        )
        self._prevalence: Doubles | None = None

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Count the positives; ``validation`` is not used."""
        self._prevalence = prevalence(targets(training, settings.concepts))
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, outputs]``, the same row for every record."""
        if self._prevalence is None:
            raise untrained(self.card)
        return np.tile(self._prevalence.astype(np.float32), (len(batch), 1))

    def save(self, folder: Path) -> None:
        """Write the prevalences into ``folder``."""
        if self._prevalence is None:
            raise untrained(self.card)
        save_weights(folder, self.card, {"prevalence": self._prevalence})

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, or raise `ModelError`."""
        self.card, arrays = load_weights(folder, self.card)
        self._prevalence = arrays["prevalence"]


class AgeSex:
    """The shortcut control: logistic regression on age and sex, without the ECG.

    A model that does not beat it may have learnt who is ill at which age rather than what is in the
    signal. L2 strength is scikit-learn's default; nothing is chosen on validation records.
    """

    def __init__(self) -> None:
        self.card = ModelCard(
            name="age-sex",
            version="1",
            description="Shortcut control: logistic regression on age and sex, without the signal.",
            control_for="any",
            licence="Apache-2.0",
            input=NEXT_TO_NOTHING,
            outputs=(),
            probabilities=True,
            trained_on=(),
        )
        self._regression: tuple[Doubles, Doubles] | None = None

    def fit(self, training: Records, validation: Records, settings: FitSettings) -> None:
        """Fit one regression per concept to its annotated records; ``validation`` is not used."""
        from scipy.special import logit
        from sklearn.linear_model import LogisticRegression

        labels = targets(training, settings.concepts)
        people = np.concatenate([design(batch.age, batch.sex) for batch in training.batches(4096)])
        coefficients = np.zeros((len(settings.concepts), people.shape[1]))
        intercepts = logit(prevalence(labels))
        for concept in np.flatnonzero(learnable(labels)):
            annotated = labels[:, concept] >= 0
            regression = LogisticRegression(max_iter=1000).fit(people[annotated], labels[annotated, concept])
            coefficients[concept] = regression.coef_[0]
            intercepts[concept] = regression.intercept_[0]
        self._regression = coefficients, intercepts
        self.card = self.card.model_copy(update={"outputs": settings.concepts})

    def predict(self, batch: Batch) -> Floats:
        """Score float32 ``[records, outputs]``, probabilities."""
        from scipy.special import expit

        if self._regression is None:
            raise untrained(self.card)
        coefficients, intercepts = self._regression
        logits = design(batch.age, batch.sex) @ coefficients.T + intercepts
        scores: Floats = expit(logits).astype(np.float32)
        return scores

    def save(self, folder: Path) -> None:
        """Write the coefficients into ``folder``."""
        if self._regression is None:
            raise untrained(self.card)
        coefficients, intercepts = self._regression
        save_weights(folder, self.card, {"coefficients": coefficients, "intercepts": intercepts})

    def load(self, folder: Path) -> None:
        """Restore what `save` wrote, or raise `ModelError`."""
        self.card, arrays = load_weights(folder, self.card)
        self._regression = arrays["coefficients"], arrays["intercepts"]


# Prevalence of most ECG findings bends upwards in middle age: a linear spline with fixed knots, in years.
KNOTS = np.array([0.0, 30.0, 45.0, 60.0, 75.0])
OLDEST = 110.0


def design(age: Floats, sex: npt.NDArray[np.str_]) -> Doubles:
    """Describe people for a regression.

    Parameters
    ----------
    age
        ``[records]``, years; NaN, infinite and negative ones are unknown.
    sex
        ``[records]`` of ``"female"``, ``"male"``; anything else is unknown.

    Returns
    -------
    float64 ``[records, 9]``: years beyond each knot of a linear spline (in decades, 0 if unknown), age
    unknown, female, male, sex unknown.
    """
    years = np.asarray(age, dtype=np.float64)
    known = np.isfinite(years) & (years >= 0)
    years = np.where(known, np.minimum(years, OLDEST), 0.0)
    spline = np.maximum(years[:, None] - KNOTS, 0.0) / 10
    female, male = sex == "female", sex == "male"
    return np.column_stack([spline, ~known, female, male, ~(female | male)]).astype(np.float64)

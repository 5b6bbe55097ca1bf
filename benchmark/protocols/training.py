"""Training a model once; the trained model lies in the cache under a key of what made it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmark.models.cards import card_of
from benchmark.models.contract import FitSettings, Model, Trainable
from benchmark.models.guard import guarded
from benchmark.models.model_card import ModelCard
from benchmark.models.model_source import ModelSource
from benchmark.protocols.artifacts import Artifact, WeightsFacts
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.precision import TrainingPrecision
from benchmark.protocols.protocol import AS_IS, Protocol
from benchmark.protocols.published import StartingWeights, build
from benchmark.protocols.rooms import SCORE_ROOMS
from benchmark.protocols.subsets import labelled
from benchmark.records.comparability import labelling_of
from benchmark.records.record import Training
from cohorts.errors import ModelError, UsageError
from cohorts.hashing import code_hash, hash_of_json
from cohorts.store import Store, rows_of
from cohorts.tasks import cohort_of


@dataclass(frozen=True)
class TrainingPlan:
    """One fit to labels of one source cohort; ``key`` is known before any training.

    Attributes
    ----------
    base
        The weights that it starts from, None for those of the constructor.
    concepts
        Annotated in the source with at least one positive and one negative training record.
    seed
        Of the fit and of the subset of patients.
    precision
        In which it is trained.
    card
        The card that the trained model will have.
    artifact
        Where the trained model lies or will lie.
    """

    source: ModelSource
    base: StartingWeights | None
    protocol: Protocol
    store: Store
    concepts: tuple[str, ...]
    seed: int
    precision: TrainingPrecision
    key: str
    card: ModelCard
    artifact: Artifact

    @property
    def label(self) -> str:
        """For progress lines."""
        share = f", {self.protocol.percent} % of the labels, seed {self.seed}"
        shown = share if self.protocol.percent < 100 else ""
        return f"{_DOING[self.protocol.kind]} {self.card.name} on {self.store.card.id}{shown}"

    def training(self) -> Training:
        """Say what the fit is of."""
        training, validation = (
            labelled(self.store, part, self.protocol.percent, self.seed)
            for part in ("training", "validation")
        )
        return Training(
            source=self.store.card.id,
            fingerprint=self.store.fingerprint,
            percent=self.protocol.percent,
            records=len(training),
            validation_records=len(validation),
            seed=self.seed,
            key=self.key,
            precision=self.precision,
        )


_DOING = {
    "as-is": "Training",
    "fine-tune": "Fine-tuning",
    "linear-probe": "Probing",
    "zero-shot": "Prompting",
}


def learnable_concepts(store: Store) -> tuple[str, ...]:
    """Concepts with a positive and a negative record in the training fold.

    Raises
    ------
    UsageError
        If the cohort has no training and validation folds on this machine.
    """
    name = store.card.id
    if store.card.folds is None:
        raise UsageError(f"{name} has no published folds to learn from; choose another source.")
    for part in ("training", "validation"):
        if not len(rows_of(store, part)):
            raise UsageError(f"None of the {name} records here is in a {part} fold; get more of the release.")
    labels = store.labels.iloc[rows_of(store, "training")]
    learnable = (labels == 1).any() & (labels == 0).any()
    return tuple(str(concept) for concept in labels.columns[learnable])


def plan_training(
    source: ModelSource,
    store: Store,
    cache: Path,
    seed: int,
    *,
    protocol: Protocol = AS_IS,
    base: StartingWeights | None = None,
    precision: TrainingPrecision = "32-true",
) -> TrainingPlan:
    """Work out what a training would make, without training.

    Parameters
    ----------
    precision
        For a model that computes in lower precision; others, and probes, are trained in single precision.

    Raises
    ------
    UsageError
        If the cohort has no training and validation folds on this machine.
    """
    concepts = learnable_concepts(store)
    assert store.card.folds is not None  # noqa: S101
    start = source.card if base is None else base.card
    used = precision if source.bfloat16 and protocol.kind != "linear-probe" else "32-true"
    made_from = {
        "code": source.code_hash,
        "environment": source.environment,
        "suite code": code_hash(*SCORE_ROOMS),
        "base": None if base is None else base.key,
        "card": start.model_dump(mode="json"),
        "protocol": protocol.name,
        "cohort": store.fingerprint,
        "labels": labelling_of(store.card, concepts).hash,
        "folds": store.card.folds.model_dump(mode="json"),
        "concepts": concepts,
        "seed": seed,
        **({} if used == "32-true" else {"precision": used}),
    }
    key = hash_of_json(made_from)
    seen = start.trained_on
    changes: dict[str, object] = {
        "outputs": concepts,
        "labels": (),
        "trained_on": seen
        if seen == "undisclosed"
        else tuple(dict.fromkeys((*seen, cohort_of(store.card.id)))),
    }
    if protocol.kind == "linear-probe":
        changes["probabilities"] = True
    if store.card.simulated and base is None:
        changes["description"] = "Trained by this suite on SIMULATED recordings. " + start.description
    folder = cache / "models" / source.card.name / key[:24]
    card = start.model_copy(update=changes)
    return TrainingPlan(source, base, protocol, store, concepts, seed, used, key, card, Artifact(folder))


def train(plan: TrainingPlan, device: str, workers: int = 1) -> None:
    """Fit, save and mark as complete; resumes a training that was cut off.

    Raises
    ------
    ModelError
        If the model raises, or its card after training is not what was planned.
    """
    if not plan.artifact.done:
        plan.artifact.make(lambda unfinished, weights: _train(plan, device, workers, unfinished, weights))


def _train(plan: TrainingPlan, device: str, workers: int, unfinished: Path, weights: Path) -> WeightsFacts:
    name = plan.source.card.name
    model = build(plan.source, plan.base, device)
    if not isinstance(model, Trainable):
        raise UsageError(f"{name} has no 'fit', 'save' and 'load'; it cannot be trained.")
    training, validation = (
        PreparedRecords(
            plan.store,
            labelled(plan.store, part, plan.protocol.percent, plan.seed),
            plan.source.card.input,
            plan.concepts,
            workers,
        )
        for part in ("training", "validation")
    )
    settings = FitSettings(plan.concepts, plan.seed, device, unfinished, plan.precision)
    guarded(f"{name}.fit", lambda: model.fit(training, validation, settings))
    outputs = card_of(model).outputs
    if outputs != plan.concepts:
        raise ModelError(f"After training the card of {name} names other outputs than it was given to learn.")
    guarded(f"{name}.save", lambda: model.save(weights))
    return WeightsFacts(card=plan.card, training=plan.training())


def load_trained(plan: TrainingPlan, device: str) -> tuple[Model, str]:
    """Load what `train` made: the model and the hash of its weights.

    Raises
    ------
    LeadboardError
        If the folder is damaged or its weights were changed.
    """
    _, sha256 = plan.artifact.read()
    model = plan.source.build(device)
    if not isinstance(model, Trainable):
        raise ModelError(f"{plan.card.name} has no 'load'.")
    guarded(f"{plan.card.name}.load", lambda: model.load(plan.artifact.weights))
    return model, sha256

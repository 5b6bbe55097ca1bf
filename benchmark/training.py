"""Training a model once; the trained model lies in the cache under a key of what made it."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from benchmark import __version__
from benchmark.files import sha256_of_folder, write_atomically
from benchmark.harmonise import PreparedRecords
from benchmark.inference import guarded
from benchmark.models import FitSettings, Model, ModelCard, Trainable, card_of
from benchmark.plugins import ModelSource
from benchmark.results import Training
from cohorts.errors import LeadboardError, ModelError, UsageError
from cohorts.store import Store


class _Made(BaseModel):
    """``trained.json``: written last, so its presence says that the weights are complete."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    card: ModelCard
    training: Training
    weights_sha256: str


@dataclass(frozen=True)
class TrainingPlan:
    """One model to be learnt from one source cohort; ``key`` is known before any training.

    Attributes
    ----------
    concepts
        Annotated in the source with at least one positive and one negative training record.
    card
        The card that the trained model will have.
    folder
        Where the trained model lies or will lie.
    """

    source: ModelSource
    store: Store
    concepts: tuple[str, ...]
    seed: int
    key: str
    card: ModelCard
    folder: Path

    @property
    def done(self) -> bool:
        """Whether the trained model is there."""
        return (self.folder / "trained.json").is_file()


def plan_training(source: ModelSource, store: Store, cache: Path, seed: int) -> TrainingPlan:
    """Work out what a training would make, without training.

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
    concepts = tuple(str(concept) for concept in labels.columns[learnable])
    made_from = {
        "suite": __version__,
        "code": source.code_hash,
        "card": source.card.model_dump(mode="json"),
        "cohort": store.fingerprint,
        "ontology": store.ontology_hash,
        "folds": store.card.folds.model_dump(mode="json"),
        "concepts": concepts,
        "seed": seed,
    }
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    seen = () if source.card.trained_on == "undisclosed" else source.card.trained_on
    trained_on = tuple(dict.fromkeys((*seen, name)))
    card = source.card.model_copy(update={"outputs": concepts, "trained_on": trained_on})
    if store.card.simulated:
        note = "Trained by this suite on SIMULATED recordings. "
        card = card.model_copy(update={"description": note + card.description})
    if source.card.trained_on == "undisclosed":
        card = card.model_copy(update={"trained_on": "undisclosed"})
    folder = cache / "models" / source.card.name / key[:24]
    return TrainingPlan(source, store, concepts, seed, key, card, folder)


def rows_of(store: Store, part: str) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Positions of the ``"training"``, ``"validation"`` or ``"test"`` records of a store."""
    folds = getattr(store.card.folds, part) if store.card.folds is not None else ()
    member = store.index["fold"].isin(folds).fillna(False).to_numpy(dtype=bool)
    return np.flatnonzero(member)


def train(plan: TrainingPlan, device: str, workers: int = 1) -> None:
    """Fit, save and mark as complete; resumes a training that was cut off.

    Raises
    ------
    ModelError
        If the model raises, or its card after training is not what was planned.
    """
    if plan.done:
        return
    name = plan.source.card.name
    unfinished = plan.folder / "unfinished"
    unfinished.mkdir(parents=True, exist_ok=True)
    model = plan.source.build(device)
    if not isinstance(model, Trainable):
        raise UsageError(f"{name} has no 'fit', 'save' and 'load'; it cannot be trained.")
    spec = plan.source.card.input
    parts = {
        part: PreparedRecords(plan.store, rows_of(plan.store, part), spec, plan.concepts, workers)
        for part in ("training", "validation")
    }
    settings = FitSettings(plan.concepts, plan.seed, device, unfinished)
    guarded(f"{name}.fit", lambda: model.fit(parts["training"], parts["validation"], settings))
    outputs = card_of(model).outputs
    if outputs != plan.concepts:
        raise ModelError(f"After training the card of {name} names other outputs than it was given to learn.")
    weights = Path(tempfile.mkdtemp(dir=plan.folder, prefix=".weights."))
    guarded(f"{name}.save", lambda: model.save(weights))
    final = plan.folder / "weights"
    if final.exists():  # of a process that died before it could say that they are complete
        shutil.rmtree(final)
    weights.rename(final)
    training = Training(
        source=plan.store.card.id,
        fingerprint=plan.store.fingerprint,
        records=len(parts["training"]),
        validation_records=len(parts["validation"]),
        seed=plan.seed,
        key=plan.key,
    )
    made = _Made(card=plan.card, training=training, weights_sha256=sha256_of_folder(final))
    write_atomically(plan.folder / "trained.json", made.model_dump_json(indent=2) + "\n")
    shutil.rmtree(unfinished)


def load_trained(plan: TrainingPlan, device: str) -> tuple[Model, Training, str]:
    """Load what `train` made: the model, how it was made, and the hash of its weights.

    Raises
    ------
    LeadboardError
        If the folder is damaged or its weights were changed.
    """
    path = plan.folder / "trained.json"
    try:
        made = _Made.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise LeadboardError(f"{path} is damaged; delete {plan.folder} and run again.") from error
    weights = plan.folder / "weights"
    if sha256_of_folder(weights) != made.weights_sha256:
        raise LeadboardError(f"The weights in {weights} are not those that were saved; delete {plan.folder}.")
    model = plan.source.build(device)
    if not isinstance(model, Trainable):
        raise ModelError(f"{plan.card.name} has no 'load'.")
    guarded(f"{plan.card.name}.load", lambda: model.load(weights))
    return model, made.training, made.weights_sha256

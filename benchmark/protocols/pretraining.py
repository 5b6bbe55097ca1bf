"""Pre-training a model on pairs of signal and text of one or more cohorts, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchmark.models.contract import Pretrainable, PretrainSettings
from benchmark.models.guard import guarded
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.model_source import ModelSource
from benchmark.protocols.artifacts import Artifact, WeightsFacts
from benchmark.protocols.harmonise import PreparedRecords, RecordingSource
from benchmark.protocols.held_out import keeps_silent
from benchmark.protocols.precision import TrainingPrecision
from benchmark.protocols.prompts import prompts_of
from benchmark.protocols.recipes import complete_recipe
from benchmark.protocols.rooms import TEXT_ROOMS
from benchmark.protocols.subsets import owners, share
from benchmark.records.record import Pretraining, PretrainingSource
from cohorts.catalogue import sharing
from cohorts.errors import ModelError, UsageError
from cohorts.hashing import code_hash, hash_of_json
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.sentences import sentences_of, wording
from cohorts.store import Rows, Store, rows_of

VALIDATION_SHARE = 0.1
"""Of the patients of a cohort without folds of its own."""


class PairedRecords(PreparedRecords):
    """Records of a store with what was written about them (see `cohorts.ontology.sentences`)."""

    def __init__(
        self,
        store: RecordingSource,
        positions: Rows,
        spec: InputSpec,
        sentences: Sequence[tuple[str, ...]],
        workers: int = 1,
    ) -> None:
        super().__init__(store, positions, spec, workers=workers)
        self.sentences = [sentences[position] for position in positions]


@dataclass(frozen=True)
class PretrainingPlan:
    """One model to be pre-trained on some cohorts; ``key`` is known before any training.

    Attributes
    ----------
    held_out
        Concepts of which nothing is shown to the model.
    recipe
        Every hyper-parameter, as the model states them; empty for a model that takes no recipe.
    card
        The card that the pre-trained model will have.
    artifact
        Where it lies or will lie.
    """

    source: ModelSource
    stores: tuple[Store, ...]
    held_out: tuple[str, ...]
    seed: int
    precision: TrainingPrecision
    recipe: Mapping[str, Any]
    key: str
    card: ModelCard
    artifact: Artifact

    made_here: ClassVar[bool] = True

    def make(self, device: str, workers: int) -> None:
        """Pre-train, unless that was done; see `pretrain`."""
        pretrain(self, device, workers)

    @property
    def label(self) -> str:
        """For progress lines."""
        without = f" without {', '.join(self.held_out)}" if self.held_out else ""
        return f"Pre-training {self.card.name} on {_names(self.stores)}{without}"


def plan_pretraining(
    source: ModelSource,
    stores: Sequence[Store],
    cache: Path,
    seed: int,
    *,
    held_out: Sequence[str] = (),
    precision: TrainingPrecision = "32-true",
    recipe: Mapping[str, Any] | None = None,
) -> PretrainingPlan:
    """Work out what a pre-training would make, without training.

    Raises
    ------
    UsageError, ModelError
        If the model does not take the recipe.
    """
    complete = complete_recipe(source, recipe or {})
    ontology = load_ontology()
    made_from = {
        "code": source.code_hash,
        "suite code": code_hash(*TEXT_ROOMS),
        "card": source.card.model_dump(mode="json"),
        "cohorts": [store.fingerprint for store in stores],
        "texts": [wording(store.card, ontology) for store in stores],
        "labels": [store.ontology_hash for store in stores],
        "prompts": prompts_of(map(str, ontology.concepts.index)),
        "held_out": list(held_out),
        "seed": seed,
        "precision": precision,
        "recipe": complete,
    }
    key = hash_of_json(made_from)
    seen = source.card.trained_on
    names = [store.card.id for store in stores]
    kind = "SIMULATED " if any(store.card.simulated for store in stores) else ""
    note = f"Trained by this suite on {kind}{_names(stores)}; not the authors' weights. "
    card = source.card.model_copy(
        update={
            "description": note + source.card.description,
            "trained_on": seen if seen == "undisclosed" else tuple(dict.fromkeys((*seen, *names))),
        }
    )
    folder = cache / "models" / source.card.name / f"pretrained-{key[:24]}"
    return PretrainingPlan(
        source, tuple(stores), tuple(held_out), seed, precision, complete, key, card, Artifact(folder)
    )


def check_sources(names: Sequence[str]) -> None:
    """Refuse cohorts that hold the same recordings: one would be learnt twice and validated on itself.

    Raises
    ------
    UsageError
        Naming two of them.
    """
    for position, name in enumerate(names):
        twin = next((other for other in names[:position] if other in sharing(name)), None)
        if twin is not None:
            raise UsageError(f"{name} and {twin} hold the same recordings; pre-train on one of the two.")


def pretrain(plan: PretrainingPlan, device: str, workers: int = 1) -> None:
    """Pre-train, save and mark as complete; resumes what was cut off.

    Raises
    ------
    ModelError
        If the model raises, or no pair is left to learn from.
    """
    if not plan.artifact.done:
        plan.artifact.make(lambda unfinished, weights: _pretrain(plan, device, workers, unfinished, weights))


def _pretrain(
    plan: PretrainingPlan, device: str, workers: int, unfinished: Path, weights: Path
) -> WeightsFacts:
    name = plan.card.name
    model = plan.source.build(device)
    if not isinstance(model, Pretrainable):
        raise UsageError(f"{name} has no 'pretrain', 'save' and 'load'; it cannot be pre-trained.")
    # Concepts are held out of English sentences only: a foreign word for one would go unnoticed.
    multilingual = model.multilingual and not plan.held_out
    spec = plan.source.card.input
    parts = [_pairs(store, spec, plan.held_out, multilingual, workers) for store in plan.stores]
    training, validation = ([pair[part] for pair in parts] for part in (0, 1))
    if not sum(map(len, training)) or not sum(map(len, validation)):
        raise ModelError(
            f"There is no pair of signal and text to pre-train {name} on, or none to validate it: choose "
            "larger sources. A report that is not in English is a text only for an encoder of many languages."
        )
    ontology = load_ontology()
    hidden = {member for concept in plan.held_out for member in (concept, *ontology.descendants(concept))}
    prompts = prompts_of(str(concept) for concept in ontology.concepts.index if concept not in hidden)
    settings = PretrainSettings(prompts, plan.seed, device, plan.precision, unfinished, plan.recipe)
    guarded(f"{name}.pretrain", lambda: model.pretrain(training, validation, settings))
    guarded(f"{name}.save", lambda: model.save(weights))
    facts = tuple(
        PretrainingSource(
            cohort=store.card.id,
            fingerprint=store.fingerprint,
            records=len(pair[0]),
            validation_records=len(pair[1]),
        )
        for store, pair in zip(plan.stores, parts, strict=True)
    )
    pretraining = Pretraining(
        sources=facts,
        held_out=plan.held_out,
        seed=plan.seed,
        precision=plan.precision,
        recipe=dict(plan.recipe) or None,
        key=plan.key,
    )
    return WeightsFacts(card=plan.card, pretraining=pretraining)


def _pairs(
    store: Store, spec: InputSpec, held_out: Sequence[str], multilingual: bool, workers: int
) -> tuple[PairedRecords, PairedRecords]:
    """Training and validation pairs of a cohort, with disjoint patients; never its test fold."""
    ontology = load_ontology()
    sentences = sentences_of(store.index, store.card, ontology, multilingual=multilingual)
    clear = keeps_silent(store.labels, sentences, held_out, ontology)
    kept = np.flatnonzero(clear & np.array([bool(said) for said in sentences], bool))
    training, validation = (
        PairedRecords(store, np.intersect1d(rows, kept), spec, sentences, workers) for rows in split(store)
    )
    return training, validation


def split(store: Store) -> tuple[Rows, Rows]:
    """Training and validation records: the release's own folds, else a tenth of the patients.

    Returns
    -------
    Positions of the records of each; no patient is in both.
    """
    if store.card.folds is not None:
        return rows_of(store, "training"), rows_of(store, "validation")
    every = np.arange(len(store))
    held = np.array(
        [share(patient, "validation") < VALIDATION_SHARE for patient in owners(store, every)], bool
    )
    return every[~held], every[held]


def _names(stores: Sequence[Store]) -> str:
    return " and ".join(store.card.id for store in stores)

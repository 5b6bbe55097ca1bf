"""The plan of a run: which cells there are, and a key for each of everything that decides it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmark.contamination import relation_of
from benchmark.metrics.evaluation import RESAMPLES
from benchmark.models import ModelCard
from benchmark.plugins import ModelSource
from benchmark.pretraining import PretrainingPlan
from benchmark.protocols.prompts import prompts_of
from benchmark.protocols.protocol import Protocol
from benchmark.protocols.subsets import rows_of
from benchmark.resamples import resamples_path
from benchmark.results import Relation, load_record
from benchmark.run_folder import cell_path
from benchmark.starting_weights import StartingWeights
from benchmark.training import TrainingPlan
from cohorts.cohort import CohortCard
from cohorts.errors import LeadboardError, ModelError
from cohorts.store import Store

Selection = Literal["all", "test"]
ELIGIBLE_MINIMUM = 10
"""Positives and negatives that a concept needs to enter a macro average."""


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What the user decides about the numbers.

    Attributes
    ----------
    records
        ``"all"`` or ``"test"`` for every cell; by default an internal cell takes the test fold and
        any other cell all records.
    """

    seed: int = 0
    resamples: int = RESAMPLES
    records: Selection | None = None


@dataclass(frozen=True)
class EvaluatedModel:
    """A model under a protocol, as it will be evaluated.

    Attributes
    ----------
    card
        With the outputs that it is evaluated on and everything that it will have been trained on.
    base
        The weights that it starts from where they are not its constructor's.
    fits
        What it learns from the source cohort; their metrics are averaged. Empty for a model that is
        asked with the weights that it has.
    """

    source: ModelSource
    protocol: Protocol
    card: ModelCard
    base: StartingWeights | None = None
    fits: tuple[TrainingPlan, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One model x protocol x cohort.

    Attributes
    ----------
    predictions_key
        Hash of everything that decides the scores.
    key
        Hash of that and of everything that decides the metrics.
    path
        The result record; its predictions lie beside it.
    """

    model: EvaluatedModel
    store: Store
    relation: Relation
    selection: Selection
    predictions_key: str
    key: str
    path: Path

    @property
    def label(self) -> str:
        """For progress and error lines."""
        protocol = self.model.protocol.name
        shown = "" if protocol == "as-is" else f", {protocol},"
        return f"{self.model.card.name}{shown} on {self.store.card.id}"

    @property
    def predictions_path(self) -> Path:
        """The Parquet file beside the record."""
        return self.path.with_suffix(".parquet")

    def positions(self) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """Rows of the store that this cell scores."""
        if self.selection == "test":
            return rows_of(self.store, "test")
        return np.arange(len(self.store))

    def is_done(self) -> bool:
        """Whether the record on disk has this key and its predictions and resamples are there."""
        files = self.path, self.predictions_path, resamples_path(self.path)
        if not all(file.is_file() for file in files):
            return False
        try:
            return load_record(self.path).key == self.key
        except LeadboardError:
            return False


def plan_cells(
    models: Sequence[EvaluatedModel],
    stores: Sequence[Store],
    cards: Mapping[str, CohortCard],
    settings: RunSettings,
    run: Path,
    source: Store | str = "no source",
) -> list[Cell]:
    """All cells of a run, cohort by cohort within each model.

    Parameters
    ----------
    source
        The cohort that thresholds are chosen on, or why it is not to be had.
    """
    return [_plan_cell(model, store, cards, settings, run, source) for model in models for store in stores]


def _plan_cell(
    model: EvaluatedModel,
    store: Store,
    cards: Mapping[str, CohortCard],
    settings: RunSettings,
    run: Path,
    source: Store | str,
) -> Cell:
    made_here = isinstance(model.base, PretrainingPlan)
    related = relation_of(model.card, store.card.id, cards, pretrained_here=made_here)
    has_test_fold = len(rows_of(store, "test")) > 0
    selection: Selection = settings.records or ("test" if related == "internal" and has_test_fold else "all")
    decides_scores = _decides_scores(model, store, selection)
    decides_metrics = {
        "relation": related,
        "ontology": store.ontology_hash,
        "seed": settings.seed,
        "resamples": settings.resamples,
        "minimum": ELIGIBLE_MINIMUM,
        "thresholds": None if isinstance(source, str) else validation_key(model, source),
        "suite": code_hash("metrics"),
    }
    return Cell(
        model=model,
        store=store,
        relation=related,
        selection=selection,
        predictions_key=_hashed(decides_scores),
        key=_hashed({"scores": decides_scores, "metrics": decides_metrics}),
        path=cell_path(run, model.card.name, model.protocol.name, store.card.id),
    )


def _decides_scores(model: EvaluatedModel, store: Store, selection: str) -> dict[str, object]:
    return {
        "model": model.card.model_dump(mode="json"),
        "code": model.source.code_hash,
        "environment": model.source.environment,
        "base": model.base.key if model.base else None,
        "fits": [fit.key for fit in model.fits],
        "protocol": model.protocol.name,
        "prompts": prompts_of(model.card.outputs) if model.protocol.kind == "zero-shot" else None,
        "cohort": store.fingerprint,
        "selection": selection,
        "suite": code_hash("scores"),
    }


def validation_key(model: EvaluatedModel, source: Store) -> str:
    """Hash what decides the scores of a model on the validation fold of the source cohort."""
    return _hashed(_decides_scores(model, source, "validation"))


def check_outputs(card: ModelCard, concepts: Collection[str]) -> None:
    """Refuse a model whose outputs are not all concepts of the ontology.

    Raises
    ------
    ModelError
        Naming the first unknown outputs.
    """
    unknown = [output for output in card.outputs if output not in set(concepts)]
    if unknown:
        raise ModelError(
            f"{card.name} has outputs that are no concepts of the ontology: {', '.join(unknown[:5])}; "
            "'leadboard concepts' lists them."
        )


def check_training(card: ModelCard, cohorts: Collection[str]) -> None:
    """Refuse a card that names cohorts which do not exist: misspelt, an internal one would be external.

    Raises
    ------
    ModelError
        Naming the first unknown cohorts.
    """
    seen = () if card.trained_on == "undisclosed" else card.trained_on
    unknown = [cohort for cohort in seen if cohort not in cohorts]
    if unknown:
        raise ModelError(
            f"{card.name} says that it was trained on {', '.join(unknown[:5])}, which is no cohort here; "
            "'leadboard cohorts' lists them."
        )


@functools.cache
def code_hash(part: Literal["scores", "metrics"]) -> str:
    """Hash of the suite's own code that decides scores (signal handling) or metrics."""
    root = Path(__file__).resolve().parents[1]
    if part == "scores":
        files = [
            root / name
            for name in (
                "benchmark/harmonise.py",
                "benchmark/inference.py",
                "benchmark/protocols/scorers.py",
                "benchmark/protocols/linear_probe.py",
                "cohorts/recording.py",
            )
        ]
    else:
        files = sorted((root / "benchmark" / "metrics").rglob("*.py"))
        files += sorted((root / "benchmark").glob("cell_*.py"))
        files += [root / "benchmark" / name for name in ("resamples.py", "thresholds.py", "validation.py")]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _hashed(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""Features of recordings, and the linear probes that are fitted to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmark.models.contract import Floats, Model
from benchmark.models.labels import Labels, targets
from benchmark.progress import Callback
from benchmark.protocols.artifacts import WeightsFacts
from benchmark.protocols.embeddings import Embeddings, embed_shard, embed_store, embeddings_key
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.harmonise import PreparedRecords, RecordingSource
from benchmark.protocols.inputs import Inputs
from benchmark.protocols.linear_probe import Probe
from benchmark.protocols.making import Maker
from benchmark.protocols.subsets import labelled
from benchmark.protocols.training import TrainingPlan, load_trained
from cohorts.store import Rows, Store


@dataclass(frozen=True)
class Features:
    """Computes the features of whole cohorts, once each, and fits probes to them.

    They are those of the model that a probe is fitted to, or of the first fit where a model was trained.
    """

    cache: Path
    maker: Maker
    inputs: Inputs

    def of(self, evaluated: EvaluatedModel, store: RecordingSource, progress: Callback) -> Embeddings:
        """Give the features of all recordings of a source; those of a prepared cohort are kept in the cache.

        Raises
        ------
        LeadboardError
            If the model raises or breaks its contract, or something that it needs could not be made.
        """
        if isinstance(store, Store):
            return self._embedded(evaluated, store, _every(store), self._folder(evaluated, store), progress)
        return self.of_some(evaluated, store, _every(store), progress)

    def of_some(
        self, evaluated: EvaluatedModel, store: RecordingSource, rows: Rows, progress: Callback
    ) -> Embeddings:
        """Give the features of the recordings in some rows, which are kept nowhere.

        Raises
        ------
        LeadboardError
            As `of`.
        """
        self._made_for(evaluated)
        with TemporaryDirectory() as folder:
            return self._embedded(evaluated, store, rows, Path(folder), progress).in_memory()

    def shard(self, evaluated: EvaluatedModel, store: Store, start: int) -> None:
        """Compute one shard of the features of a prepared cohort, and keep it where `of` looks for it.

        Raises
        ------
        LeadboardError
            As `of`.
        """
        model, every = self._model_and_records(evaluated, store, _every(store))
        folder, files = self._folder(evaluated, store), evaluated.source.files
        embed_shard(model, every, folder, self.maker.hardware, start, files, evaluated.precision)

    def fit(self, evaluated: EvaluatedModel, fit: TrainingPlan) -> None:
        """Fit a probe, unless that was done.

        Raises
        ------
        LeadboardError
            As `of`.
        """
        self.maker.once(fit.key, lambda: self._fit(evaluated, fit))

    def _fit(self, evaluated: EvaluatedModel, fit: TrainingPlan) -> None:
        if fit.artifact.is_whole():
            return

        def work(_: Path, weights: Path) -> WeightsFacts:
            label = f"Features of {evaluated.card.name} on {fit.store.card.id}"
            with self.maker.reporter.step(label, quiet_without_work=True) as progress:
                embeddings = self.of(evaluated.whole, fit.store, progress)
            training, validation = (_labelled(embeddings, fit, part) for part in ("training", "validation"))
            Probe.fit(*training, *validation, self.maker.hardware.device).save(weights, fit.card)
            return WeightsFacts(card=fit.card, training=fit.training())

        fit.artifact.make(work)

    def _embedded(
        self,
        evaluated: EvaluatedModel,
        store: RecordingSource,
        rows: Rows,
        folder: Path,
        progress: Callback,
    ) -> Embeddings:
        model, records = self._model_and_records(evaluated, store, rows)
        hardware, files = self.maker.hardware, evaluated.source.files
        return embed_store(model, records, folder, hardware, progress, files, evaluated.precision)

    def _model_and_records(
        self, evaluated: EvaluatedModel, store: RecordingSource, rows: Rows
    ) -> tuple[Callable[[], Model], PreparedRecords]:
        """Give what makes the model whose features are asked for, and the recordings in these rows."""
        trained, hardware = _trained(evaluated), self.maker.hardware
        asked_input = evaluated.source.card.input
        records = PreparedRecords(store, rows, asked_input, workers=hardware.workers, inputs=self.inputs)

        def model() -> Model:
            return load_trained(trained, hardware.device)[0] if trained else self.maker.model(evaluated)

        return model, records

    def _folder(self, evaluated: EvaluatedModel, store: Store) -> Path:
        """Name the folder of the features of a cohort."""
        name, weights = evaluated.source.card.name, self._made_for(evaluated)
        if evaluated.precision != "float32":
            weights.append(evaluated.precision)
        key = embeddings_key(" ".join((name, *weights)), evaluated.source.card, store)
        return self.cache / "embeddings" / name / key[:24]

    def _made_for(self, evaluated: EvaluatedModel) -> list[str]:
        """Make the weights that features come from; gives what decides them, with the model's code."""
        source, trained = evaluated.source, _trained(evaluated)
        start = self.maker.start(evaluated.base)
        weights = [source.code_hash, *map(" ".join, source.environment), *start]
        if trained is not None:
            self.maker.train(trained)
            weights.append(trained.key)
        return weights


def _every(store: RecordingSource) -> Rows:
    return np.arange(len(store.index), dtype=np.intp)


def _labelled(embeddings: Embeddings, fit: TrainingPlan, part: str) -> tuple[Floats, Labels]:
    """Features and labels of the records of a fold that a fit is given."""
    rows = labelled(fit.store, part, fit.protocol.percent, fit.seed)
    records = PreparedRecords(fit.store, rows, fit.card.input, fit.concepts)
    return embeddings.first_windows(rows), targets(records, fit.concepts, part)


def _trained(evaluated: EvaluatedModel) -> TrainingPlan | None:
    """Give the fit that features come from, if the whole model was trained."""
    return evaluated.fits[0] if evaluated.fits and evaluated.protocol.kind != "linear-probe" else None

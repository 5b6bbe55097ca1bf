"""From a planned entry to what scores records: makes, once each, whatever it needs first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np

from benchmark.models.contract import AgeTeller, Explainer, Floats, Model, Prompted
from benchmark.models.guard import asked
from benchmark.models.labels import Labels, targets
from benchmark.progress import Callback, Reporter
from benchmark.protocols.artifacts import WeightsFacts
from benchmark.protocols.batches import USUAL, BatchSize
from benchmark.protocols.embeddings import Embeddings, Rows, embed_shard, embed_store, embeddings_key
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords, RecordingSource
from benchmark.protocols.inference import predict, tell_ages
from benchmark.protocols.inputs import Inputs
from benchmark.protocols.linear_probe import Probe
from benchmark.protocols.occlusion import Doubles
from benchmark.protocols.prompts import prompts_of
from benchmark.protocols.published import StartingWeights, build
from benchmark.protocols.saliency import checked_saliency
from benchmark.protocols.shards import Arrays, Shards, shard_starts
from benchmark.protocols.subsets import labelled
from benchmark.protocols.training import TrainingPlan, load_trained, train
from benchmark.records.record import Pretraining
from cohorts.errors import LeadboardError, ModelError
from cohorts.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one cell.

    Attributes
    ----------
    scores
        float32 ``[fits, records, outputs]``; one fit for a model that was not fitted.
    weights_sha256
        Of each fit, or of the weights that were used.
    seconds
        That the scoring took: of a large cohort, the sum over its shards.
    batch_size
        Windows that the model was asked about at once.
    """

    scores: Floats
    weights_sha256: tuple[str, ...]
    seconds: float
    batch_size: int


@dataclass
class Scorer:
    """Makes what entries need (weights, fits, features), each once; what failed is not tried again."""

    cache: Path
    hardware: Hardware
    reporter: Reporter
    inputs: Inputs = field(default_factory=Inputs)
    _failed: dict[str, LeadboardError] = field(default_factory=dict)
    _loaded: tuple[str, Model] | None = None

    def score(
        self,
        evaluated: EvaluatedModel,
        store: RecordingSource,
        rows: Rows,
        progress: Callback,
        shards: Path | None = None,
    ) -> Scores:
        """Score the records in these rows of a prepared cohort, or of another source of recordings.

        Parameters
        ----------
        shards
            Folder for what has been scored so far of a large cohort; its name says what decides the scores.

        Raises
        ------
        LeadboardError
            If the model raises or breaks its contract, or something that it needs could not be made.
        """
        with evaluated.source.asked(self.cache):
            if evaluated.protocol.kind == "linear-probe":
                return self._probe(evaluated, store, rows, progress)
            models, sha = self._models(evaluated)
            starts = shard_starts(len(rows))
            found = list(self._asked(evaluated, models, store, rows, starts, progress, shards))
            scores = np.concatenate([shard["scores"] for shard in found])
            seconds = sum(float(shard["seconds"]) for shard in found)
            each = scores.reshape(len(models), len(rows), scores.shape[1])
            return Scores(each, sha, seconds, int(found[-1]["batch_size"]))

    def score_shard(
        self, evaluated: EvaluatedModel, store: Store, rows: Rows, start: int, shards: Path
    ) -> None:
        """Compute one shard of what `score` needs of a large cohort, and keep it where `score` looks for it.

        The model is a new one: what it remembers of the records before a shard is its own business, and lost.

        Parameters
        ----------
        start
            One of the `starts`.
        shards
            As for `score`.

        Raises
        ------
        LeadboardError
            As `score`.
        """
        with evaluated.source.asked(self.cache):
            if evaluated.protocol.kind == "linear-probe":
                model, every = self._to_embed(evaluated, store)
                folder = self._features_of(evaluated, store)
                embed_shard(model, every, folder, self.hardware, start, evaluated.source.files)
                return
            models, _ = self._models(evaluated)
            for _ in self._asked(evaluated, models, store, rows, (start,), lambda done, of: None, shards):
                pass

    @staticmethod
    def starts(evaluated: EvaluatedModel, store: Store, rows: Rows) -> range:
        """Give the first records of the shards in which `score` goes through a cohort.

        A probe needs the features of all records.
        """
        return shard_starts(len(store) if evaluated.protocol.kind == "linear-probe" else len(rows))

    def make(self, evaluated: EvaluatedModel) -> None:
        """Make what a model learns before it is asked, if that is not there yet.

        Raises
        ------
        LeadboardError
            If it could not be made.
        """
        with evaluated.source.asked(self.cache):
            self._make_base(evaluated.base)
            for fit in evaluated.fits:
                if evaluated.protocol.kind == "linear-probe":
                    self._once(fit.key, lambda fit=fit: self._fit_probe(evaluated, fit))  # type: ignore[misc]
                else:
                    self._once(fit.key, lambda fit=fit: self._train(fit))  # type: ignore[misc]

    def saliency(
        self, evaluated: EvaluatedModel, store: RecordingSource, position: int, concept: str
    ) -> Doubles | None:
        """Let a model say itself what speaks for a concept in one recording; None where it cannot.

        Returns
        -------
        float64 ``[windows, leads, samples]``, the mean over the fits.

        Raises
        ------
        ModelError
            As `score`.
        """
        if evaluated.protocol.kind == "linear-probe" or "Explainer" not in evaluated.source.abilities:
            return None
        name = evaluated.card.name
        with evaluated.source.asked(self.cache):
            records = PreparedRecords(store, np.array([position]), evaluated.card.input)
            chosen = self.hardware.batch_size
            size = USUAL if chosen == "auto" else chosen
            batches = [batch for batch, _ in records.window_batches(size)]
            found = []
            for model in self._models(evaluated)[0]:
                if not isinstance(model, Explainer):
                    raise ModelError(f"{name} has no 'explain'.")
                for batch in batches:
                    ask = functools.partial(model.explain, batch, concept)
                    answer = asked(f"{name}.explain", model, ask, self.hardware.deadline)
                    found.append(checked_saliency(answer, batch, name))
        windows = np.concatenate(found).reshape(len(found) // len(batches), -1, *found[0].shape[1:])
        mean: Doubles = windows.mean(axis=0)
        return mean

    def ages(self, evaluated: EvaluatedModel, store: RecordingSource, rows: Rows) -> Floats | None:
        """Give the age that records look like to a model as it comes, float32 ``[records]``, or None.

        A model that the suite has trained tells none: what it has learnt is other than age.

        Raises
        ------
        ModelError
            As `score`.
        """
        fitted = evaluated.fits and evaluated.protocol.kind != "linear-probe"
        if fitted or "AgeTeller" not in evaluated.source.abilities:
            return None
        with evaluated.source.asked(self.cache):
            model = self._model(evaluated)
            if not isinstance(model, AgeTeller):
                raise ModelError(f"{evaluated.card.name} has no 'ages'.")
            records = PreparedRecords(
                store, rows, evaluated.source.card.input, workers=self.hardware.workers, inputs=self.inputs
            )
            return tell_ages(model, evaluated.card.name, records, self.hardware)

    def _models(self, evaluated: EvaluatedModel) -> tuple[list[Model], tuple[str, ...]]:
        """Make or load what is to be asked, one model for each fit, and the hashes of the weights."""
        if not evaluated.fits:
            sha = self._make_base(evaluated.base)
            model = self._model(evaluated)
            if evaluated.protocol.kind == "zero-shot":
                self._tell(evaluated, model)
            return [model], sha
        models, hashes = [], []
        for fit in evaluated.fits:
            self._once(fit.key, lambda fit=fit: self._train(fit))  # type: ignore[misc]
            model, sha256 = load_trained(fit, self.hardware.device)
            models.append(model)
            hashes.append(sha256)
        return models, tuple(hashes)

    def _tell(self, evaluated: EvaluatedModel, model: Model) -> None:
        """Tell a prompted model what to look for."""
        if not isinstance(model, Prompted):
            raise ModelError(f"{evaluated.card.name} has no 'set_concepts'.")
        prompts = prompts_of(evaluated.card.outputs)
        tell = functools.partial(model.set_concepts, prompts)
        asked(f"{evaluated.card.name}.set_concepts", model, tell, self.hardware.deadline)

    def _asked(
        self,
        evaluated: EvaluatedModel,
        models: Sequence[Model],
        store: RecordingSource,
        rows: Rows,
        starts: Iterable[int],
        progress: Callback,
        folder: Path | None,
    ) -> Iterator[Arrays]:
        """Ask one model after the other for these shards."""
        records = PreparedRecords(
            store, rows, evaluated.card.input, workers=self.hardware.workers, inputs=self.inputs
        )
        size = BatchSize(self.hardware, models[0])
        for number, model in enumerate(models):

            def compute(part: PreparedRecords, tell: Callback, model: Model = model) -> Arrays:
                scores = predict(model, evaluated.card, part, self.hardware, tell, size)
                return {"scores": scores, "batch_size": np.array(size.used)}

            shards = Shards(folder and folder / str(number), evaluated.source.files)
            for start in starts:
                yield shards.shard(records, start, compute, progress)

    def _probe(
        self, evaluated: EvaluatedModel, store: RecordingSource, rows: Rows, progress: Callback
    ) -> Scores:
        scores, hashes = [], []
        for fit in evaluated.fits:
            self._once(fit.key, lambda fit=fit: self._fit_probe(evaluated, fit))  # type: ignore[misc]
            _, sha256 = fit.artifact.read()
            hashes.append(sha256)
        embeddings = self.embeddings(evaluated, store, progress)
        for fit in evaluated.fits:
            probe = Probe.load(fit.artifact.weights, evaluated.card)
            scores.append(probe.scores(embeddings, rows))
        return Scores(np.stack(scores), tuple(hashes), embeddings.share(rows), embeddings.batch_size)

    def _fit_probe(self, evaluated: EvaluatedModel, fit: TrainingPlan) -> None:
        if fit.artifact.is_whole():
            return

        def work(_: Path, weights: Path) -> WeightsFacts:
            with self.reporter.step(
                f"Features of {evaluated.card.name} on {fit.store.card.id}", quiet_without_work=True
            ) as progress:
                embeddings = self.embeddings(evaluated, fit.store, progress)
            training, validation = (
                self._labelled(embeddings, fit, part) for part in ("training", "validation")
            )
            Probe.fit(*training, *validation, self.hardware.device).save(weights, fit.card)
            return WeightsFacts(card=fit.card, training=fit.training())

        fit.artifact.make(work)

    @staticmethod
    def _labelled(embeddings: Embeddings, fit: TrainingPlan, part: str) -> tuple[Floats, Labels]:
        """Features and labels of the records of a fold that a fit is given."""
        rows = labelled(fit.store, part, fit.protocol.percent, fit.seed)
        records = PreparedRecords(fit.store, rows, fit.card.input, fit.concepts)
        return embeddings.first_windows(rows), targets(records, fit.concepts, part)

    def embeddings(self, evaluated: EvaluatedModel, store: RecordingSource, progress: Callback) -> Embeddings:
        """Features of all recordings of a source; those of a prepared cohort are kept in the cache.

        They are those of the model that a probe is fitted to, or of the first fit where one was trained.
        """
        model, every = self._to_embed(evaluated, store)

        def embed(folder: Path) -> Embeddings:
            return embed_store(model, every, folder, self.hardware, progress, evaluated.source.files)

        if isinstance(store, Store):
            return embed(self._features_of(evaluated, store))
        self._made_for(evaluated)
        with TemporaryDirectory() as folder:
            return embed(Path(folder)).in_memory()

    def _to_embed(
        self, evaluated: EvaluatedModel, store: RecordingSource
    ) -> tuple[Callable[[], Model], PreparedRecords]:
        """Give what makes the model whose features are asked for, and all recordings."""
        trained = _trained(evaluated)
        every = PreparedRecords(
            store,
            np.arange(len(store.index)),
            evaluated.source.card.input,
            workers=self.hardware.workers,
            inputs=self.inputs,
        )

        def model() -> Model:
            return load_trained(trained, self.hardware.device)[0] if trained else self._model(evaluated)

        return model, every

    def _features_of(self, evaluated: EvaluatedModel, store: Store) -> Path:
        """Name the folder of the features of a cohort."""
        name, weights = evaluated.source.card.name, self._made_for(evaluated)
        key = embeddings_key(" ".join((name, *weights)), evaluated.source.card, store)
        return self.cache / "embeddings" / name / key[:24]

    def _made_for(self, evaluated: EvaluatedModel) -> list[str]:
        """Make the weights that features come from; gives what decides them, with the model's code."""
        source, trained = evaluated.source, _trained(evaluated)
        weights = [source.code_hash, *map(" ".join, source.environment), *self._make_base(evaluated.base)]
        if trained is not None:
            self._once(trained.key, lambda: self._train(trained))
            weights.append(trained.key)
        return weights

    def _make_base(self, base: StartingWeights | None) -> tuple[str, ...]:
        """Make the weights that a model starts from, and give their hash."""
        if base is None:
            return ()
        self._once(base.key, lambda: self._make(base))
        return (base.artifact.read()[1],)

    def _model(self, evaluated: EvaluatedModel) -> Model:
        """Give the model with its starting weights; the one that was asked for last stays in memory."""
        key = " ".join(
            (evaluated.source.spec, evaluated.source.code_hash, evaluated.base.key if evaluated.base else "")
        )
        if self._loaded is None or self._loaded[0] != key:
            self._loaded = None
            model = self._once(
                f"load {key}", lambda: build(evaluated.source, evaluated.base, self.hardware.device)
            )
            self._loaded = key, model
        return self._loaded[1]

    def _make(self, base: StartingWeights) -> None:
        if base.made_here and not base.artifact.is_whole():
            with self.reporter.step(base.label):
                base.make(self.hardware.device, self.hardware.workers)

    def _train(self, plan: TrainingPlan) -> None:
        self._make_base(plan.base)
        if not plan.artifact.is_whole():
            with self.reporter.step(plan.label):
                train(plan, self.hardware.device, self.hardware.workers)

    def _once(self, key: str, work: Callable[[], T]) -> T:
        """Do something, or raise what went wrong the first time."""
        if key in self._failed:
            raise self._failed[key]
        try:
            return work()
        except LeadboardError as error:
            self._failed[key] = error
            raise


def _trained(evaluated: EvaluatedModel) -> TrainingPlan | None:
    """Give the fit that features come from, if the whole model was trained."""
    return evaluated.fits[0] if evaluated.fits and evaluated.protocol.kind != "linear-probe" else None


def pretraining_of(evaluated: EvaluatedModel) -> Pretraining | None:
    """Say how the suite pre-trained a model, once it did."""
    return evaluated.base.artifact.read()[0].pretraining if evaluated.base else None

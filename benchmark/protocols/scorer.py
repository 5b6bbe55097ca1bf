"""From a planned entry to scores of records."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmark.models.contract import AgeTeller, Explainer, Floats, Model
from benchmark.models.guard import asked
from benchmark.models.model_files import Origin
from benchmark.progress import Callback, Reporter
from benchmark.protocols.batches import USUAL, BatchSize
from benchmark.protocols.embeddings import Embeddings, Rows
from benchmark.protocols.evaluated import EvaluatedModel
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import PreparedRecords, RecordingSource
from benchmark.protocols.inference import predict, tell_ages
from benchmark.protocols.inputs import Inputs
from benchmark.protocols.linear_probe import Probe
from benchmark.protocols.making import Maker
from benchmark.protocols.occlusion import Doubles
from benchmark.protocols.precision import compared_rows, rounding_of
from benchmark.protocols.probing import Features
from benchmark.protocols.saliency import checked_saliency
from benchmark.protocols.shards import Arrays, Shards, shard_starts
from benchmark.records.record import Pretraining, Rounding
from cohorts.errors import ModelError
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
    """Scores records by what an entry is: a model as it comes, fits of it, or probes of its features."""

    cache: Path
    hardware: Hardware
    reporter: Reporter
    inputs: Inputs = field(default_factory=Inputs)
    maker: Maker = field(init=False)
    features: Features = field(init=False)

    def __post_init__(self) -> None:
        self.maker = Maker(self.hardware, self.reporter)
        self.features = Features(self.cache, self.maker, self.inputs)

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
            models, sha = self.maker.models(evaluated)
            starts = shard_starts(len(rows))
            found = list(self._asked(evaluated, models, store, rows, starts, progress, shards))
            scores = np.concatenate([shard["scores"] for shard in found])
            seconds = sum(float(shard["seconds"]) for shard in found)
            each = scores.reshape(len(models), len(rows), scores.shape[1])
            return Scores(each, sha, seconds, int(found[-1]["batch_size"]))

    def rounding(
        self, evaluated: EvaluatedModel, store: RecordingSource, rows: Rows, scores: Floats
    ) -> Rounding | None:
        """Say how far scores of lower precision lie from those in float32, by scoring some records again.

        Parameters
        ----------
        rows, scores
            Of `score`: float32 ``[fits, records, outputs]``.

        Returns
        -------
        None for a model that was asked in float32.

        Raises
        ------
        LeadboardError
            As `score`.
        """
        if evaluated.precision == "float32":
            return None
        some, whole = compared_rows(rows), evaluated.whole
        if evaluated.protocol.kind == "linear-probe":
            with evaluated.source.asked(self.cache):
                embeddings = self.features.of_some(whole, store, rows[some], _nobody)
            return rounding_of(scores[:, some], _probed(whole, embeddings, np.arange(len(some))))
        return rounding_of(scores[:, some], self.score(whole, store, rows[some], _nobody).scores)

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
                self.features.shard(evaluated, store, start)
                return
            models, _ = self.maker.models(evaluated)
            for _ in self._asked(evaluated, models, store, rows, (start,), _nobody, shards):
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
            self.maker.start(evaluated.base)
            for fit in evaluated.fits:
                if evaluated.protocol.kind == "linear-probe":
                    self.features.fit(evaluated, fit)
                else:
                    self.maker.train(fit)

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
            for model in self.maker.models(evaluated)[0]:
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
            model = self.maker.model(evaluated)
            if not isinstance(model, AgeTeller):
                raise ModelError(f"{evaluated.card.name} has no 'ages'.")
            records = PreparedRecords(
                store, rows, evaluated.source.card.input, workers=self.hardware.workers, inputs=self.inputs
            )
            return tell_ages(model, evaluated.card.name, records, self.hardware)

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
                scores = predict(model, evaluated.card, part, self.hardware, tell, size, evaluated.precision)
                return {"scores": scores, "batch_size": np.array(size.used)}

            shards = Shards(folder and folder / str(number), evaluated.source.files)
            for start in starts:
                yield shards.shard(records, start, compute, progress)

    def _probe(
        self, evaluated: EvaluatedModel, store: RecordingSource, rows: Rows, progress: Callback
    ) -> Scores:
        hashes = []
        for fit in evaluated.fits:
            self.features.fit(evaluated, fit)
            _, sha256 = fit.artifact.read()
            hashes.append(sha256)
        embeddings = self.features.of(evaluated, store, progress)
        scores = _probed(evaluated, embeddings, rows)
        return Scores(scores, tuple(hashes), embeddings.share(rows), embeddings.batch_size)


def _nobody(done: int, of: int) -> None:
    """Tell the progress to nobody."""


def _probed(evaluated: EvaluatedModel, embeddings: Embeddings, rows: Rows) -> Floats:
    """Ask every probe about the features of some recordings: float32 ``[fits, records, outputs]``."""
    probes = [Probe.load(fit.artifact.weights, evaluated.card) for fit in evaluated.fits]
    return np.stack([probe.scores(embeddings, rows) for probe in probes])


def pretraining_of(evaluated: EvaluatedModel) -> Pretraining | None:
    """Say how the suite pre-trained a model, once it did."""
    return evaluated.base.artifact.read()[0].pretraining if evaluated.base else None


def origin_of(evaluated: EvaluatedModel) -> Origin:
    """Say what a model is before it learns anything for a cell."""
    base = evaluated.base
    return Origin(
        code=evaluated.source.code_hash, weights=None if base is None or base.made_here else base.key
    )

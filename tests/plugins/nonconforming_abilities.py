"""Models that learn, encode or bring weights, and break the contract there, each in one way."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from nonconforming import CARD, Right


class Spectrum(Right):
    """Ridge regression on log powers of lead II: right, and it learns."""

    def __init__(self):
        self.card = {**CARD, "name": "spectrum", "outputs": []}
        self.weights = np.zeros((0, 0))

    def features(self, batch):
        powers = np.square(np.abs(np.fft.rfft(batch.signals[:, 0], axis=1)))[:, 1:161]
        bands = powers.reshape(len(powers), 40, 4).sum(axis=2)
        return np.column_stack([np.log(bands + 1), np.ones(len(powers))])

    def learnt(self, labels):
        return labels

    def ridge(self, features, labels):
        return np.linalg.solve(features.T @ features + 10 * np.eye(features.shape[1]), features.T @ labels)

    def fit(self, training, validation, settings):
        features = self.features(training.batch(range(len(training))))
        labels = self.learnt(training.labels[list(settings.concepts)].to_numpy(float))
        self.weights = np.column_stack([self.ridge(features[y >= 0], y[y >= 0]) for y in labels.T])
        self.card = {**self.card, "outputs": list(settings.concepts)}

    def predict(self, batch):
        return self.features(batch) @ self.weights

    def save(self, folder: Path):
        content = {"outputs": self.card["outputs"], "weights": self.weights.tolist()}
        (folder / "model.json").write_text(json.dumps(content))

    def load(self, folder: Path):
        content = json.loads((folder / "model.json").read_text())
        self.weights = np.array(content["weights"])
        self.card = {**self.card, "outputs": content["outputs"]}


class Alphabetical(Spectrum):
    """Learns the columns in the order of the alphabet, and names them in the order asked for."""

    def fit(self, training, validation, settings):
        super().fit(training, validation, settings)
        self.weights = self.weights[:, np.argsort(settings.concepts)]


class SkipsUndefined(Spectrum):
    """Moves all columns that it could learn to the front."""

    def fit(self, training, validation, settings):
        super().fit(training, validation, settings)
        varies = training.labels[list(settings.concepts)].max().to_numpy() == 1
        self.weights = self.weights[:, np.argsort(~varies, kind="stable")]


class UpsideDown(Spectrum):
    def predict(self, batch):
        return -super().predict(batch)


class RefusesGaps(Spectrum):
    def learnt(self, labels):
        assert set(np.unique(labels)) <= {0, 1}, "labels have to be 0 or 1"
        return labels


class CannotLearn(Spectrum):
    def learnt(self, labels):
        raise RuntimeError("out of memory")


class SortsItsOutputs(Spectrum):
    def fit(self, training, validation, settings):
        super().fit(training, validation, settings)
        self.card = {**self.card, "outputs": sorted(settings.concepts)}


class Renamed(Spectrum):
    def fit(self, training, validation, settings):
        super().fit(training, validation, settings)
        self.card = {**self.card, "name": "spectrum-fitted"}


class ForgetsOnSave(Spectrum):
    """Keeps the scaling of its scores out of what it saves."""

    scale = 1.0

    def fit(self, training, validation, settings):
        super().fit(training, validation, settings)
        self.scale = 3.0

    def predict(self, batch):
        return super().predict(batch) * self.scale


class ForgetsItsOutputs(Spectrum):
    def load(self, folder):
        super().load(folder)
        self.card = {**self.card, "outputs": self.card["outputs"][::-1]}


class RemembersWhere(Spectrum):
    """Saves where its weights are, not the weights."""

    def save(self, folder):
        super().save(folder)
        (folder / "where.txt").write_text(str(folder / "model.json"))

    def load(self, folder):
        super().load(Path((folder / "where.txt").read_text()).parent)


class Encodes(Right):
    """Features and nothing else."""

    def __init__(self):
        self.card = {**CARD, "outputs": []}

    def predict(self, batch):
        raise AssertionError("features only")

    def embed(self, batch):
        return batch.signals[:, :, ::10].reshape(len(batch), -1)


class EncodesBatches(Encodes):
    def embed(self, batch):
        features = Encodes.embed(self, batch)
        return features - features.mean(axis=0)


class EncodesBatchesBeside(Right):
    """Right scores, wrong features."""

    def embed(self, batch):
        return EncodesBatches.embed(self, batch)


class EncodesCounts(Encodes):
    def embed(self, batch):
        return super().embed(batch).astype(int)


class Brought(Right):
    """Takes published weights: a file with one number."""

    scale = 1.0

    def convert(self, file, folder):
        scale = float(Path(file).read_text())
        (folder / "scale.txt").write_text(str(scale))
        return f"One number, {scale:g}."

    def load(self, folder):
        self.scale = float((folder / "scale.txt").read_text())

    def predict(self, batch):
        return super().predict(batch) * self.scale


class TakesAnything(Brought):
    def convert(self, file, folder):
        (folder / "scale.txt").write_text("1")
        return "One number."

"""Models that learn, for tests of a worker: what they need is NumPy, and pandas for the labels."""

import os
import signal
import time

import numpy as np


class Nearest:
    """Scores by the distances of the leads' spread to the mean of the positives and of the negatives.

    It reads the records as a network would: epochs of shuffled batches, whose order leaves a trace in the
    weights.
    """

    protocols = ("as-is",)

    def __init__(self, device="cpu"):
        self.device = device
        self.card = {
            "name": "nearest",
            "outputs": [],
            "trained_on": [],
            "input": {"sampling_rate": 100, "seconds": 5, "leads": ["II", "V1", "V5"]},
        }

    def _features(self, batch):
        ages = np.nan_to_num(batch.age, nan=50.0)[:, None] / 100
        women = (batch.sex == "female")[:, None].astype(np.float32)
        return np.hstack([np.log(batch.signals.std(axis=2) + 0.01), ages, women]).astype(np.float32)

    def fit(self, training, validation, settings):
        rng = np.random.default_rng(settings.seed)
        labels = training.labels[list(settings.concepts)].to_numpy()
        centre = np.concatenate([self._features(batch) for batch in training.batches(7)]).mean(axis=0)
        weights = np.zeros((len(settings.concepts), centre.shape[0]), np.float32)
        for _ in range(2):
            order = rng.permutation(len(training))
            for rows in np.array_split(order, max(1, len(order) // 5)):
                features = self._features(training.batch(rows)) - centre
                for column in range(len(weights)):
                    known = labels[rows, column] >= 0
                    towards = np.where(labels[rows, column] == 1, 1, -1)[known]
                    weights[column] += np.float32(0.1) * (towards[:, None] * features[known]).sum(axis=0)
        checked = self._features(validation.batch(range(len(validation))))
        found = sorted(path.name for path in settings.folder.iterdir())
        (settings.folder / "note.txt").write_text(f"{len(checked)} {found}")
        print("learnt")
        self.centre, self.weights = centre, weights
        self.card = {**self.card, "outputs": list(settings.concepts)}

    def predict(self, batch):
        return (self._features(batch) - self.centre) @ self.weights.T

    def save(self, folder):
        outputs = np.array(self.card["outputs"])
        np.savez(folder / "weights.npz", outputs=outputs, centre=self.centre, weights=self.weights)

    def load(self, folder):
        with np.load(folder / "weights.npz", allow_pickle=False) as weights:
            self.centre, self.weights = weights["centre"], weights["weights"]
            self.card = {**self.card, "outputs": weights["outputs"].tolist()}


class _Named(Nearest):
    def __init__(self, device="cpu"):
        super().__init__(device)
        self.card = {**self.card, "name": type(self).__name__.lower()}


class KilledInFit(_Named):
    def fit(self, training, validation, settings):
        os.kill(os.getpid(), signal.SIGKILL)


class RaisesInFit(_Named):
    def fit(self, training, validation, settings):
        raise RuntimeError("loss is NaN")


class HangsInFit(_Named):
    def fit(self, training, validation, settings):
        print("epoch 1 of 3")
        time.sleep(1000)


class AllocatesInFit(_Named):
    def fit(self, training, validation, settings):
        np.ones(10 * 2**30, dtype=np.uint8)


class DiesOnceAsked(_Named):
    """Dies with its first batch after a fit, and answers after it was loaded."""

    def fit(self, training, validation, settings):
        super().fit(training, validation, settings)
        self.fragile = True

    def predict(self, batch):
        if getattr(self, "fragile", False):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(batch)


class Forks(_Named):
    """Reads its records in processes of its own: forks, and such as are started anew."""

    def fit(self, training, validation, settings):
        import multiprocessing

        for method in ("fork", "spawn"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                parts = pool.map(training.batch, [range(0, 5), range(5, 10)])
            whole = training.batch(range(10)).signals
            np.testing.assert_array_equal(np.concatenate([part.signals for part in parts]), whole)
        super().fit(training, validation, settings)

"""Models that break the contract in ways that leave plausible scores behind, each in one way."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np

CARD = {
    "name": "nonconforming",
    "outputs": ["AF", "LVH"],
    "trained_on": [],
    "input": {"sampling_rate": 100, "seconds": 5, "leads": ["II", "V1"]},
}


class Right:
    """What the others would be."""

    def __init__(self):
        self.card = dict(CARD)

    def predict(self, batch):
        return batch.signals.std(axis=2)


class UnknownCohort(Right):
    def __init__(self):
        self.card = {**CARD, "trained_on": ["ptbxl"]}


class UnknownConcept(Right):
    def __init__(self):
        self.card = {**CARD, "outputs": ["AF", "GOUT"]}


class AnotherCardEachTime(Right):
    made = 0

    def __init__(self):
        type(self).made += 1
        self.card = {**CARD, "version": str(self.made)}


class AnotherCardEachLook(Right):
    looks = 0

    def __init__(self):
        pass

    @property
    def card(self):
        self.looks += 1
        return {**CARD, "outputs": ["AF", "LVH"] if self.looks % 2 else ["LVH", "AF"]}


class Noisy(Right):
    """Dropout that is left on."""

    def predict(self, batch):
        return super().predict(batch) * np.random.default_rng().integers(0, 2, (len(batch), 1))


class Remembers(Right):
    """Gives the scores of the batch before."""

    before = None

    def predict(self, batch):
        answer, self.before = self.before, super().predict(batch)
        return self.before if answer is None or answer.shape != self.before.shape else answer


class Drifts(Right):
    """Standardises by a running mean over all batches, but not by the batch that it is asked about twice."""

    def __init__(self):
        super().__init__()
        self.seen: dict[bytes, np.ndarray] = {}

    def predict(self, batch):
        answer = super().predict(batch)
        self.seen.setdefault(answer.tobytes(), answer.mean(axis=0))
        return answer - np.mean(list(self.seen.values()), axis=0)


class OrderDependent(Right):
    """Subtracts what it saw in the records before."""

    def predict(self, batch):
        size = super().predict(batch)
        return size - np.cumsum(size, axis=0) / np.arange(1, len(size) + 1)[:, None]


class BatchDependent(Right):
    """Standardises each batch by its own mean and spread."""

    def predict(self, batch):
        size = super().predict(batch)
        return (size - size.mean(axis=0)) / (size.std(axis=0) + 1e-3)


class InTrainingMode(Right):
    """A network of torch for which nobody has called eval."""

    def __init__(self):
        import torch

        super().__init__()
        self.network = torch.nn.BatchNorm1d(2)

    def predict(self, batch):
        import torch

        with torch.inference_mode():
            return self.network(torch.from_numpy(batch.signals)).std(dim=2)


class InTrainingModeOnRows(InTrainingMode):
    """One that normalises a single number of each lead, of which one record has too few."""

    def predict(self, batch):
        import torch

        with torch.inference_mode():
            return self.network(torch.from_numpy(super(InTrainingMode, self).predict(batch)))


class SizeDependent(Right):
    """Scores a small batch otherwise than a full one."""

    def predict(self, batch):
        return super().predict(batch) * (1.001 if len(batch) < 16 else 1.0)


class Squeezes(Right):
    def predict(self, batch):
        return super().predict(batch).squeeze()


class NewWeights(Right):
    def __init__(self):
        super().__init__()
        self.weights = np.random.default_rng().normal(size=(2, 2))

    def predict(self, batch):
        return super().predict(batch) @ self.weights


class Mutating(Right):
    def predict(self, batch):
        np.subtract(batch.signals, batch.signals.mean(axis=2, keepdims=True), out=batch.signals)
        return super().predict(batch)


class MutatingAges(Right):
    def predict(self, batch):
        batch.age[:] = 0
        return super().predict(batch)


class ChangesTheFolder(Right):
    """Works among its own files, and everybody with it."""

    def __init__(self):
        super().__init__()
        os.chdir(Path(__file__).parent)


class ChangesTheType(Right):
    def predict(self, batch):
        import torch

        torch.set_default_dtype(torch.float64)
        return super().predict(batch)


class MovedInput(Right):
    """Asks for something else once it was asked."""

    def predict(self, batch):
        self.card = {**CARD, "input": {**CARD["input"], "sampling_rate": 250}}
        return super().predict(batch)


class FullLengthOnly(Right):
    """Takes no record that ends before its window does."""

    def predict(self, batch):
        ends = batch.signals[:, :, -1].any(axis=1)
        assert ends.all() or not batch.signals.any(), "the record is too short"
        return super().predict(batch)


class Logits(Right):
    def __init__(self):
        self.card = {**CARD, "probabilities": True}

    def predict(self, batch):
        return np.log(super().predict(batch) + 1e-3)


class ProbabilitiesOfTheUsual(Right):
    """Probabilities only as long as no amplitude is unusual."""

    def __init__(self):
        self.card = {**CARD, "probabilities": True}

    def predict(self, batch):
        return super().predict(batch) / 5


class DividesBySpread(Right):
    def predict(self, batch):
        with np.errstate(invalid="ignore", divide="ignore"):
            standardised = batch.signals / batch.signals.std(axis=2, keepdims=True)
        return standardised.max(axis=2)


class HalfPrecision(Right):
    def predict(self, batch):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.square(batch.signals.astype(np.float16)).mean(axis=2)


class NeedsAge(Right):
    def predict(self, batch):
        return super().predict(batch) * batch.age[:, None]


class NeedsSex(Right):
    def predict(self, batch):
        return super().predict(batch) * [[{"female": 1, "male": 2}[str(sex)]] for sex in batch.sex]


class KeepsBatches(Right):
    def __init__(self):
        super().__init__()
        self.kept = []

    def predict(self, batch):
        self.kept.append(batch.signals[:, 0])
        return super().predict(batch)


class Grows(Right):
    def __init__(self):
        super().__init__()
        self.kept = []

    def predict(self, batch):
        page = mmap.mmap(-1, 3_200_000)  # memory that nobody has given back before
        page.write(b"1" * len(page))
        self.kept.append(page)
        return super().predict(batch)


class Told(Right):
    """Prompted: the length of a description decides which lead counts how much."""

    def __init__(self):
        self.card = {**CARD, "outputs": "any"}
        self.prompts: dict[str, tuple[str, ...]] = {}

    def set_concepts(self, prompts):
        self.prompts = dict(prompts)

    def predict(self, batch):
        lengths = np.array([len(texts[0]) for texts in self.prompts.values()], float)
        return super().predict(batch) @ np.stack([lengths, np.square(lengths) / 50])


class ToldInTheAlphabet(Told):
    def set_concepts(self, prompts):
        self.prompts = dict(sorted(prompts.items()))


class ToldTogether(Told):
    """Concepts compete with each other."""

    def predict(self, batch):
        scores = super().predict(batch) / 10
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)


class ToldMore(Told):
    """Adds what it is told to what it was told before."""

    def set_concepts(self, prompts):
        self.prompts |= prompts


class Pretrains(Told):
    """Pre-trained on pairs, and small."""

    multilingual = False
    small = True
    scale = 0.0

    def pretrain(self, training, validation, settings):
        self.scale = float(sum(len(said) for pairs in training for said in pairs.sentences))

    def predict(self, batch):
        return super().predict(batch) * self.scale

    def save(self, folder):
        (folder / "scale.txt").write_text(str(self.scale))

    def load(self, folder):
        self.scale = float((folder / "scale.txt").read_text())


class ForgetsItsPretraining(Pretrains):
    def load(self, folder):
        super().load(folder)
        self.scale = 1.0


class CannotPretrain(Pretrains):
    def pretrain(self, training, validation, settings):
        raise RuntimeError("no reports")

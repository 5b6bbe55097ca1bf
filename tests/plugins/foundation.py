"""A model with every ability, small enough to follow by hand: its features are the sizes of a 7 Hz wave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


class Foundation:
    """Pre-training learns whether words about fibrillation come with a large wave."""

    multilingual = False
    small = True

    def __init__(self) -> None:
        self.card = {
            "name": "foundation",
            "outputs": "any",
            "trained_on": [],
            "input": {"sampling_rate": 100, "seconds": 4, "leads": ["II", "V1", "V5"]},
        }
        self.slope = 0.0
        self.head: list[list[float]] = []
        self.prompts: dict[str, tuple[str, ...]] = {}

    def embed(self, batch):
        size = batch.signals.std(axis=2)
        return np.column_stack([size, size**2]).astype(np.float32)

    def pretrain(self, training, validation, settings):
        self.seen = [said for pairs in (*training, *validation) for said in pairs.sentences]
        (settings.folder / "seen.json").write_text(json.dumps(self.seen))
        sizes = np.concatenate([self.embed(pairs.batch(range(len(pairs))))[:, 0] for pairs in training])
        sick = np.array([any("fibrillation" in s for s in said) for p in training for said in p.sentences])
        self.slope = float(sizes[sick].mean() - sizes[~sick].mean()) if sick.any() else 0.0

    def set_concepts(self, prompts):
        self.prompts = dict(prompts)

    def fit(self, training, validation, settings):
        features = self.embed(training.batch(range(len(training))))
        self.head = []
        for concept in settings.concepts:
            positive = training.labels[concept].to_numpy() == 1
            defined = positive.any() and not positive.all()
            apart = features[positive].mean(0) - features[~positive].mean(0) if defined else np.zeros(6)
            self.head.append([float(value) for value in apart])
        self.card = {**self.card, "outputs": list(settings.concepts)}

    def predict(self, batch):
        features = self.embed(batch)
        if self.head:
            return features @ np.array(self.head).T
        signs = [any("fibrillation" in text for text in texts) for texts in self.prompts.values()]
        return features[:, :1] * self.slope * np.array(signs)

    def save(self, folder: Path):
        content = {"slope": self.slope, "head": self.head, "outputs": self.card["outputs"]}
        (Path(folder) / "model.json").write_text(json.dumps({**content, "seen": getattr(self, "seen", [])}))

    def load(self, folder: Path):
        content = json.loads((Path(folder) / "model.json").read_text())
        self.slope, self.head = content["slope"], content["head"]
        self.card = {**self.card, "outputs": content["outputs"]}


class Untrained(Foundation):
    """The same without pre-training."""

    pretrain = None

    def __init__(self) -> None:
        super().__init__()
        self.card = {**self.card, "name": "untrained"}


class Brought(Foundation):
    """The same with published weights only: it is never pre-trained by a run."""

    small = False

    def __init__(self) -> None:
        super().__init__()
        self.card = {**self.card, "name": "brought"}

    def convert(self, file, folder):
        values = json.loads(Path(file).read_text())
        if list(values) != ["slope"]:
            raise ValueError(f"the file holds {', '.join(values)} instead of slope")
        self.slope = values["slope"]
        self.save(folder)
        return "One slope."


class Adjusted(Foundation):
    """The same with a recipe: how much of a slope is believed."""

    small = False

    def __init__(self) -> None:
        super().__init__()
        self.card = {**self.card, "name": "adjusted"}

    def complete_recipe(self, given):
        if set(given) - {"belief"}:
            raise ValueError(f"no {', '.join(given)} here, only belief")
        return {"belief": 1.0, **given}

    def pretrain(self, training, validation, settings):
        super().pretrain(training, validation, settings)
        self.slope *= settings.recipe["belief"]

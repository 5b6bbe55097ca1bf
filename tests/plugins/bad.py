"""Models that break the contract, each in one way."""

import numpy as np

CARD = {"name": "bad", "outputs": ["AF", "LVH"], "trained_on": []}


class WrongShape:
    card = CARD

    def predict(self, batch):
        return np.zeros((len(batch.signals), 3))


class Nan:
    card = CARD

    def predict(self, batch):
        return np.full((len(batch.signals), 2), np.nan)


class Text:
    card = CARD

    def predict(self, batch):
        return np.full((len(batch.signals), 2), "0.5")


class Raises:
    card = CARD

    def predict(self, batch):
        raise ZeroDivisionError("weights divided by nothing\nand more")


class Exits:
    card = CARD

    def predict(self, batch):
        raise SystemExit(3)


class NoCard:
    def predict(self, batch):
        return None


class BadCard:
    card = {"name": "no spaces please", "outputs": ["AF"], "trained_on": []}

    def predict(self, batch):
        return None


class UnknownOutput:
    card = {"name": "bad", "outputs": ["AF", "GOUT"], "trained_on": []}

    def predict(self, batch):
        return np.zeros((len(batch.signals), 2))


class RaisesOnBuild:
    card = CARD

    def __init__(self):
        raise OSError("weights.bin is missing")

    def predict(self, batch):
        return None

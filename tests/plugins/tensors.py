"""Models that answer with tensors as their networks leave them."""

from itertools import cycle

import torch

CARD = {"outputs": ["AF", "LVH"], "trained_on": []}


class RequiresGrad:
    card = {**CARD, "name": "requiresgrad"}

    def predict(self, batch):
        signals = torch.tensor(batch.signals, requires_grad=True)
        return signals.std(dim=2, correction=0)[:, :2]


class BFloat16(RequiresGrad):
    card = {**CARD, "name": "bfloat16"}

    def predict(self, batch):
        return super().predict(batch).bfloat16()

    def embed(self, batch):
        return self.predict(batch)


class OneForEachRecord(BFloat16):
    card = {**CARD, "name": "oneforeachrecord"}

    def predict(self, batch):
        return list(super().predict(batch))


class NumberByNumber(RequiresGrad):
    card = {**CARD, "name": "numberbynumber"}

    def predict(self, batch):
        return [tuple(scores) for scores in super().predict(batch)]


class EachInTurn:
    """Answers one batch after the other as another of these."""

    card = {**CARD, "name": "eachinturn"}

    def __init__(self):
        self.models = cycle([RequiresGrad(), BFloat16(), OneForEachRecord(), NumberByNumber()])

    def predict(self, batch):
        return next(self.models).predict(batch)

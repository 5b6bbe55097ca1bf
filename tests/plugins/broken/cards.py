"""Models whose card is missing, wrong or not to be trusted."""

import os

import numpy as np

CARD = {"name": "broken", "outputs": ["AF", "LVH"], "trained_on": []}


class Silent:
    card = {**CARD, "name": "silent"}

    def predict(self, batch):
        return np.zeros((len(batch), 2))


class NoCard:
    def predict(self, batch):
        return np.zeros((len(batch), 2))


class NoPredict:
    card = {**CARD, "name": "nopredict"}


class UnknownField(Silent):
    card = {**CARD, "licence_key": "1234"}


class MissingField(Silent):
    card = {"name": "broken", "outputs": ["AF"]}


class UnknownOutput(Silent):
    card = {**CARD, "outputs": ["AF", "GOUT"]}


class DuplicateOutputs(Silent):
    card = {**CARD, "outputs": ["AF", "AF"]}


class PathInName(Silent):
    card = {**CARD, "name": "../../etc/passwd"}


class EscapeInName(Silent):
    card = {**CARD, "name": "\x1b[31mred\x1b[0m"}


class HtmlInName(Silent):
    card = {**CARD, "name": "<script>alert(1)</script>"}


class NegativeRate(Silent):
    card = {**CARD, "input": {"sampling_rate": -500}}


class EndlessInput(Silent):
    card = {**CARD, "input": {"seconds": float("inf")}}


class ObjectInCard(Silent):
    card = {**CARD, "version": object()}


class ArraysInCard(Silent):
    """Not broken: a list by another name."""

    card = {**CARD, "outputs": np.array(["AF", "LVH"]), "input": {"sampling_rate": np.float32(100)}}


class RaisingCard(Silent):
    @property
    def card(self):
        raise KeyError("config.json")


class ChangingCard(Silent):
    """Calls its outputs something else each time it is asked."""

    asked = 0

    @property
    def card(self):
        ChangingCard.asked += 1
        return {**CARD, "outputs": ["AF", "LVH"] if ChangingCard.asked % 2 else ["LVH", "AF"]}


class AnotherCardInEachProcess(Silent):
    def __init__(self):
        self.card = {**CARD, "version": str(os.getpid())}

    def predict(self, batch):
        os._exit(1)

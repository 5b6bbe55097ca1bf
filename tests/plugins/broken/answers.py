"""Models that answer something else than one finite number for each record and output."""

import numpy as np

CARD = {"name": "broken", "outputs": ["AF", "LVH"], "trained_on": []}


def scores(batch):
    return np.zeros((len(batch), 2), dtype=np.float32)


class WrongShape:
    card = {**CARD, "name": "wrongshape"}

    def predict(self, batch):
        return np.zeros((len(batch), 3))


class OneRecordMissing:
    card = {**CARD, "name": "onerecordmissing"}

    def predict(self, batch):
        return scores(batch)[1:]


class NotANumber:
    card = {**CARD, "name": "notanumber"}

    def predict(self, batch):
        return np.where(np.arange(2) == 1, np.nan, scores(batch))


class Infinite:
    card = {**CARD, "name": "infinite"}

    def predict(self, batch):
        return scores(batch) - np.inf


class Overflow:
    """Finite in float64, but not in the float32 that scores are kept in."""

    card = {**CARD, "name": "overflow"}

    def predict(self, batch):
        return np.full((len(batch), 2), 1e300)


class Strings:
    card = {**CARD, "name": "strings"}

    def predict(self, batch):
        return np.full((len(batch), 2), "0.5")


class Complex:
    card = {**CARD, "name": "complex"}

    def predict(self, batch):
        return scores(batch) + 1j


class Nothing:
    card = {**CARD, "name": "nothing"}

    def predict(self, batch):
        return None


class Generator:
    card = {**CARD, "name": "generator"}

    def predict(self, batch):
        return (row for row in scores(batch))


class Ragged:
    card = {**CARD, "name": "ragged"}

    def predict(self, batch):
        return [[0.5] * (1 + row % 2) for row in range(len(batch))]


class TwoAnswers:
    card = {**CARD, "name": "twoanswers"}

    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :2], None


class Objects:
    card = {**CARD, "name": "objects"}

    def predict(self, batch):
        return batch.signals.std(axis=2)[:, :2].astype(object)


class Dict:
    card = {**CARD, "name": "dict"}

    def predict(self, batch):
        return {"logits": scores(batch), "hidden": None}


class TrailingAxis:
    card = {**CARD, "name": "trailingaxis"}

    def predict(self, batch):
        return scores(batch)[:, :, None]


class Transposed:
    card = {**CARD, "name": "transposed"}

    def predict(self, batch):
        return scores(batch).T


class EachMoment:
    card = {**CARD, "name": "eachmoment"}

    def predict(self, batch):
        return batch.signals[:, :2]


class RaisesOnTheThirdBatch:
    card = {**CARD, "name": "raisesonthethirdbatch"}

    def __init__(self):
        self.batches = 0

    def predict(self, batch):
        self.batches += 1
        if self.batches == 3:
            raise RuntimeError("the third batch\nis one too many")
        return scores(batch)


class HostileMessage:
    """Its exception wants to write elsewhere on the terminal, and far too much."""

    card = {**CARD, "name": "hostilemessage"}

    def predict(self, batch):
        raise ValueError("\x1b[2J\x1b]0;title\x07 <script>\r\u202e\udc80" + "x" * 100_000)

"""Models that cannot be made."""

CARD = {"name": "broken", "outputs": ["AF", "LVH"], "trained_on": []}


class MissingWeights:
    card = {**CARD, "name": "missingweights"}

    def __init__(self):
        raise OSError("weights.bin is missing")

    def predict(self, batch):
        return None


class AsksForInput:
    card = {**CARD, "name": "asksforinput"}

    def __init__(self):
        self.key = input("Licence key: ")

    def predict(self, batch):
        return None


class WantsArguments:
    card = {**CARD, "name": "wantsarguments"}

    def __init__(self, weights):
        self.weights = weights

    def predict(self, batch):
        return None


NotCallable = 3

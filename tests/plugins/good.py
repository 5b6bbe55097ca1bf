"""The shortest useful plugin: no import of the suite."""

import numpy as np


class Amplitude:
    card = {
        "name": "amplitude",
        "outputs": ["AF", "LVH"],
        "trained_on": [],
        "input": {"sampling_rate": 100, "seconds": 5, "leads": ["II", "V1"]},
    }

    def predict(self, batch):
        spread = batch.signals.std(axis=2)
        return np.column_stack([spread[:, 0], spread[:, 1]])

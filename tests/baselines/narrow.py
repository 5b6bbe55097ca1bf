"""The training of ``resnet1d`` with a network of few channels, for those who interrupt it and go on."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import torch

from baselines.networks import resnet1d_wang
from baselines.supervised import ResNet1d
from benchmark.models.contract import FitSettings
from benchmark.models.model_card import InputSpec
from tests.baselines.fakes import CONCEPTS, FakeRecords

SPEC = InputSpec(sampling_rate=100, seconds=10)
EPOCHS = 3
VALIDATION = 12


class Narrow(ResNet1d):
    """8 channels in place of 128: how a training goes on does not depend on them."""

    def network(self, outputs: int) -> torch.nn.Module:
        with patch.object(resnet1d_wang, "WIDTH", 8):
            network: torch.nn.Module = super().network(outputs)
        return network


def fit(folder: Path, epochs: int = EPOCHS, seed: int = 5, records: int = 24) -> ResNet1d:
    model = Narrow(epochs=epochs)
    folder.mkdir(exist_ok=True)
    settings = FitSettings(CONCEPTS, seed, "cpu", folder)
    model.fit(FakeRecords(records, 1, SPEC), FakeRecords(VALIDATION, 2, SPEC), settings)
    return model

"""Known values for the tensors of S4 layers, which must stay stable systems."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tests.baselines.golden import values

FACTORS = {"C": 20, "B": 20, "D": 20, "P": 10}


def s4_values(name: str, shape: tuple[int, ...], constants: Path) -> npt.NDArray[np.float32]:
    """Make a tensor of a network with S4 layers: published nodes, the rest by name and shape."""
    last = name.rpartition(".")[2]
    if last != "D" and ".kernel.kernel." not in name:
        return values(name, shape)
    if last in ("omega", "z"):
        with np.load(constants, allow_pickle=False) as file:
            nodes: npt.NDArray[np.float32] = file[f"{last}_L{2 * (shape[0] - 1)}"]
        return nodes
    drawn = values(name, shape)
    if last in FACTORS:
        return np.float32(FACTORS[last]) * drawn
    if last == "log_dt":
        return np.float32(-4.5) + np.float32(16) * drawn
    made: Any
    if last == "Q":
        made = np.float32(10) * values(re.sub("Q$", "P", name), shape)
        made[..., 1] *= -1
        return np.asarray(made + np.float32(2) * drawn)
    made = np.empty_like(drawn)  # w
    made[..., 0] = -(1 + np.float32(10) * np.abs(drawn[..., 0]))
    made[..., 1] = np.float32(4) * np.arange(1, 5, dtype=np.float32) + np.float32(20) * drawn[..., 1]
    return np.asarray(made)


def fill_s4(network: nn.Module, constants: Path, prefix: str = "") -> None:
    """Give every tensor of a network the values of its name, behind a prefix."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            made = s4_values(prefix + name, tuple(tensor.shape), constants)
            tensor.copy_(torch.from_numpy(made))

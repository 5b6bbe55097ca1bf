"""The Keras file of CODE's network, whose layers are told by the order in which they were created."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from baselines.foundation.keras_file import Layer, read_layers
from baselines.states import State
from cohorts.errors import ModelError


def read_code(path: Path) -> State:
    """Read the file under the names of `baselines.networks.code.CodeKeras`.

    Raises
    ------
    ModelError
        If it is no HDF5 file of Keras, or one of another network.
    """
    return _named(read_layers(path), path)


def _named(layers: Mapping[str, Sequence[Layer]], path: Path) -> dict[str, torch.Tensor]:
    """Name the layers as the authors' code creates them.

    That is the stem and then, for each unit, the layers of its skip, of its first and of its second
    convolution.
    """
    counts = {kind: len(some) for kind, some in layers.items()}
    if counts != {"conv1d": 13, "batch_normalization": 9, "dense": 1}:
        described = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        raise ModelError(
            f"{path} has the layers {described}; "
            "CODE's network has 13 conv1d, 9 batch_normalization and 1 dense."
        )
    places = ("skip", "conv1", "conv2")
    convolutions = ["conv", *(f"units.{unit}.{place}" for unit in range(4) for place in places)]
    norms = ["bn", *(f"units.{unit}.{place}" for unit in range(4) for place in ("bn1", "bn2"))]
    state: dict[str, torch.Tensor] = {}
    try:
        for name, layer in zip(convolutions, layers["conv1d"], strict=True):
            state[f"{name}.weight"] = torch.from_numpy(layer["kernel"].transpose(2, 1, 0).copy())
        for name, layer in zip(norms, layers["batch_normalization"], strict=True):
            state |= {f"{name}.{ours}": torch.from_numpy(layer[theirs]) for theirs, ours in _NORM.items()}
            state[f"{name}.num_batches_tracked"] = torch.tensor(0)
        dense = layers["dense"][0]
        state["dense.weight"] = torch.from_numpy(dense["kernel"].T.copy())
        state["dense.bias"] = torch.from_numpy(dense["bias"])
    except (KeyError, ValueError) as error:
        raise ModelError(
            f"{path} has a layer without the arrays of its kind ({error}): give the right file."
        ) from error
    return state


_NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}

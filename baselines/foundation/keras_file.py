"""Reading the weights in an HDF5 file of Keras: arrays and nothing else."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cohorts.errors import ModelError

MOST_VALUES = 50_000_000
"""Of one array."""

Layer = dict[str, np.ndarray[Any, Any]]

_LAYER = re.compile(r"(?P<kind>[a-z0-9_]*?[a-z][a-z0-9]*?)(_(?P<number>\d+))?")


def read_layers(path: Path) -> dict[str, list[Layer]]:
    """Read all layers that have weights.

    Keras numbers the layers of a kind as they are created, from any number on; a first one may have none.

    Returns
    -------
    Kind, such as ``conv1d`` -> layers in the order in which they were created, as name of an array -> array.

    Raises
    ------
    ModelError
        If it is no HDF5 file, or holds no weights.
    """
    found: dict[tuple[str, int], Layer] = defaultdict(dict)

    def visit(name: str, item: Any) -> None:
        parts = name.split("/")
        if not isinstance(item, h5py.Dataset) or "optimizer_weights" in parts or len(parts) < 2:
            return
        matched = _LAYER.fullmatch(parts[-2])
        if matched:
            key = matched["kind"], int(matched["number"] or 0)
            found[key][parts[-1].removesuffix(":0")] = _array(item, path)

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{path} is damaged or no HDF5 file ({type(error).__name__}): download it again, whole."
        ) from error
    layers: dict[str, list[Layer]] = defaultdict(list)
    for (kind, _), layer in sorted(found.items(), key=lambda item: item[0]):
        layers[kind].append(layer)
    if not layers:
        raise ModelError(f"{path} holds no layers of Keras: give the file with the model's weights.")
    return dict(layers)


def _array(item: h5py.Dataset, path: Path) -> np.ndarray[Any, Any]:
    # A file can point at other files, or claim to be larger than any memory.
    if item.external or item.is_virtual or item.size is None or item.size > MOST_VALUES:
        raise ModelError(f"{path}: {item.name} is no plain array of weights.")
    if not np.issubdtype(item.dtype, np.floating):
        raise ModelError(f"{path}: {item.name} is of {item.dtype}, not of real numbers.")
    return np.asarray(item[()])

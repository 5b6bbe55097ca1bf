"""Trained weights on disk: one safetensors file that knows whose it is and whether it is whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from benchmark.models.contract import ModelCard
from cohorts.errors import ModelError

FILE = "model.safetensors"

Array = npt.NDArray[Any]


def save_weights(folder: Path, card: ModelCard, arrays: Mapping[str, Array]) -> None:
    """Write arrays, the model's name, version and outputs, and a digest of all of it.

    The same arrays give the same bytes.
    """
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    facts = {"model": card.name, "version": card.version, "outputs": list(card.outputs)}
    # One entry, because safetensors writes several in an order that changes from run to run.
    save_file(tensors, folder / FILE, {"about": json.dumps(facts | {"sha256": _digest(facts, tensors)})})


def load_weights(folder: Path, card: ModelCard) -> tuple[ModelCard, dict[str, Array]]:
    """Read what `save_weights` wrote.

    Returns
    -------
    The card with its outputs, and the arrays by name.

    Raises
    ------
    ModelError
        If the file is missing, damaged, or of another model or version.
    """
    path = folder / FILE
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()["about"])
            arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        intact = facts.pop("sha256") == _digest(facts, arrays)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read ({error}): train {card.name} again.") from error
    if not intact:
        raise ModelError(
            f"{path} is damaged, its content does not match its digest: train {card.name} again."
        )
    if (facts["model"], facts["version"]) != (card.name, card.version):
        found, wanted = f"{facts['model']} {facts['version']}", f"{card.name} {card.version}"
        raise ModelError(f"{path} holds {found}, not {wanted}: train {card.name} again.")
    return card.model_copy(update={"outputs": tuple(facts["outputs"])}), arrays


def untrained(card: ModelCard) -> ModelError:
    """Make the error of a model that is used before it was trained or loaded."""
    return ModelError(f"{card.name} has not been trained: call fit or load first.")


def _digest(facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

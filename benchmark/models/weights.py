"""Trained weights on disk: one safetensors file that knows which model it belongs to.

Whether weights have changed since they were written is checked by `benchmark.protocols.artifacts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from benchmark.models.model_card import ModelCard
from benchmark.text import printable
from cohorts.errors import ModelError

FILE = "model.safetensors"

Array = npt.NDArray[Any]


def save_weights(folder: Path, card: ModelCard, arrays: Mapping[str, Array]) -> None:
    """Write arrays and the model's name, version and outputs; the same arrays give the same bytes."""
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    facts = {"model": card.name, "version": card.version, "outputs": list(card.outputs)}
    # One entry, because safetensors writes several in an order that changes from run to run.
    save_file(tensors, folder / FILE, {"about": json.dumps(facts)})


def load_weights(folder: Path, card: ModelCard) -> tuple[ModelCard, dict[str, Array]]:
    """Read what `save_weights` wrote.

    Returns
    -------
    The card with its outputs, and the arrays by name.

    Raises
    ------
    ModelError
        If the file is missing, unreadable, or of another model or version.
    """
    path = folder / FILE
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()["about"])
            arrays: dict[str, Array] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        outputs, found = tuple(facts["outputs"]), f"{facts['model']} {facts['version']}"
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        why = printable(str(error))
        raise ModelError(f"{path} cannot be read ({why}): train {card.name} again.") from error
    wanted = f"{card.name} {card.version}"
    if found != wanted:
        raise ModelError(f"{path} holds {found}, not {wanted}: train {card.name} again.")
    return card.model_copy(update={"outputs": outputs}), arrays


def untrained(card: ModelCard) -> ModelError:
    """Make the error of a model that is used before it was trained or loaded."""
    return ModelError(f"{card.name} has not been trained: call fit or load first.")

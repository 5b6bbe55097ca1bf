"""Maps from the labels of published models to concepts: ``labels/*.csv``, one row a label and concept."""

from __future__ import annotations

from pathlib import Path

from benchmark.models.label_map import OwnLabel, read_labels

FOLDER = Path(__file__).parent / "labels"


def own_labels(name: str) -> tuple[OwnLabel, ...]:
    """Read the map of this name, with the labels in the order of the network's outputs."""
    return read_labels(FOLDER / f"{name}.csv")

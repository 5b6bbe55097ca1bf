"""Models: their contract and cards, how they are found, and what is known of them."""

from benchmark.models.contract import (
    Adjustable,
    Batch,
    Encoder,
    FitSettings,
    InputSpec,
    Model,
    ModelCard,
    Pretrainable,
    PretrainSettings,
    Prompted,
    Published,
    Trainable,
)
from benchmark.models.label_map import OwnLabel, read_labels

__all__ = [
    "Adjustable",
    "Batch",
    "Encoder",
    "FitSettings",
    "InputSpec",
    "Model",
    "ModelCard",
    "OwnLabel",
    "PretrainSettings",
    "Pretrainable",
    "Prompted",
    "Published",
    "Trainable",
    "read_labels",
]

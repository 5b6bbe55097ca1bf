"""Models: their contract and cards, how they are found, and what is known of them."""

from benchmark.models.contract import (
    Adjustable,
    Batch,
    Encoder,
    FitSettings,
    Model,
    Pretrainable,
    PretrainSettings,
    Prompted,
    Published,
    Trainable,
)
from benchmark.models.label_map import OwnLabel, read_labels
from benchmark.models.model_card import InputSpec, ModelCard

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

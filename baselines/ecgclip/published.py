"""ECGCLIP's published weights: from the authors' file to a folder, from the folder to an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch

from baselines.checkpoints import read_checkpoint, read_weights, write_weights
from baselines.ecgclip.encoder import ResidualEncoder
from baselines.states import check_state, precision_changed
from cohorts.errors import ModelError

Layers = Literal[18, 34, 50]

MODEL = "ecgclip"
ENTRIES: dict[Layers, str] = {18: "ecgclip-r18", 34: "ecgclip", 50: "ecgclip-r50"}
"""Which installed model has which of the published sizes."""

REPOSITORY = "https://github.com/dt-yuhui/ECG-CLIP"
LICENCE = "Code MIT; that of the weights is not stated: ask whom you have them from."

# Names that only this size and larger ones have, or only bottlenecks.
_TELLTALES: tuple[tuple[str, Layers], ...] = (
    ("layer1.0.conv3.weight", 50),
    ("layer1.2.conv1.weight", 34),
    ("layer1.0.conv1.weight", 18),
)


def convert_ecgclip(file: str | Path, folder: Path, expected: Layers | None = None) -> str:
    """Check a checkpoint of ECGCLIP's signal encoder and write its weights and a card into ``folder``.

    Parameters
    ----------
    file
        As ``torch.save`` or safetensors wrote it: 18, 34 or 50 layers, which the names tell, 8 leads,
        ``linear`` with any number of outputs or without it.
    expected
        Layers of the model that the weights are for; None for any.

    Returns
    -------
    One sentence about what was found.

    Raises
    ------
    ModelError
        If the file cannot be read or does not fit; the message says what exactly.
    """
    source = Path(file)
    found = read_checkpoint(source)
    layers, encoder = _encoder(found, str(source))
    _check_size(str(source), layers, expected)
    state = encoder.state_dict()
    size = f"resnet{layers}"
    card = write_weights(
        folder, state, source, model=MODEL, size=size, repository=REPOSITORY, licence=LICENCE
    )
    outputs = encoder.linear.out_features if encoder.linear is not None else "no"
    return (
        f"Signal encoder of ECGCLIP with {layers} layers and {outputs} outputs, {len(state)} tensors, "
        f"from {source.name} (sha256 {card.source_sha256[:12]}){precision_changed(found, state)}."
    )


def load_ecgclip(
    folder: Path, device: str | torch.device = "cpu", *, layers: Layers | None = None
) -> ResidualEncoder:
    """Restore the encoder that `convert_ecgclip` wrote, ready to predict, or raise `ModelError`."""
    _, state = read_weights(folder, MODEL)
    found, encoder = _encoder(state, str(folder))
    _check_size(str(folder), found, layers)
    return encoder.to(device).eval()


def _check_size(where: str, found: Layers, expected: Layers | None) -> None:
    if expected is not None and found != expected:
        raise ModelError(
            f"{where} is ECGCLIP's ResNet-{found}, and {ENTRIES[expected]} is its ResNet-{expected}: give it "
            f"to {ENTRIES[found]}."
        )


def _encoder(state: Mapping[str, torch.Tensor], where: str) -> tuple[Layers, ResidualEncoder]:
    """Build the encoder that a state dict belongs to, and fill it."""
    layers = next((layers for name, layers in _TELLTALES if name in state), None)
    if layers is None:
        raise ModelError(
            f"{where} is no signal encoder of ECGCLIP, it has no tensor {_TELLTALES[-1][0]}: "
            "give the file with the weights of its ResNet."
        )
    bias = state.get("linear.bias")
    outputs = len(bias) if bias is not None and bias.ndim == 1 else None
    with torch.device("meta"):
        encoder = ResidualEncoder(layers, outputs=outputs)
    check_state(state, encoder.state_dict(), f"{where} as ECGCLIP's ResNet-{layers}")
    encoder.to_empty(device="cpu").load_state_dict(state)
    return layers, encoder

"""MERL's published weights: from the authors' file to a folder, from the folder to a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from baselines.checkpoints import WeightsCard, check_state, read_checkpoint, read_weights, write_weights
from baselines.ecgclip.encoder import ResidualEncoder
from baselines.networks.merl import LEADS, UNUSED_OUTPUTS, Merl, published_text
from cohorts.errors import ModelError

MODEL = "merl"
REPOSITORY = "https://github.com/cheliu-computation/MERL-ICML2024"
LICENCE = "Code MIT; that of the weights is not stated: ask their authors."
WHOLE, ENCODER = "resnet18", "resnet18 encoder"

ENCODER_PREFIX = "ecg_encoder."
TEXT_PREFIXES = ("lm_model.", "proj_t.")
# Older versions of transformers save the numbers 0 to 511, newer ones count them again.
_IGNORED = ("lm_model.embeddings.position_ids",)


def convert_merl(file: str | Path, folder: Path) -> str:
    """Check a checkpoint of MERL's ResNet-18 and write its weights and a card into ``folder``.

    Parameters
    ----------
    file
        The whole model (``res18_best_ckpt.pth``) or its signal encoder alone (``res18_best_encoder.pth``).

    Returns
    -------
    One sentence about what was found.

    Raises
    ------
    ModelError
        If the file cannot be read or does not fit; the message says what exactly.
    """
    source = Path(file)
    state = read_checkpoint(source, ignore=_IGNORED)
    whole = any(name.startswith(ENCODER_PREFIX) for name in state)
    what = "MERL with its ResNet-18 and text encoder" if whole else "MERL's ResNet-18 encoder, without texts"
    expected = _whole() if whole else _encoder()
    check_state(state, expected, f"{source} as {what}")
    card = write_weights(
        folder,
        {name: tensor.to(expected[name].dtype) for name, tensor in state.items()},
        source,
        model=MODEL,
        size=WHOLE if whole else ENCODER,
        repository=REPOSITORY,
        licence=LICENCE,
    )
    return f"{what}, {len(state)} tensors, from {source.name} (sha256 {card.source_sha256[:12]})."


def load_merl(folder: Path, device: str | torch.device = "cpu", *, text: bool = False) -> Merl:
    """Restore the model that `convert_merl` wrote, ready to predict.

    Parameters
    ----------
    text
        Whether to build the text encoder as well.

    Raises
    ------
    ModelError
        If the folder holds no weights of MERL, or only those of the signal encoder.
    """
    card, state = read_weights(folder, MODEL)
    if card.size != WHOLE:
        raise ModelError(
            f"{folder} holds MERL's signal encoder alone (from {card.source_file}), which cannot be asked "
            "with words: convert the file of the whole model (res18_best_ckpt.pth)."
        )
    model = Merl(published_text()) if text else Merl()
    if not text:
        state = {name: tensor for name, tensor in state.items() if not name.startswith(TEXT_PREFIXES)}
    check_state(state, model.state_dict(), f"{folder} as MERL")
    model.load_state_dict(state)
    return model.to(device).eval()


def load_merl_encoder(folder: Path, device: str | torch.device = "cpu") -> ResidualEncoder:
    """Restore the signal encoder, of either kind of file, ready to embed, or raise `ModelError`."""
    card, state = read_weights(folder, MODEL)
    state = _of_encoder(card, state)
    encoder = ResidualEncoder(18, leads=len(LEADS), outputs=UNUSED_OUTPUTS)
    check_state(state, encoder.state_dict(), f"{folder} as MERL's ResNet-18 encoder")
    encoder.load_state_dict(state)
    return encoder.to(device).eval()


def _of_encoder(card: WeightsCard, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    prefix = ENCODER_PREFIX if card.size == WHOLE else ""
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _whole() -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return Merl(published_text()).state_dict()


def _encoder() -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return ResidualEncoder(18, leads=len(LEADS), outputs=UNUSED_OUTPUTS).state_dict()

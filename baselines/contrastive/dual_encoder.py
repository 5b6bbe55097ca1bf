"""Two encoders that meet in one space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn.functional import embedding_bag, normalize

from baselines.text.encoders import TextEncoder


class DualEncoder(nn.Module):
    """An encoder of signals and one of texts, each with a projection into the common space.

    A frozen text encoder is no part of the module: it is neither trained nor saved with it. Sentences about
    ECGs are close together among all that such an encoder knows; what they have in common is taken away
    and their distances are scaled to 1 before the projection.

    Parameters
    ----------
    encoder
        Maps prepared recordings ``[records, ...]`` to ``[records, width]``.
    width
        Features of one recording.
    text
        Reads sentences.
    dim
        Of the common space.
    temperature
        Of the loss, at the start; CLIP's by default.
    least_temperature
        It is kept from falling below.
    """

    centre: torch.Tensor
    spread: torch.Tensor

    def __init__(
        self,
        encoder: nn.Module,
        width: int,
        text: TextEncoder,
        dim: int,
        *,
        temperature: float = 0.07,
        least_temperature: float = 0.01,
    ) -> None:
        super().__init__()
        self.least_temperature = least_temperature
        self.encoder = encoder
        self.signal_projection = nn.Linear(width, dim)
        self.text_projection = nn.Linear(text.width, dim)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)))
        self.register_buffer("centre", torch.zeros(text.width))
        self.register_buffer("spread", torch.ones(()))
        self.text = text if text.tuned else None
        self._reader = (text,)  # in a tuple, where the module does not see it

    @property
    def reader(self) -> TextEncoder:
        """The text encoder, frozen or not."""
        return self._reader[0]

    def centre_texts(self, sentences: torch.Tensor) -> None:
        """Take centre and spread from the sentences of the training, unit vectors ``[sentences, width]``."""
        self.centre.copy_(sentences.mean(dim=0))
        spread = (sentences - self.centre).norm(dim=1).mean()
        self.spread.copy_(spread if spread > 0 else torch.ones(()))

    def scale(self) -> torch.Tensor:
        """Give 1 / temperature."""
        return self.log_scale.exp()

    def limit_scale(self) -> None:
        """Keep the temperature from falling below its least, and from rising above 1."""
        with torch.no_grad():
            self.log_scale.clamp_(0, -math.log(self.least_temperature))

    def place_signals(self, prepared: torch.Tensor) -> torch.Tensor:
        """Map prepared recordings ``[records, ...]`` to unit vectors ``[records, dim]``."""
        return normalize(self.signal_projection(self.encoder(prepared)).float(), dim=-1)

    def place_texts(self, vectors: torch.Tensor) -> torch.Tensor:
        """Map vectors of texts ``[texts, width]`` to unit vectors ``[texts, dim]``."""
        return normalize(self.text_projection((vectors - self.centre) / self.spread).float(), dim=-1)

    @torch.no_grad()
    def place_concepts(self, prompts: Mapping[str, Sequence[str]]) -> torch.Tensor:
        """Map concepts to unit vectors ``[concepts, dim]``.

        A concept is the mean of its descriptions in the space, scaled back to unit length.
        """
        device = self.centre.device
        means = [
            self.place_texts(self.reader.embed(texts).to(device)).mean(dim=0) for texts in prompts.values()
        ]
        return normalize(torch.stack(means), dim=-1)


def mean_of_sentences(table: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Average the vectors of each report's sentences and scale them to unit length.

    Parameters
    ----------
    table
        Unit vectors of all sentences ``[sentences, width]``.
    ids, offsets
        Sentences of all reports, one behind the other, and where each report begins.

    Returns
    -------
    ``[reports, width]``
    """
    return normalize(embedding_bag(ids, table, offsets, mode="mean"), dim=-1)

"""MERL with its ResNet-18 or its vision transformer: signals and reports as vectors of one space.

Liu, Wan, Ouyang, Shah, Bai and Arcucci, "Zero-Shot ECG Classification with Multimodal Learning and Test-time
Clinical Knowledge Enhancement", ICML 2024, arXiv 2403.06659. Architecture and names of the parameters are
those of ``cheliu-computation/MERL-ICML2024`` (commit 38799b7, ``utils/utils_builder.py``), so that its
checkpoints load here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from baselines.ecgclip.encoder import ResidualEncoder
from baselines.networks.vit1d import Vit1d

if TYPE_CHECKING:
    from transformers import BertConfig

LEADS = ("I", "II", "III", "aVR", "aVF", "aVL", "V1", "V2", "V3", "V4", "V5", "V6")
"""The order in which MIMIC-IV-ECG stores its leads: aVF before aVL."""

FRAMES = 313
"""Frames that the encoder makes of 5,000 samples."""

SHARED = 256
"""Size of the space that signals and texts share."""

UNUSED_OUTPUTS = 10
"""Rows of the encoder's ``linear``, which lies in the checkpoints though nothing was trained with it."""


def published_text() -> BertConfig:
    """Give the configuration of MedCPT's query encoder, which is that of BERT base."""
    from transformers import BertConfig

    return BertConfig()


class AttentionPool(nn.Module):
    """One query token that looks at all frames.

    The published code adds the first position to the query token and then the whole table of positions to all
    tokens, so that the query has its position twice. Weights trained so need it so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(1, FRAMES + 1, SHARED) / SHARED**0.5)
        self.cls_token = nn.Parameter(torch.randn(1, 1, SHARED))
        self.mhsa = nn.MultiheadAttention(SHARED, num_heads=4, batch_first=True)
        self.c_proj = nn.Linear(SHARED, SHARED)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Map ``[records, 256, 313]`` to ``[records, 256]``."""
        query = self.cls_token + self.positional_embedding[:, :1]
        tokens = torch.cat([query.expand(len(frames), -1, -1), frames.transpose(1, 2)], dim=1)
        tokens = tokens + self.positional_embedding
        pooled, _ = self.mhsa(tokens[:, :1], tokens, tokens, need_weights=False)
        projected: torch.Tensor = self.c_proj(pooled[:, 0])
        return projected


class _TwoSided(nn.Module):
    """The side of the texts; where no text encoder is built, a recording can still be placed.

    Subclasses have the side of the signals.
    """

    def add_text(self, text: BertConfig | None) -> None:
        """Register the text encoder and its projection, last as in the published state dicts."""
        if text is not None:
            from transformers import BertModel

            self.lm_model = BertModel(text)
            self.proj_t = nn.Sequential(
                nn.Linear(text.hidden_size, SHARED), nn.GELU(), nn.Linear(SHARED, SHARED)
            )

    def pool_texts(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Map token ids and their mask ``[texts, tokens]`` to BERT's pooled output ``[texts, hidden]``."""
        pooled: torch.Tensor = self.lm_model(input_ids=ids, attention_mask=mask).pooler_output
        return pooled

    def embed_texts(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Map token ids and their mask ``[texts, tokens]`` to the shared space ``[texts, 256]``."""
        projected: torch.Tensor = self.proj_t(self.pool_texts(ids, mask))
        return projected


class SignalSide(nn.Module):
    """The signal encoder alone, for a probe or for training further."""

    def __init__(self, encoder: ResidualEncoder | Vit1d, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.width = width

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map scaled signals ``[records, 12, 5000]`` to ``[records, width]``, the mean over time."""
        pooled: torch.Tensor = self.encoder.features(signals)
        return pooled


class Merl(_TwoSided):
    """The model with its ResNet-18; without ``text`` only what a signal goes through is built.

    ``linear1`` and ``linear2`` belong to a loss of its pre-training and are kept so that checkpoints load.

    Parameters
    ----------
    text
        Configuration of the text encoder, a BERT, for `embed_texts`; as published it is `published_text`.
    """

    width = 512

    def __init__(self, text: BertConfig | None = None) -> None:
        super().__init__()
        self.downconv = nn.Conv1d(512, SHARED, 1)
        self.att_pool_head = AttentionPool()
        self.linear1 = nn.Linear(SHARED, SHARED, bias=False)
        self.linear2 = nn.Linear(SHARED, SHARED, bias=False)
        self.ecg_encoder = ResidualEncoder(18, leads=len(LEADS), outputs=UNUSED_OUTPUTS)
        self.add_text(text)

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map scaled signals ``[records, 12, 5000]`` to ``[records, 512]``: the mean of all frames."""
        return self.ecg_encoder.features(signals)

    def embed_signals(self, signals: torch.Tensor) -> torch.Tensor:
        """Map scaled signals ``[records, 12, 5000]`` to the shared space ``[records, 256]``.

        Leads are in the order of `LEADS`, 500 Hz. Nothing is normalised to length 1.
        """
        pooled: torch.Tensor = self.att_pool_head(self.downconv(self.ecg_encoder.feature_map(signals)))
        return pooled


class MerlVit(_TwoSided):
    """The model with its vision transformer ("tiny"); else as `Merl`."""

    width = 192

    def __init__(self, text: BertConfig | None = None) -> None:
        super().__init__()
        self.proj_e = nn.Sequential(
            nn.Linear(self.width, SHARED),
            nn.BatchNorm1d(SHARED),
            nn.ReLU(),
            nn.Linear(SHARED, SHARED),
            nn.BatchNorm1d(SHARED),
        )
        self.linear1 = nn.Linear(self.width, SHARED, bias=False)
        self.linear2 = nn.Linear(self.width, SHARED, bias=False)
        self.ecg_encoder = Vit1d(self.width)
        self.add_text(text)

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map scaled signals ``[records, 12, 5000]`` to ``[records, 192]``: the mean of all tokens."""
        return self.ecg_encoder.features(signals)

    def embed_signals(self, signals: torch.Tensor) -> torch.Tensor:
        """Map scaled signals ``[records, 12, 5000]`` to the shared space ``[records, 256]``."""
        projected: torch.Tensor = self.proj_e(self.features(signals))
        return projected


def cosine_scores(signals: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Cosines ``[records, texts]``: MERL's zero-shot scores, without temperature or softmax."""
    with torch.autocast(signals.device.type, enabled=False):  # cosines in bfloat16 would be full of ties
        return functional.normalize(signals.float(), dim=-1) @ functional.normalize(texts, dim=-1).T

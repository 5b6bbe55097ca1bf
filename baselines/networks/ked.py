"""KED's query network and text encoder; its signal encoder is a wide `xresnet1d101_body`.

Tian et al., "Foundation model of ECG diagnosis: Diagnostics and explanations of any form and rhythm on ECG",
Cell Reports Medicine 5, 2024, doi 10.1016/j.xcrm.2024.101875. Names of the parameters are those of the
published checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from baselines.networks.xresnet1d import KED_WIDTHS, xresnet1d101_body

if TYPE_CHECKING:
    from transformers import BertConfig

WIDTH, HEADS, LAYERS = 768, 4, 7
VOCABULARY = 28996


def published_text() -> BertConfig:
    """Give the configuration of Bio_ClinicalBERT, which is that of cased BERT base."""
    from transformers import BertConfig

    return BertConfig(vocab_size=VOCABULARY)


class TextEncoder(nn.Module):
    """A BERT and three layers; ``logit_scale`` belongs to the pre-training and is kept so that files load."""

    def __init__(self, text: BertConfig) -> None:
        super().__init__()
        from transformers import BertModel

        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.bert_model = BertModel(text)
        self.mlp_embed = nn.Sequential(
            nn.Linear(text.hidden_size, WIDTH),
            nn.GELU(),
            nn.Linear(WIDTH, WIDTH),
            nn.GELU(),
            nn.Linear(WIDTH, WIDTH),
        )

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Map token ids and their mask ``[texts, tokens]`` to ``[texts, 768]``."""
        pooled = self.bert_model(input_ids=ids, attention_mask=mask).pooler_output
        features: torch.Tensor = self.mlp_embed(pooled)
        return features


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.multihead_attn = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        self.linear1 = nn.Linear(WIDTH, 1024)
        self.linear2 = nn.Linear(1024, WIDTH)
        self.norm1 = nn.LayerNorm(WIDTH)
        self.norm2 = nn.LayerNorm(WIDTH)
        self.norm3 = nn.LayerNorm(WIDTH)

    def forward(self, queries: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        normed = self.norm1(queries)
        queries = queries + self.self_attn(normed, normed, normed, need_weights=False)[0]
        seen = self.multihead_attn(self.norm2(queries), tokens, tokens, need_weights=False)[0]
        queries = queries + seen
        summed: torch.Tensor = queries + self.linear2(torch.relu(self.linear1(self.norm3(queries))))
        return summed


class _Decoder(nn.Module):
    def __init__(self, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))
        self.norm = norm


class QueryNetwork(nn.Module):
    """Asks the frames of a recording about classes, all at once.

    The classes attend to each other: the score of one depends on which others are asked about. One
    normalisation serves the frames, the queries and the end, so a checkpoint holds it under two names.
    """

    def __init__(self) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.zeros(()))
        self.decoder_norm = nn.LayerNorm(WIDTH)
        self.decoder = _Decoder(self.decoder_norm)
        self.mlp_head = nn.Sequential(nn.Linear(WIDTH, 2048), nn.GELU(), nn.Linear(2048, 2))

    def forward(self, frames: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Give two logits, absent and present, of every class: ``[records, classes, 2]``.

        Parameters
        ----------
        frames
            ``[records, 768, frames]``, of the signal encoder.
        texts
            ``[classes, 768]``, of the text encoder.
        """
        tokens = self.decoder_norm(frames.transpose(1, 2))
        queries = self.decoder_norm(texts).expand(len(frames), -1, -1)
        for layer in self.decoder.layers:
            queries = layer(queries, tokens)
        logits: torch.Tensor = self.mlp_head(self.decoder.norm(queries))
        return logits


class Ked(nn.Module):
    """The three parts, under the keys that they have in the published checkpoint.

    Parameters
    ----------
    text
        Configuration of the text encoder; as published it is `published_text`.
    """

    width = WIDTH

    def __init__(self, text: BertConfig) -> None:
        super().__init__()
        self.ecg_model = xresnet1d101_body(KED_WIDTHS)
        self.text_encoder = TextEncoder(text)
        self.model = QueryNetwork()

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, 12, 1000]`` to ``[records, 768]``: the mean of the frames."""
        frames: torch.Tensor = self.ecg_model(signals)
        return frames.mean(dim=-1)

    def scores(self, signals: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Give the chance of every class, asked together: ``[records, classes]``.

        ``texts`` are those of `TextEncoder`, ``[classes, 768]``.
        """
        return present(self.model(self.ecg_model(signals), texts))


def present(logits: torch.Tensor) -> torch.Tensor:
    """Turn logits ``[records, classes, 2]`` into chances ``[records, classes]`` that the class is present."""
    return torch.softmax(logits.float(), dim=-1)[..., 1]

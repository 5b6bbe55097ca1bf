"""HuBERT-ECG's network.

Coppola et al., "HuBERT-ECG: a self-supervised foundation model for broad and scalable cardiac applications",
medRxiv 2024.11.14.24317328. The backbone of ``Edoar-do/HuBERT-ECG`` (commit affe1f9, ``code/hubert_ecg.py``)
is the HuBERT of transformers with other numbers.
"""

from __future__ import annotations

import torch
from transformers import HubertConfig, HubertModel


class HubertEcg(HubertModel):  # type: ignore[no-untyped-call]
    """The backbone, without what only its pre-training needs.

    Parameters
    ----------
    width, layers, heads
        Of the transformer, whose inner layers are four times as wide.
    """

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__(
            HubertConfig(
                hidden_size=width,
                num_hidden_layers=layers,
                num_attention_heads=heads,
                intermediate_size=4 * width,
                conv_dim=(512,) * 5,
                conv_kernel=(10, 3, 3, 2, 2),
                conv_stride=(4, 2, 2, 2, 2),
                conv_bias=False,
                feat_extract_norm="group",
                num_conv_pos_embeddings=128,
                num_conv_pos_embedding_groups=16,
                do_stable_layer_norm=False,
                layer_norm_eps=1e-5,
                mask_time_prob=0.0,
            )
        )
        self.width = width

    def features(self, signals: torch.Tensor) -> torch.Tensor:
        """Map prepared rows ``[n, 6000]`` to ``[n, width]``: the mean over 93 tokens."""
        tokens: torch.Tensor = self(signals).last_hidden_state
        return tokens.mean(dim=1)

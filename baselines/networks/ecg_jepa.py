"""ECG-JEPA's encoder.

Kim, "Learning General Representation of 12-Lead Electrocardiogram with a Joint-Embedding Predictive
Architecture", arXiv 2410.08559. Names of the parameters are those of the published state dict.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import gelu, scaled_dot_product_attention

LEADS, PATCHES, PATCH = 8, 50, 50
WIDTH, DEPTH, HEADS = 768, 12, 16


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        records, tokens, width = x.shape
        split = self.qkv(x).view(records, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = split.unbind(0)
        seen = scaled_dot_product_attention(q, k, v, attn_mask=mask)
        mixed: torch.Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return mixed


class _TwoLayers(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mapped: torch.Tensor = self.fc2(gelu(self.fc1(x)))
        return mapped


class _Block(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = _TwoLayers(width)
        self.attn = _Attention(width, heads)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x), mask)
        summed: torch.Tensor = x + self.mlp(self.norm2(x))
        return summed


class _Encoder(nn.Module):
    def __init__(self, width: int, depth: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_Block(width, heads) for _ in range(depth))


class EcgJepa(nn.Module):
    """The encoder: patches of 0.2 s of 8 leads, which see their own lead and their own time only."""

    same_lead_or_time: torch.Tensor

    def __init__(self, width: int = WIDTH, depth: int = DEPTH, heads: int = HEADS) -> None:
        super().__init__()
        self.width = width
        self.pos_embed = nn.Parameter(torch.zeros(LEADS * PATCHES, width), requires_grad=False)
        self.encoder_blocks = _Encoder(width, depth, heads)
        self.norm = nn.LayerNorm(width)
        self.W_P = nn.Linear(PATCH, width)
        lead, time = (
            grid.flatten()
            for grid in torch.meshgrid(torch.arange(LEADS), torch.arange(PATCHES), indexing="ij")
        )
        seen = (lead[:, None] == lead) | (time[:, None] == time)
        self.register_buffer("same_lead_or_time", seen, persistent=False)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, 8, 2500]`` to features ``[records, width]``: the mean over all tokens.

        The positions are added before every block, not once.
        """
        tokens = self.W_P(x.reshape(len(x), LEADS, PATCHES, PATCH)).flatten(1, 2)
        for block in self.encoder_blocks.blocks:
            tokens = block(tokens + self.pos_embed, self.same_lead_or_time)
        features: torch.Tensor = self.norm(tokens).mean(dim=1)
        return features

"""The transformer blocks that MERL's and ST-MEM's published code share, with its parameter names.

Pre-norm blocks of Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, arXiv 2010.11929.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

HEAD = 64
"""Components of one attention head."""


class Attention(nn.Module):
    """Attention of every token to all others."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(width, 3 * heads * HEAD)
        self.to_out = nn.Sequential(nn.Linear(heads * HEAD, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, tokens, width]`` to the same shape."""
        records, tokens = x.shape[:2]
        split = self.to_qkv(x).view(records, tokens, 3, self.heads, HEAD).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(*split.unbind(0))
        mixed: torch.Tensor = self.to_out(seen.transpose(1, 2).flatten(2))
        return mixed


class FeedForward(nn.Module):
    """Two layers on each token; the numbering leaves room for the published dropout, which is 0."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Identity(), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, tokens, width]`` to the same shape."""
        mapped: torch.Tensor = self.net(x)
        return mapped


class _PreNorm(nn.Module):
    def __init__(self, width: int, fn: nn.Module) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fn = fn

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mapped: torch.Tensor = self.fn(self.norm(x))
        return mapped


class Block(nn.Module):
    """Attention and two layers, each normalised before and added after."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attn = _PreNorm(width, Attention(width, heads))
        self.ff = _PreNorm(width, FeedForward(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, tokens, width]`` to the same shape."""
        x = x + self.attn(x)
        summed: torch.Tensor = x + self.ff(x)
        return summed


class Blocks(nn.Module):
    """A model with blocks called ``block0`` and so on and a last normalisation ``norm``.

    A subclass calls `add_blocks` behind its embeddings, where the published state dicts have the blocks.
    """

    depth: int

    def add_blocks(self, width: int, depth: int, heads: int) -> None:
        """Register the blocks and the last normalisation."""
        self.depth = depth
        for position in range(depth):
            self.add_module(f"block{position}", Block(width, heads))
        self.norm = nn.LayerNorm(width)

    def through_blocks(self, x: torch.Tensor) -> torch.Tensor:
        """Map tokens ``[records, tokens, width]`` through all blocks, without the last normalisation."""
        for position in range(self.depth):
            block: Any = self.get_submodule(f"block{position}")
            x = block(x)
        return x


class Vit1d(Blocks):
    """MERL's vision transformer on signals.

    Parameters
    ----------
    width, depth, heads
        192, 12 and 3 for the published "tiny".
    """

    def __init__(
        self, width: int = 192, depth: int = 12, heads: int = 3, *, leads: int = 12, samples: int = 5000
    ) -> None:
        super().__init__()
        patch = 50
        self.pos_embedding = nn.Parameter(torch.randn(1, samples // patch, width))
        self.to_patch_embedding = nn.Conv1d(leads, width, patch, stride=patch, bias=False)
        self.add_blocks(width, depth, heads)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, leads, samples]`` to ``[records, width]``: the mean token, normalised."""
        tokens = self.to_patch_embedding(x).transpose(1, 2) + self.pos_embedding
        pooled: torch.Tensor = self.norm(self.through_blocks(tokens).mean(dim=1))
        return pooled

"""ST-MEM's encoder.

Na, Park, Tae and Joo, "Guiding Masked Representation Learning to Capture Spatio-Temporal Relationship of
Electrocardiogram", ICLR 2024, arXiv 2402.09450. Names of the parameters are those of the published state
dict.
"""

from __future__ import annotations

import torch
from torch import nn

from baselines.networks.vit1d import Blocks


class StMem(Blocks):
    """Patches of every lead, and leads told apart by separators and an embedding of their own."""

    leads, patches, patch = 12, 30, 75

    def __init__(self, width: int = 768, depth: int = 12, heads: int = 12) -> None:
        super().__init__()
        self.width = width
        self.pos_embedding = nn.Parameter(torch.randn(1, self.patches + 2, width))
        self.sep_embedding = nn.Parameter(torch.randn(width))
        self.to_patch_embedding = nn.Sequential(
            nn.Identity(), nn.LayerNorm(self.patch), nn.Linear(self.patch, width), nn.LayerNorm(width)
        )
        self.lead_embeddings = nn.ParameterList([torch.randn(width) for _ in range(self.leads)])
        self.add_blocks(width, depth, heads)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, 12, 2250]`` to features ``[records, width]``.

        The mean is taken over leads and patches, without the separators, and then normalised.
        """
        records, position = len(x), self.pos_embedding
        patches = self.to_patch_embedding(x.reshape(records, self.leads, self.patches, self.patch))
        separator = self.sep_embedding.expand(records, self.leads, 1, -1)
        of_lead = torch.cat(
            [separator + position[:, :1], patches + position[:, 1:-1], separator + position[:, -1:]], dim=2
        )
        of_lead = of_lead + torch.stack(list(self.lead_embeddings))[:, None]
        tokens = self.through_blocks(of_lead.flatten(1, 2)).view_as(of_lead)
        features: torch.Tensor = self.norm(tokens[:, :, 1:-1].mean(dim=(1, 2)))
        return features

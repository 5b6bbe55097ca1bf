"""Blocks of structured state spaces (S4), ECG-CPC's encoder made of them, and the supervised network.

Both are of ``AI4HealthUOL/ecg-fm-benchmarking`` (commit 6367295), arXiv 2509.25095; names of the parameters
are theirs.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import gelu, glu

from baselines.networks.s4_kernel import Kernel, convolve

WIDTH = 512
DEPTH = 4
DROPOUT = 0.2


class _Nested(nn.Module):
    """Keeps the doubled name ``kernel.kernel`` of the published state dicts."""

    def __init__(self, kernel: Kernel) -> None:
        super().__init__()
        self.kernel = kernel


class _OnFeatures(nn.Module):
    """A linear map of the features at every sample; its bias is stored as a column."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        drawn = nn.Linear(inputs, outputs)
        self.weight = nn.Parameter(drawn.weight.detach().clone())
        self.bias = nn.Parameter(drawn.bias.detach().clone()[:, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mapped: torch.Tensor = self.weight @ x + self.bias
        return mapped


class S4Layer(nn.Module):
    """Convolution of every feature with its kernel, and a gated mixture of the features."""

    def __init__(self, width: int, directions: int, length: int) -> None:
        super().__init__()
        self.D = nn.Parameter(torch.randn(1, width))
        self.kernel = _Nested(Kernel(width, directions, length))
        self.output_linear = nn.Sequential(_OnFeatures(width, 2 * width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map ``[records, features, samples]`` to the same shape."""
        filtered = convolve(x, self.kernel.kernel(x.shape[-1])) + self.D[0, :, None] * x
        dropped = nn.functional.dropout1d(gelu(filtered), DROPOUT, self.training)
        return glu(self.output_linear(dropped), dim=1)


class _Blocks(nn.Module):
    """S4 layers and normalisations, under the names of the authors' predictor."""

    def __init__(self, directions: int, length: int) -> None:
        super().__init__()
        self.s4_layers, self.norms = _blocks(directions, length)


def _blocks(directions: int, length: int) -> tuple[nn.ModuleList, nn.ModuleList]:
    layers = nn.ModuleList(S4Layer(WIDTH, directions, length) for _ in range(DEPTH))
    return layers, nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(DEPTH))


def through_blocks(layers: nn.ModuleList, norms: nn.ModuleList, x: torch.Tensor) -> torch.Tensor:
    """Map ``[records, features, samples]`` through layers, each added to what comes in and normalised after.

    While a network is trained, dropout takes whole features of a record.
    """
    for layer, norm in zip(layers, norms, strict=True):
        summed = x + nn.functional.dropout1d(layer(x), DROPOUT, norm.training)
        x = norm(summed.transpose(1, 2)).transpose(1, 2)
    return x


class _Convolutions(nn.Module):
    """ECG-CPC's first layers, four convolutions of which the first halves the rate."""

    def __init__(self, leads: int) -> None:
        super().__init__()
        first = nn.Conv1d(leads, WIDTH, 3, stride=2, padding=1, bias=False)
        others = (nn.Conv1d(WIDTH, WIDTH, 1, bias=False) for _ in range(3))
        self.layers = nn.Sequential(
            *(nn.Sequential(layer, nn.BatchNorm1d(WIDTH), nn.ReLU()) for layer in (first, *others))
        )


class _Predictor(nn.Module):
    """Keeps the doubled name ``predictor.predictor`` of the published state dict."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.predictor = _Blocks(1, length)


class EcgCpc(nn.Module):
    """ECG-CPC's encoder and predictor: signals at 240 Hz to tokens at 120 Hz that know the past alone.

    Parameters
    ----------
    length
        Tokens of the longest recording, 1200 (10 s) as published; a checkpoint tells.
    """

    def __init__(self, length: int = 1200, leads: int = 12) -> None:
        super().__init__()
        self.width = WIDTH
        self.encoder = _Convolutions(leads)
        self.predictor = _Predictor(length)

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, leads, samples]`` to ``[records, 512, samples / 2]``."""
        blocks = self.predictor.predictor
        return through_blocks(blocks.s4_layers, blocks.norms, self.encoder.layers(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, leads, samples]`` to ``[records, 512]``: the mean of the tokens."""
        return self.tokens(x).mean(dim=-1)


class AttentionPool(nn.Module):
    """One learnt query that looks at all tokens, which ECG-CPC's authors put on a frozen encoder.

    Sixteen heads of 32 components without biases.
    """

    heads = 16

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, width))
        self.k_proj = nn.Linear(width, width, bias=False)
        self.q_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map tokens ``[records, width, tokens]`` to ``[records, width]``."""
        seen = tokens.transpose(1, 2)
        split = [
            projected.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for projected in (self.q_proj(self.query), self.k_proj(seen), self.v_proj(seen))
        ]
        split[0] = split[0].expand(len(seen), -1, -1, -1)
        pooled = nn.functional.scaled_dot_product_attention(*split)
        return pooled.transpose(1, 2).flatten(1)


class Attended(nn.Module):
    """ECG-CPC as it is, never trained, under an `AttentionPool` that may be."""

    def __init__(self, encoder: EcgCpc) -> None:
        super().__init__()
        self.width = encoder.width
        self.encoder = encoder.requires_grad_(False)
        self.pool = AttentionPool(encoder.width)

    def train(self, mode: bool = True) -> Attended:
        """Change the mode of the pool alone: the encoder's dropout and averages stay as when it is asked."""
        super().train(mode)
        self.encoder.eval()
        return self

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals ``[records, leads, samples]`` to ``[records, 512]``."""
        with torch.no_grad():
            tokens = self.encoder.tokens(x)
        pooled: torch.Tensor = self.pool(tokens)
        return pooled


class S4Classifier(nn.Module):
    """The supervised network: signals ``[records, leads, samples]`` to logits ``[records, outputs]``.

    Its kernels look at the past and the future. ``length`` is that of the longest input in samples: 250 as
    published, which is 2.5 s at 100 Hz.
    """

    def __init__(self, outputs: int, leads: int = 12, length: int = 250) -> None:
        super().__init__()
        self.width = WIDTH
        self.encoder = nn.Conv1d(leads, WIDTH, 1)
        self.s4_layers, self.norms = _blocks(2, length)
        self.decoder = nn.Linear(WIDTH, outputs)

    @property
    def last(self) -> nn.Linear:
        """The layer with one output a class."""
        return self.decoder

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals to ``[records, 512, samples]``."""
        return through_blocks(self.s4_layers, self.norms, self.encoder(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Map signals to ``[records, 512]``: the mean over time."""
        return self.tokens(x).mean(dim=-1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give logits."""
        logits: torch.Tensor = self.decoder(self.features(x))
        return logits

"""HuBERT-ECG's network and preprocessing.

Coppola et al., "HuBERT-ECG: a self-supervised foundation model for broad and scalable cardiac applications",
medRxiv 2024.11.14.24317328. The backbone of ``Edoar-do/HuBERT-ECG`` (commit affe1f9, ``code/hubert_ecg.py``)
is the HuBERT of transformers with other numbers; the preprocessing is that of ``code/utils.py`` and
``code/dataset.py``.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from scipy.signal import cheby1
from transformers import HubertConfig, HubertModel

from baselines.foundation.filters import ZeroPhase, band_pass_fir

RATE, SAMPLES = 500, 5000
WINDOW = 2500
"""Samples of a lead that the network is given, 5 s, before they are thinned out."""
STEP = 5
"""One of so many samples is kept."""
TAPS = 151
BAND = (0.05, 47.0)


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
        """Map what `prepare` gives ``[n, 6000]`` to ``[n, width]``: the mean over 93 tokens."""
        tokens: torch.Tensor = self(signals).last_hidden_state
        return tokens.mean(dim=1)


def prepare(signals: torch.Tensor) -> torch.Tensor:
    """Filter, scale and thin out, and lay one lead behind the other.

    The published code thins out the row of all leads, so that its filter mixes the end of one lead with the
    beginning of the next; weights trained so need it so.

    Parameters
    ----------
    signals
        ``[records, 12, 5000]``, mV at 500 Hz.

    Returns
    -------
    float64 ``[records, 6000]``: the first 5 s at 100 Hz, each lead scaled to [-1, 1] by its 10 s.
    """
    band, thinning = _filters()
    x = band(signals.double())
    low, high = x.amin(dim=-1, keepdim=True), x.amax(dim=-1, keepdim=True)
    x = 2 * (x - low) / (high - low + 1e-8) - 1
    row = x[..., :WINDOW].flatten(-2)
    return thinning(row)[..., ::STEP]


@lru_cache(maxsize=1)
def _filters() -> tuple[ZeroPhase, ZeroPhase]:
    return band_pass_fir(TAPS, BAND, RATE), ZeroPhase(cheby1(8, 0.05, 0.8 / STEP, output="sos"))

"""The contrastive loss of pairs, which knows that two patients may have the same report."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy

Gather = Callable[[torch.Tensor], torch.Tensor]


def alone(tensor: torch.Tensor) -> torch.Tensor:
    """Gather from the one process there is."""
    return tensor


def contrastive_loss(
    signals: torch.Tensor,
    texts: torch.Tensor,
    groups: torch.Tensor,
    scale: torch.Tensor,
    gather: Gather = alone,
    rank: int = 0,
) -> torch.Tensor:
    """Compute the symmetric InfoNCE loss.

    Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
    arXiv 2103.00020. A signal is to be nearer to its own text than to the other texts of the batch, and a
    text nearer to its own signal. Texts that say the same as a signal's own are no counter-examples: they
    are left out of its sum, and likewise for texts.

    Parameters
    ----------
    signals, texts
        Unit vectors ``[pairs, dim]`` of this process; row i of both is one pair.
    groups
        ``[pairs]``: equal for texts that say the same.
    scale
        1 / temperature.
    gather
        Puts a tensor's rows of all processes one below the other, in the order of their ranks, and
        carries gradients back. Every process has the same number of pairs.
    rank
        Of this process.

    Returns
    -------
    The mean over both directions and the pairs of this process. The mean of it over the processes is the
    loss of the whole batch, and so are its gradients.
    """
    signals, texts = signals.float(), texts.float()
    all_groups = gather(groups)
    own = torch.arange(len(groups), device=groups.device) + rank * len(groups)
    same = groups[:, None] == all_groups[None, :]
    same[torch.arange(len(own), device=own.device), own] = False
    to_texts = (scale * signals @ gather(texts).T).masked_fill(same, -torch.inf)
    to_signals = (scale * texts @ gather(signals).T).masked_fill(same, -torch.inf)
    return (cross_entropy(to_texts, own) + cross_entropy(to_signals, own)) / 2

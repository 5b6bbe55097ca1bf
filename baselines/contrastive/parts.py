"""A batch that is larger than memory: the loss of all of it, with the activations of one part at a time.

A contrastive loss is no mean over parts: each pair is told from all others of the batch, so steps whose
gradients are averaged would have fewer counter-examples. Here every part is placed first and only its place
is kept; when gradients come back, each part goes through the network again, and its activations are dropped
before the next one's. That is the gradient cache of Gao et al., "Scaling Deep Contrastive Learning Batch Size
under Memory Limited Setup", RepL4NLP 2021, arXiv:2101.06983, by means of recomputation (Chen et al. 2016,
arXiv:1604.06174).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.utils.checkpoint import checkpoint

T = TypeVar("T")


def by_parts(network: nn.Module, place: Callable[[T], torch.Tensor], parts: Sequence[T]) -> torch.Tensor:
    """Map parts of a batch to the rows of all of them; only one part at a time needs memory for gradients.

    Values and gradients are those of the parts without this, what is drawn inside (dropout) included. Batch
    normalisation takes its statistics from one part, as it does from the batch of one process; its running
    ones move once a part.

    Parameters
    ----------
    network
        Whose batch normalisation ``place`` goes through.
    place
        Maps a part to ``[rows, dim]``. If it draws anything on a device that a part does not lie on, it seeds
        itself.
    parts
        One or more.
    """
    if len(parts) == 1:
        return place(parts[0])

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _running_statistics_kept(network)

    return torch.cat([checkpoint(place, part, use_reentrant=False, context_fn=contexts) for part in parts])


@contextmanager
def _running_statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let nothing be counted twice that goes through the network a second time."""
    norms = [module for module in network.modules() if isinstance(module, _NormBase)]
    before = [
        (norm, norm.momentum, None if norm.num_batches_tracked is None else norm.num_batches_tracked.clone())
        for norm in norms
    ]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum, count in before:
            norm.momentum = momentum
            if count is not None and norm.num_batches_tracked is not None:
                norm.num_batches_tracked.copy_(count)

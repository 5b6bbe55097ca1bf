"""Pairs that two processes share, each with a half of the batch; what each of them runs."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import distributed, nn
from torch.distributed.nn.functional import all_gather  # what Lightning's all_gather calls
from torch.nn.functional import normalize
from torch.nn.parallel import DistributedDataParallel

from baselines.contrastive.loss import contrastive_loss
from baselines.contrastive.parts import by_parts

GROUPS = torch.tensor([0, 1, 2, 1, 3, 0])


class Places(nn.Module):
    """A network for signals, a projection of texts, a temperature: as a dual encoder, in small."""

    def __init__(self) -> None:
        super().__init__()
        self.signals = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 4))
        self.texts = nn.Linear(6, 4)
        self.log_scale = nn.Parameter(torch.tensor(2.0))

    def forward(
        self, signals: torch.Tensor, texts: torch.Tensor, groups: torch.Tensor, parts: int, *others: Any
    ) -> torch.Tensor:
        def placed(network: nn.Module, given: torch.Tensor) -> torch.Tensor:
            some = torch.tensor_split(given, parts)
            return by_parts(self, lambda part: normalize(network(part), dim=-1), some)

        both = placed(self.signals, signals), placed(self.texts, texts)
        return contrastive_loss(*both, groups, self.log_scale.exp(), *others)


def pairs_to_place() -> tuple[Places, list[torch.Tensor]]:
    torch.manual_seed(4)
    return Places(), [torch.randn(12, 5), torch.randn(12, 6), GROUPS.repeat(2)]


def of_a_share(rank: int, folder: Path) -> None:
    """Write the loss of every other pair, and the gradients that the two processes have averaged."""
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=2, timeout=timedelta(seconds=200)
    )
    try:
        torch.save(_loss_and_gradients(rank), folder / str(rank))
        distributed.barrier()  # neither takes the group apart while the other one is still at work
    finally:
        distributed.destroy_process_group()


def _loss_and_gradients(rank: int) -> list[Any]:
    """Leave nothing that holds the group: what is taken apart after it may wait for the other process."""
    network, pairs = pairs_to_place()
    mine = [tensor[rank::2] for tensor in pairs]
    shared = DistributedDataParallel(network)
    loss = shared(*mine, 3, lambda tensor: torch.cat(all_gather(tensor.contiguous())), rank)
    loss.backward()
    return [loss.detach(), [parameter.grad for parameter in network.parameters()]]


if __name__ == "__main__":
    torch.set_num_threads(1)
    of_a_share(int(sys.argv[2]), Path(sys.argv[1]))

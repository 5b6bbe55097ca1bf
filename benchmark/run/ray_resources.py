"""What one cell takes of the machines of a Ray cluster, as it is said to Ray."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmark.protocols.hardware import Hardware
from cohorts.errors import UsageError

RETRIES = 3
"""How often a cell is computed again because a machine or a process died; a model that fails has failed."""

NODE = "ray.io/node-id"


def alive(ray: Any, refused: Collection[str] = ()) -> list[dict[str, float]]:
    """What each machine of the cluster has that may be used."""
    nodes = [node for node in ray.nodes() if node["Alive"] and node["NodeID"] not in refused]
    return [node["Resources"] for node in nodes]


def share_of(hardware: Hardware, nodes: Sequence[Mapping[str, float]]) -> Hardware:
    """Say what one cell takes: one GPU if one is asked for, and threads that every machine can give it.

    Parameters
    ----------
    nodes
        What each machine has, as Ray names it ("CPU", "GPU").

    Raises
    ------
    UsageError
        If no machine has what is asked for.
    """
    on_gpu = hardware.device.startswith("cuda")
    fitting = [node for node in nodes if node.get("CPU", 0) >= 1 and (node.get("GPU", 0) >= 1 or not on_gpu)]
    if not fitting:
        wanted = "GPU; try --device cpu" if on_gpu else "processor for cells"
        raise UsageError(f"No machine of the Ray cluster has a {wanted}.")
    least = min(int(node["CPU"] // (node["GPU"] if on_gpu else 1)) for node in fitting)
    return replace(
        hardware, device="cuda" if on_gpu else hardware.device, workers=max(1, min(hardware.workers, least))
    )


def places_for(share: Hardware, nodes: Sequence[Mapping[str, float]]) -> int:
    """Count the cells that run at once."""
    on_gpu = share.device == "cuda"
    return sum(
        int(min(node.get("CPU", 0) // share.workers, node.get("GPU", 0) if on_gpu else math.inf))
        for node in nodes
    )


def task_options(share: Hardware, refused: Collection[str] = ()) -> dict[str, Any]:
    """Say to Ray what a cell takes, and which machines it is not to be sent to."""
    selector = {"label_selector": {NODE: f"!in({','.join(sorted(refused))})"}} if refused else {}
    return {
        "num_cpus": share.workers,
        "num_gpus": 1 if share.device == "cuda" else 0,
        "max_retries": RETRIES,
        "retry_exceptions": False,
        **selector,
    }

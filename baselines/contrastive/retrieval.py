"""Retrieval: how often a signal finds its report among all, and a report its signal."""

from __future__ import annotations

import torch

AT_ONCE = 1024


def recall_at(
    queries: torch.Tensor, candidates: torch.Tensor, groups: torch.Tensor, depths: tuple[int, ...]
) -> tuple[float, ...]:
    """Compute the share of queries with a hit among the nearest candidates.

    Parameters
    ----------
    queries, candidates
        Unit vectors ``[pairs, dim]``; row i of both is one pair.
    groups
        ``[pairs]``: every candidate of the query's group is a hit.
    depths
        How many of the nearest candidates are looked at. Candidates as near as the hit count as nearer,
        so that a model that gives the same vector to all finds nothing.

    Returns
    -------
    One share for each depth.
    """
    found = torch.zeros(len(depths), dtype=torch.float64)
    for start in range(0, len(queries), AT_ONCE):
        likeness = queries[start : start + AT_ONCE] @ candidates.T
        hits = groups[start : start + AT_ONCE, None] == groups[None, :]
        best = likeness.masked_fill(~hits, -torch.inf).amax(dim=1, keepdim=True)
        nearer = ((likeness >= best) & ~hits).sum(dim=1)
        found += torch.stack([(nearer < depth).sum() for depth in depths]).cpu()
    return tuple((found / max(len(queries), 1)).tolist())

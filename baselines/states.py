"""State dicts: what one lacks, has too much, or has in another shape is said by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import torch

from benchmark.text import printable
from cohorts.counts import plural
from cohorts.errors import ModelError

State = Mapping[str, torch.Tensor]


def check_state(found: State, expected: State, where: str) -> None:
    """Check that tensors are exactly those of a network.

    Parameters
    ----------
    found
        What `read_checkpoint` gave.
    expected
        The network's ``state_dict``; it may be on the meta device.
    where
        The file and what it was taken for: the beginning of the error's sentence.

    Raises
    ------
    ModelError
        If names are missing or unexpected, shapes or kinds of numbers differ, or a value is not finite. Whole
        numbers may be stored as real ones, which is what halving the precision of a state dict makes of them.
    """
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    both = [name for name in expected if name in found]
    different = [
        f"{name} is {_described(found[name])} instead of {_described(expected[name])}"
        for name in both
        if not _goes_into(found[name], expected[name])
    ]
    faults = [
        f"{len(names)} of {total} tensors {what} ({few(names)})"
        for names, total, what in (
            (missing, len(expected), "are missing"),
            (unexpected, len(found), "are unexpected"),
            (different, len(both), "differ"),
        )
        if names
    ]
    if not faults:  # only now is it known that every tensor is as small as it should be
        broken = [name for name in both if not found[name].isfinite().all()]
        faults = (
            [f"{plural(len(broken), 'tensor holds', 'tensors hold')} NaN or infinity ({few(broken)})"]
            if broken
            else []
        )
    if faults:
        raise ModelError(f"{where} does not fit: {'; '.join(faults)}.")


def _goes_into(found: torch.Tensor, expected: torch.Tensor) -> bool:
    """Tell whether shapes agree, and numbers are of one kind or go into the other without a loss."""
    if found.shape != expected.shape:
        return False
    if found.is_floating_point() and not expected.is_floating_point():
        return torch.equal(found.to(expected.dtype).to(found.dtype), found)
    return found.is_floating_point() == expected.is_floating_point()


def precision_changed(found: State, expected: State) -> str:
    """Say how many weights are stored in another precision than the network's, as the end of a sentence.

    Examples
    --------
    >>> precision_changed({"w": torch.ones(2).half()}, {"w": torch.ones(2)})
    '; 1 of them in float16, read as float32'
    """
    pairs = Counter(
        f"in {_kind(found[name])}, read as {_kind(tensor)}"
        for name, tensor in expected.items()
        if tensor.is_floating_point() and found[name].dtype != tensor.dtype
    )
    return "".join(f"; {count} of them {words}" for words, count in pairs.items())


def _described(tensor: torch.Tensor) -> str:
    return f"{_kind(tensor)} {list(tensor.shape)}"


def _kind(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def few(names: Iterable[str], count: int = 3) -> str:
    """List the first few names of many."""
    every = [printable(name, 200) for name in names]
    return ", ".join(every[:count]) + (", ..." if len(every) > count else "")

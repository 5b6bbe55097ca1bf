"""From the file that authors publish to a folder that `restored` reads, checked name by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from baselines.checkpoints import WEIGHTS, read_checkpoint, read_weights, write_weights
from baselines.foundation.hub import located
from baselines.foundation.layout import Layout
from baselines.states import State, check_state, precision_changed
from benchmark.files import sha256_of
from cohorts.errors import ModelError


@dataclass(frozen=True)
class Official:
    """The official file of a model.

    Attributes
    ----------
    model, size
        As in `baselines.checkpoints.WeightsCard`.
    expected
        Names and shapes of the network; the tensors may be on the meta device.
    layout
        How the authors' file differs from them.
    read
        Reads the tensors of a file, for one that is no file of torch; None for one that is.
    """

    model: str
    size: str
    repository: str
    licence: str
    expected: State
    layout: Layout = field(default_factory=Layout)
    read: Callable[[Path], State] | None = None


def convert(official: Official, file: str, folder: Path) -> str:
    """Check an official file and write its weights and a card into ``folder``.

    Parameters
    ----------
    file
        A file, a folder that holds it, or a hub id.

    Returns
    -------
    One sentence about what was found.

    Raises
    ------
    ModelError
        If the file cannot be read or does not fit; the message says what exactly.
    """
    source = located(file, official.layout.file)
    digest = sha256_of(source)
    _check_digest(source, digest, official.layout)
    read = official.read or partial(_read, layout=official.layout)
    found = in_our_names(read(source), official.layout, source)
    check_state(found, official.expected, f"{source} as {official.model}")
    state = {name: found[name].to(tensor.dtype) for name, tensor in official.expected.items()}
    write_weights(
        folder,
        state,
        source,
        model=official.model,
        size=official.size,
        repository=official.repository,
        licence=official.licence,
    )
    changed = precision_changed(found, official.expected)
    return f"{official.model}, {len(state)} tensors, from {source.name} (sha256 {digest[:12]}){changed}."


def restored(network: nn.Module, model: str, folder: Path, device: str) -> nn.Module:
    """Fill a network with what `convert` wrote, ready to predict, or raise `ModelError`."""
    _, state = read_weights(folder, model)
    check_state(state, network.state_dict(), f"{folder} as {model}")
    network.load_state_dict(state)
    return network.to(device).eval()


def _read(source: Path, layout: Layout) -> State:
    if not layout.parts:
        return read_checkpoint(source, wrappers=layout.wrappers)
    return {
        f"{part}.{name}": tensor
        for part in layout.parts
        for name, tensor in read_checkpoint(source, wrappers=(part,)).items()
    }


def tensors_of(file: str, layout: Layout) -> State:
    """Read the tensors that a user means, under the authors' names, for a model that these tell something."""
    return _read(located(file, layout.file), layout)


def shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Give names and shapes of the tensors in a folder of weights; none where there is no readable file."""
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError):
        return {}


def in_our_names(found: State, layout: Layout, source: Path) -> dict[str, torch.Tensor]:
    """Take off the prefix, rename, leave out what nobody needs, and give two names of a tensor one value.

    Raises
    ------
    ModelError
        If no tensor has the prefix.
    """
    inside = {
        name.removeprefix(layout.prefix): tensor
        for name, tensor in found.items()
        if name.startswith(layout.prefix)
    }
    if not inside:
        raise ModelError(f"{source} has no tensor named {layout.prefix}...: give the right file.")
    ours = {_renamed(name, layout.renamed): tensor for name, tensor in inside.items()}
    ours = {
        name: tensor
        for name, tensor in ours.items()
        if not any(re.fullmatch(pattern, name) for pattern in layout.ignored)
    }
    return _with_one_value(ours, layout.aliases)


def _renamed(name: str, rules: Mapping[str, str]) -> str:
    for pattern, replacement in rules.items():
        name = re.sub(pattern, replacement, name)
    return name


def _with_one_value(state: State, aliases: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """Give both names of a tensor the value of the one that sorts last; in an authors' file they agree."""
    values = dict(state)
    for name in state:
        first = _renamed(name, aliases)
        if first != name and first in state:
            values[name] = values[first] = state[max(name, first)]
    return values


def _check_digest(source: Path, digest: str, layout: Layout) -> None:
    known = layout.sha256.get(source.name)
    if known is not None and known != digest:
        raise ModelError(
            f"{source} is not the file that was published under this name (sha256 {digest[:12]} instead of "
            f"{known[:12]}): download it again."
        )

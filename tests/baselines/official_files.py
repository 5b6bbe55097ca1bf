"""Official files made of published names and shapes, real recordings to ask, and ways to compare."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file
from torch import nn

from baselines.foundation.base import FoundationModel
from baselines.foundation.words import VOCABULARY
from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec
from benchmark.models.plugins import installed_models
from benchmark.protocols.harmonise import harmonise, windows_of
from cohorts.catalogue import open_cohort
from cohorts.ontology.ontology import load_ontology
from tests.baselines.golden import published_state, values

State = dict[str, torch.Tensor]


def known_state(table: Path) -> State:
    """A state dict with the published names and shapes, and the known values of the golden outputs."""
    state: State = {}
    for name, shape in published_state(table):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
        else:
            size = () if shape == "scalar" else tuple(map(int, shape.split("x")))
            state[name] = torch.from_numpy(values(name, size))
    return state


def random_state(network: nn.Module, seed: int = 0) -> State:
    """The state dict of a network as it was drawn, with variances that are not all 1."""
    rng = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(tensor.shape, generator=rng) + 0.5 if name.endswith("running_var") else tensor
        for name, tensor in network.state_dict().items()
    }


def real_batch(shared: Path, spec: InputSpec, records: int = 3) -> Batch:
    """The first records of PTB-XL's sample, as a card asks for them."""
    cohort = open_cohort("ptb-xl", shared / "data")
    assert cohort is not None
    signals = [
        windows_of(harmonise(cohort.read(str(name)).to_recording(), spec), spec)[0]
        for name in cohort.index()["record_id"][:records]
    ]
    return Batch(
        np.ascontiguousarray(np.stack(signals)),
        np.full(records, np.nan, np.float32),
        np.full(records, "", dtype=np.str_),
    )


def asked_alone(ask: Callable[[Batch], Any], batch: Batch) -> Any:
    """What a model answers when it is given one record at a time."""
    return np.concatenate(
        [
            ask(Batch(batch.signals[at : at + 1], batch.age[at : at + 1], batch.sex[at : at + 1]))
            for at in range(len(batch))
        ]
    )


def relative_error(found: torch.Tensor, golden: npt.NDArray[Any]) -> float:
    """The largest deviation, relative to the largest value."""
    assert tuple(found.shape) == golden.shape
    return float(np.abs(found.numpy() - golden).max() / np.abs(golden).max())


def label_names(table: Path) -> tuple[str, ...]:
    """Labels in the order of a network's outputs."""
    with table.open(newline="") as file:
        return tuple(row["label"] for row in csv.DictReader(file))


def published_models() -> list[str]:
    """Names of all installed models that take their authors' file."""
    return [name for name, entry in installed_models().items() if is_published(entry.load())]


def is_published(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, FoundationModel)


def write_official(model: Any, folder: Path, seed: int = 0) -> Path:
    """Write random weights, the same for the same seed, as the authors of a published model lay theirs out.

    A model that is asked in words gets a vocabulary beside them, of the right number of words.
    """
    folder.mkdir(exist_ok=True)
    layout = model.layout
    path = folder / (layout.file or Path(model.weights_file).name)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        state = random_state(model.build(), seed)
    if path.suffix == ".hdf5":
        write_keras(state, path)
    elif path.suffix == ".safetensors":
        save_file({layout.prefix + name: tensor.contiguous() for name, tensor in state.items()}, path)
    elif layout.parts:
        torch.save({"epoch": 3, **{part: part_of(state, f"{part}.") for part in layout.parts}}, path)
    else:
        named = {layout.prefix + name: tensor for name, tensor in state.items()}
        torch.save({"epoch": 3, layout.wrappers[0]: named}, path)
    if hasattr(model, "vocabulary_size"):
        (folder / VOCABULARY).write_text("\n".join(vocabulary(model.vocabulary_size)) + "\n")
    return path


def part_of(state: State, prefix: str) -> State:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def vocabulary(size: int) -> list[str]:
    """The words of all prompts, and others up to the size."""
    prompts = load_ontology().concepts["prompts"]
    said = {word for texts in prompts for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())}
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(said)]
    return known + [f"word{number}" for number in range(size - len(known))]


KERAS_LAYERS = {
    "conv1d": ("kernel:0",),
    "batch_normalization": ("gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"),
    "dense": ("kernel:0", "bias:0"),
}


def write_keras(state: State, path: Path) -> None:
    """Write the Keras form of CODE's network: layers numbered in the order in which Keras creates them."""
    places = ["skip", "conv1", "bn1", "conv2", "bn2"]
    layers = ["conv", "bn", *(f"units.{unit}.{place}" for unit in range(4) for place in places), "dense"]
    made: Counter[str] = Counter()
    with h5py.File(path, "w") as file:
        for layer in layers:
            arrays = part_of(state, f"{layer}.")
            kind = "dense" if layer == "dense" else "batch_normalization" if "bn" in layer else "conv1d"
            made[kind] += 1
            names = ("weight", "bias", "running_mean", "running_var")
            for name, ours in zip(KERAS_LAYERS[kind], names, strict=False):
                array = arrays[ours].numpy()
                file[f"model_weights/{kind}_{made[kind]}/{kind}_{made[kind]}/{name}"] = array.T

"""Checkpoints of ECGCLIP in their authors' format, from the file to an encoder that computes.

They are made from the published names and shapes, not from our networks.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from baselines.checkpoints import CARD
from baselines.ecgclip.published import convert_ecgclip, load_ecgclip
from benchmark.files import sha256_of
from cohorts.errors import ModelError, UsageError
from tests.baselines.golden import TOLERANCE, error, published_state, signals, values

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def checkpoints(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


def made(table: Path) -> State:
    """A state dict with the published names and shapes, and known values."""
    state: State = {}
    for name, shape in published_state(table):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
        else:
            state[name] = torch.from_numpy(values(name, tuple(map(int, shape.split("x")))))
    return state


def parallel(state: State) -> dict[str, Any]:
    """As ECGCLIP's training script saves it."""
    return {"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}


@pytest.fixture
def resnet18(checkpoints: Path) -> State:
    return made(checkpoints / "ecgclip_resnet18_state_dict.csv")


def saved(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


@pytest.mark.parametrize("layers", [18, 34, 50])
def test_ecgclip_from_the_authors_file_to_its_outputs(checkpoints: Path, tmp_path: Path, layers: int) -> None:
    state = made(checkpoints / f"ecgclip_resnet{layers}_state_dict.csv")
    file = saved(parallel(state), tmp_path / "best.pth")
    sentence = convert_ecgclip(str(file), tmp_path / "weights")
    assert f"ECGCLIP with {layers} layers and 39 outputs, {len(state)} tensors, from best.pth" in sentence
    card = json.loads((tmp_path / "weights" / CARD).read_text())
    assert (card["model"], card["size"]) == ("ecgclip", f"resnet{layers}")
    assert card["source_sha256"] == sha256_of(file)
    assert card["repository"] == "https://github.com/dt-yuhui/ECG-CLIP"
    network = load_ecgclip(tmp_path / "weights")
    assert not network.training
    with torch.inference_mode():
        found = {"output": network(signals(8, 4096)), "embedding": network.features(signals(8, 4096))}
    assert error(found, checkpoints / f"ecgclip_resnet{layers}_golden_a.npz") <= TOLERANCE


def test_the_same_file_gives_the_same_weights(resnet18: State, tmp_path: Path) -> None:
    file = saved(parallel(resnet18), tmp_path / "best.pth")
    for folder in ("one", "two"):
        convert_ecgclip(file, tmp_path / folder)
    assert (tmp_path / "one" / CARD).read_bytes() == (tmp_path / "two" / CARD).read_bytes()


def test_an_encoder_without_linear_and_in_half_precision(resnet18: State, tmp_path: Path) -> None:
    half = {name: tensor.half() for name, tensor in resnet18.items() if not name.startswith("linear")}
    save_file(half, tmp_path / "encoder.safetensors")
    said = convert_ecgclip(tmp_path / "encoder.safetensors", tmp_path / "out")
    assert "18 layers and no outputs" in said
    assert said.endswith("); 100 of them in float16, read as float32.")
    network = load_ecgclip(tmp_path / "out")
    assert network.linear is None
    assert network.conv1.weight.dtype == torch.float32
    torch.testing.assert_close(network.conv1.weight, resnet18["conv1.weight"], atol=1e-3, rtol=0)


def without_one(state: State) -> None:
    del state["layer2.0.shortcut.1.running_mean"]


def with_one_more(state: State) -> None:
    state["layer5.0.conv1.weight"] = torch.ones(1)


def with_twelve_leads(state: State) -> None:
    state["conv1.weight"] = torch.ones(64, 12, 7)


def of_another_length(state: State) -> None:
    state["linear.bias"] = torch.ones(5)


def with_nan(state: State) -> None:
    state["bn1.weight"][3] = float("nan")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_one, "1 of 122 tensors are missing (layer2.0.shortcut.1.running_mean)"),
        (with_one_more, "1 of 123 tensors are unexpected (layer5.0.conv1.weight)"),
        (with_twelve_leads, "conv1.weight is float32 [64, 12, 7] instead of float32 [64, 8, 7]"),
        (of_another_length, "linear.weight is float32 [39, 512] instead of float32 [5, 512]"),
        (with_nan, "1 tensor holds NaN or infinity (bn1.weight)"),
        (dict.clear, "holds no state dict"),
        (lambda state: state.pop("layer1.0.conv1.weight"), "is no signal encoder of ECGCLIP"),
    ],
)
def test_ecgclip_that_does_not_fit(
    resnet18: State, tmp_path: Path, change: Callable[[State], None], words: str
) -> None:
    change(resnet18)
    file = saved(parallel(resnet18), tmp_path / "best.pth")
    with pytest.raises(ModelError) as raised:
        convert_ecgclip(file, tmp_path / "out")
    assert words in str(raised.value)
    assert str(file) in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_truncated_file_and_none_at_all(resnet18: State, tmp_path: Path) -> None:
    file = saved(parallel(resnet18), tmp_path / "best.pth")
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="is damaged or no checkpoint at all"):
        convert_ecgclip(file, tmp_path / "out")
    with pytest.raises(UsageError, match="There is no file"):
        convert_ecgclip(tmp_path / "none.pth", tmp_path / "out")

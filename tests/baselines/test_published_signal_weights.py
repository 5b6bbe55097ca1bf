"""Checkpoints of ECGCLIP and MERL in their authors' formats, from the file to an encoder that computes.

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
from transformers import BertConfig

from baselines.checkpoints import CARD
from baselines.ecgclip.published import convert_ecgclip, load_ecgclip
from baselines.networks import merl
from baselines.merl import published as merl_weights
from baselines.merl.published import convert_merl, load_merl, load_merl_encoder
from benchmark.files import sha256_of
from cohorts.errors import ModelError, UsageError
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, values

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
    half = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in resnet18.items()
        if not name.startswith("linear")
    }
    save_file(half, tmp_path / "encoder.safetensors")
    assert "18 layers and no outputs" in convert_ecgclip(tmp_path / "encoder.safetensors", tmp_path / "out")
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
        (with_nan, "1 tensors hold NaN or infinity (bn1.weight)"),
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
    for convert in (convert_ecgclip, convert_merl):
        with pytest.raises(ModelError, match="is damaged or no checkpoint at all"):
            convert(file, tmp_path / "out")
        with pytest.raises(UsageError, match="There is no file"):
            convert(tmp_path / "none.pth", tmp_path / "out")


@pytest.fixture
def small_text(monkeypatch: pytest.MonkeyPatch) -> BertConfig:
    """A text encoder of one narrow layer in place of 110 million parameters."""
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    monkeypatch.setattr(merl_weights, "published_text", lambda: config)
    return config


@pytest.fixture
def whole_merl(small_text: BertConfig) -> State:
    model = merl.Merl(small_text)
    fill(model)
    return dict(model.state_dict())


def merl_error(model: merl.Merl, checkpoints: Path) -> float:
    with torch.inference_mode():
        found = {"output": model.embed_signals(signals(12, 5000))}
        return error(found, checkpoints / "merl_resnet18_golden_a.npz")


def test_whole_merl_as_an_older_transformers_saved_it(
    checkpoints: Path, tmp_path: Path, whole_merl: State
) -> None:
    old = whole_merl | {"lm_model.embeddings.position_ids": torch.arange(512)[None]}
    file = saved(old, tmp_path / "res18_best_ckpt.pth")
    sentence = convert_merl(file, tmp_path / "out")
    assert f"MERL with its ResNet-18 and text encoder, {len(whole_merl)} tensors" in sentence
    assert merl_error(load_merl(tmp_path / "out"), checkpoints) <= TOLERANCE
    model = load_merl(tmp_path / "out", text=True)
    assert merl_error(model, checkpoints) <= TOLERANCE
    ids = torch.tensor([[3, 4, 5]])
    assert model.embed_texts(ids, torch.ones_like(ids)).shape == (1, 256)
    assert {name: tensor.tolist() for name, tensor in model.lm_model.state_dict().items()} == {
        name.removeprefix("lm_model."): tensor.tolist()
        for name, tensor in whole_merl.items()
        if name.startswith("lm_model.")
    }


def test_a_periodic_checkpoint_of_merl(tmp_path: Path, whole_merl: State) -> None:
    content = {
        "epoch": 10,
        "model_state_dict": {f"module.{name}": tensor for name, tensor in whole_merl.items()},
        "optimizer_state_dict": {"state": {}, "param_groups": []},
    }
    convert_merl(saved(content, tmp_path / "merl_10.pth"), tmp_path / "out")
    encoder = load_merl_encoder(tmp_path / "out")
    torch.testing.assert_close(encoder.conv1.weight, whole_merl["ecg_encoder.conv1.weight"], atol=0, rtol=0)


def test_the_encoder_of_merl_alone(checkpoints: Path, tmp_path: Path) -> None:
    state = made(checkpoints / "merl_linear_resnet18_state_dict.csv")
    state |= {"linear.weight": torch.zeros(10, 512), "linear.bias": torch.zeros(10)}
    file = saved(state, tmp_path / "res18_best_encoder.pth")
    assert "MERL's ResNet-18 encoder, without texts" in convert_merl(file, tmp_path / "out")
    encoder = load_merl_encoder(tmp_path / "out")
    with torch.inference_mode():
        found = {"embedding": encoder.features(signals(12, 5000))}
    assert error(found, checkpoints / "merl_linear_resnet18_golden_a.npz") <= TOLERANCE
    with pytest.raises(ModelError, match=r"signal encoder alone .* convert the file of the whole model"):
        load_merl(tmp_path / "out")


def test_merl_that_does_not_fit(tmp_path: Path, whole_merl: State) -> None:
    del whole_merl["att_pool_head.cls_token"]
    whole_merl["proj_t.2.weight"] = torch.zeros(128, 256)
    file = saved(whole_merl, tmp_path / "ckpt.pth")
    with pytest.raises(ModelError) as raised:
        convert_merl(file, tmp_path / "out")
    assert "tensors are missing (att_pool_head.cls_token)" in str(raised.value)
    assert "(proj_t.2.weight is float32 [128, 256] instead of float32 [256, 256])" in str(raised.value)


def test_weights_of_one_model_are_not_taken_for_another(resnet18: State, tmp_path: Path) -> None:
    file = saved(parallel(resnet18), tmp_path / "best.pth")
    with pytest.raises(ModelError, match=r"conv1.weight is float32 \[64, 8, 7\] instead of"):
        convert_merl(file, tmp_path / "out")
    convert_ecgclip(file, tmp_path / "out")
    with pytest.raises(ModelError, match="holds weights of ecgclip, not of merl"):
        load_merl_encoder(tmp_path / "out")

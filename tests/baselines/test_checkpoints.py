"""Checkpoints as their authors write them, and as accidents and strangers do."""

from __future__ import annotations

import copy
import io
import os
import pickle
import random
import resource
import sys
import zipfile
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from baselines.checkpoints import CARD, WEIGHTS, read_checkpoint, read_weights, write_weights
from baselines.states import check_state, precision_changed
from cohorts.errors import LeadboardError, ModelError, UsageError

STATE = {
    "conv.weight": torch.arange(24.0).reshape(2, 3, 4),
    "bn.running_var": torch.ones(2),
    "bn.num_batches_tracked": torch.tensor(7),
}

OPTIMISER = {
    "state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.zeros(2, 3)}},
    "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "foreach": None, "params": [0]}],
}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor] = STATE) -> bool:
    return list(found) == list(expected) and all(torch.equal(found[name], expected[name]) for name in found)


def prefixed(prefix: str) -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in STATE.items()}


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        prefixed("module."),
        {"state_dict": STATE},
        {"epoch": 3, "state_dict": prefixed("module."), "optimizer": {"lr": 0.1}},
        {"model": STATE, "opt": None},
        {"epoch": 5, "model_state_dict": prefixed("module."), "optimizer_state_dict": OPTIMISER},
        {"state_dict": STATE, "best_auc": np.float64(0.5), "loss": np.float32(1), "curve": np.arange(9.0)},
        {"state_dict": {name: torch.nn.Parameter(tensor) for name, tensor in STATE.items() if tensor.ndim}},
    ],
    ids=str,
)
@pytest.mark.parametrize("zipped", [True, False])
def test_what_training_scripts_write(tmp_path: Path, content: Any, zipped: bool) -> None:
    path = tmp_path / "checkpoint.pth.tar"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path)
    assert same(found, {name: STATE[name] for name in found})
    assert {"conv.weight", "bn.running_var"} <= set(found)
    assert not any(tensor.requires_grad for tensor in found.values())


def test_a_number_as_numpy_1_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    torch.save({"state_dict": STATE, "best": np.float64(0.5)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert same(read_checkpoint(path))


def test_a_number_of_numpy_is_skipped_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save({"state_dict": STATE, "best": np.float64(0.5)}, path, _use_new_zipfile_serialization=False)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"f8", b"\xc3\xa9"))  # a kind of number that there is not
    assert path.read_bytes() != content
    assert same(read_checkpoint(path))


def test_safetensors(tmp_path: Path) -> None:
    save_file(prefixed("module."), tmp_path / "model.safetensors")
    assert read_checkpoint(tmp_path / "model.safetensors").keys() == STATE.keys()


def test_other_wrappers_and_names_to_ignore(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"ecg_model": STATE, "text_encoder": {"a": torch.ones(1)}}, path)
    assert set(read_checkpoint(path, wrappers=["text_encoder"])) == {"a"}
    assert set(read_checkpoint(path, wrappers=["ecg_model"], ignore=["bn.num_batches_tracked"])) == {
        "conv.weight",
        "bn.running_var",
    }


def test_a_prefix_that_only_some_names_have_is_part_of_them(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, path)
    assert set(read_checkpoint(path)) == {"module.a", "b"}


@pytest.mark.parametrize(
    "content",
    [
        {},
        [1, 2],
        torch.ones(3),
        {"epoch": 3},
        {"encoder": STATE},
        {"state_dict": {}},
        {"state_dict": {"a": 1.0}},
        {"state_dict": {1: torch.ones(1)}},
        {**STATE, "epoch": 3},
        {"a": torch.ones(3).to_sparse()},
        {"a": torch.ones(1).expand(10**12)},
        {"a": torch.ones(1, device="meta")},
    ],
    ids=str,
)
def test_no_state_dict(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "model.pt"
    torch.save(content, path)
    with pytest.raises(ModelError, match=r"model\.pt holds no state dict, neither .* but "):
        read_checkpoint(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(UsageError, match="is a folder: give the checkpoint"):
        read_checkpoint(tmp_path)


class Evil:
    """Runs a command when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> Any:
        return os.system, (f"echo run > {self.victim}",)


@pytest.mark.parametrize("kind", ["zip", "legacy", "pickle"])
def test_code_in_a_checkpoint_does_not_run(tmp_path: Path, kind: str) -> None:
    path, victim = tmp_path / "evil.pth", tmp_path / "victim"
    content = {"state_dict": STATE if kind != "pickle" else {}, "config": Evil(victim)}
    if kind == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")
    with pytest.raises(ModelError, match=r"evil\.pth (holds Python objects .*\.system|is damaged)"):
        read_checkpoint(path)
    assert not victim.exists()
    if kind != "pickle":
        torch.load(path, weights_only=False)
        assert victim.exists()  # so the trap is a real one


def test_names_in_a_checkpoint_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    for content, state in (({"\x1b[2Jkey": 1}, False), ({"\x1b[2Jkey": torch.ones(1)}, True)):
        torch.save(content, path)
        with pytest.raises(ModelError, match="key") as caught:
            check_state(read_checkpoint(path), STATE, "model.pt")
        assert str(caught.value).isprintable()
        assert ("does not fit" in str(caught.value)) == state


def test_objects_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.save({"model": torch.nn.Linear(2, 2)}, path)
    with pytest.raises(ModelError, match=r"torch\.nn\.modules\.linear\.Linear\), which are not loaded"):
        read_checkpoint(path)


@pytest.mark.parametrize("name", ["model.pth", "model.safetensors"])
def test_every_truncation_is_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".pth":
        torch.save({"state_dict": STATE}, path)
    else:
        save_file(STATE, path)
    whole = path.read_bytes()
    for size in range(0, len(whole) - 1, max(1, len(whole) // 50)):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"is damaged or no checkpoint at all .*: download it again"):
            read_checkpoint(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_bytes_at_random_never_give_another_error(tmp_path: Path, zipped: bool) -> None:
    stream = io.BytesIO()
    torch.save({"state_dict": STATE}, stream, _use_new_zipfile_serialization=zipped)
    rng = random.Random(1)
    path = tmp_path / "model.pth"
    refused = 0
    for _ in range(300):
        altered = bytearray(stream.getvalue())
        for _ in range(rng.randrange(1, 4)):
            altered[rng.randrange(len(altered))] = rng.randrange(256)
        path.write_bytes(altered)
        try:
            read_checkpoint(path)
        except LeadboardError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html>", b"version https://git-lfs.github.com/spec/v1\n", b"\x80"]
)
@pytest.mark.parametrize("name", ["model.pth", "model.safetensors"])
def test_what_is_downloaded_instead_of_a_checkpoint(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match="is damaged or no checkpoint at all"):
        read_checkpoint(tmp_path / name)


def test_another_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pth", "w") as archive:
        archive.writestr("model/weights.txt", "none")
    with pytest.raises(ModelError, match="is damaged or no checkpoint at all"):
        read_checkpoint(tmp_path / "model.pth")


@pytest.mark.parametrize("name", ["model.pth", "model.pth.tar"])
def test_a_compressed_checkpoint_does_not_fill_the_memory(tmp_path: Path, name: str) -> None:
    whole, packed = tmp_path / "whole.pth", tmp_path / name
    torch.save({"state_dict": {"a": torch.zeros(50_000)}}, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            target.writestr(member, source.read(member))
    assert packed.stat().st_size < 10_000
    assert set(torch.load(packed, weights_only=True)) == {"state_dict"}  # so torch would have taken it
    with pytest.raises(ModelError, match=r"unpacks to 20\d,\d{3}, which no file of torch.save does"):
        read_checkpoint(packed)


def test_members_that_share_their_bytes_do_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save({"state_dict": {"a": torch.zeros(50_000)}}, path)
    with zipfile.ZipFile(path, "a") as archive:
        for at in range(3):
            twin = copy.copy(archive.getinfo("model/data/0"))
            twin.filename = f"model/data/{at + 1}"
            archive.filelist.append(twin)
        archive._didModify = True
    with pytest.raises(ModelError, match=r"which no file of torch\.save does"):
        read_checkpoint(path)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
@pytest.mark.parametrize(
    "call", [b"cbuiltins\nbytearray\n\x8a\x06%b\x85R.", b"ctorch\nFloatTensor\n\x8a\x06%b\x85R."]
)
def test_a_few_bytes_cannot_ask_for_a_hundred_gigabytes(tmp_path: Path, call: bytes) -> None:
    path, other = tmp_path / "model.pth", tmp_path / "other.pth"
    torch.save(STATE, other)
    with zipfile.ZipFile(other) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.namelist():
            content = source.read(member)
            if member.endswith("data.pkl"):
                content = b"\x80\x02" + call % (10**11).to_bytes(6, "little")
            target.writestr(member.replace("other/", "model/"), content)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(ModelError, match="is damaged or no checkpoint at all"):
        read_checkpoint(path)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_what_cannot_be_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pth")
    for path in (tmp_path / "pipe.pth", tmp_path / ("x" * 300), Path("a\0b")):
        with pytest.raises(UsageError, match="There is no file") as caught:
            read_checkpoint(path)
        assert str(caught.value).isprintable()


def test_a_state_that_fits() -> None:
    check_state(STATE, {name: tensor.to("meta") for name, tensor in STATE.items()}, "x")
    check_state({**STATE, "bn.running_var": torch.ones(2, dtype=torch.float16)}, STATE, "x")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_counts_that_were_made_real_numbers_with_all_the_rest(kind: torch.dtype) -> None:
    found = {name: tensor.to(kind) for name, tensor in STATE.items()}
    check_state(found, STATE, "x")
    what = str(kind).removeprefix("torch.")
    assert precision_changed(found, STATE) == f"; 2 of them in {what}, read as float32"
    assert precision_changed(STATE, STATE) == ""


@pytest.mark.parametrize("count", [6.5, float("nan"), float("inf"), 1e30])
def test_a_count_that_is_no_whole_number_is_refused(count: float) -> None:
    found = {**STATE, "bn.num_batches_tracked": torch.tensor(count)}
    assert "bn.num_batches_tracked is float32 [] instead of int64 []" in message(found)


def message(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor] = STATE) -> str:
    with pytest.raises(ModelError) as error:
        check_state(found, expected, "model.pth as a network")
    return str(error.value)


def test_what_does_not_fit_is_said_by_name() -> None:
    missing = {name: tensor for name, tensor in STATE.items() if name != "bn.running_var"}
    assert message(missing) == (
        "model.pth as a network does not fit: 1 of 3 tensors are missing (bn.running_var)."
    )
    assert "1 of 4 tensors are unexpected (head.bias)" in message({**STATE, "head.bias": torch.ones(1)})
    wrong = {**STATE, "conv.weight": torch.ones(2, 4, 3)}
    assert "1 of 3 tensors differ (conv.weight is float32 [2, 4, 3] instead of float32 [2, 3, 4])" in message(
        wrong
    )
    kind = {**STATE, "bn.running_var": torch.ones(2, dtype=torch.int64)}
    assert "bn.running_var is int64 [2] instead of float32 [2]" in message(kind)
    broken = {**STATE, "bn.running_var": torch.tensor([1, float("nan")])}
    assert "1 tensor holds NaN or infinity (bn.running_var)" in message(broken)


def test_many_faults_are_counted_and_the_first_few_told() -> None:
    found = {f"layer{i}": torch.ones(1) for i in range(100)}
    told = message(found)
    assert "3 of 3 tensors are missing (conv.weight, bn.running_var, bn.num_batches_tracked)" in told
    assert "100 of 100 tensors are unexpected (layer0, layer1, layer2, ...)" in told
    assert len(told) < 300


@pytest.fixture
def written(tmp_path: Path) -> Path:
    source = tmp_path / "source.pth"
    torch.save(STATE, source)
    write_weights(tmp_path / "out", STATE, source, model="m", size="s", repository="r", licence="l")
    return tmp_path / "out"


def test_weights_in_a_folder_come_back(written: Path) -> None:
    card, state = read_weights(written, "m")
    assert same({name: state[name] for name in STATE})
    assert card.note == "Weights of the file source.pth as the user gave it."
    assert len(card.source_sha256) == 64


def test_tensors_that_share_memory_are_written(tmp_path: Path) -> None:
    shared = torch.arange(6.0).reshape(2, 3)
    source = tmp_path / "source.pth"
    torch.save({"a": shared, "b": shared.T}, source)
    state = read_checkpoint(source)
    write_weights(tmp_path, state, source, model="m", size="s", repository="r", licence="l")
    assert same(read_weights(tmp_path, "m")[1], {"a": shared, "b": shared.T})


def test_a_damaged_folder_is_refused(written: Path) -> None:
    with pytest.raises(ModelError, match="holds weights of m, not of other"):
        read_weights(written, "other")
    weights, card = written / WEIGHTS, written / CARD
    weights.unlink()
    with pytest.raises(ModelError, match="holds no weights of m"):
        read_weights(written, "m")
    card.write_text("{}")
    with pytest.raises(ModelError, match="holds no weights of m"):
        read_weights(written, "m")
    with pytest.raises(ModelError, match="holds no weights of m"):
        read_weights(written / "none", "m")


def test_settings_of_a_training_are_left_out_and_need_no_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Lightning saves what OmegaConf has read; the library is gone when the file is read."""
    modules = {name: ModuleType(f"omegaconf.{name}") for name in ("base", "dictconfig", "nodes")}
    made = {}
    for module, name in (("dictconfig", "DictConfig"), ("base", "ContainerMetadata"), ("nodes", "AnyNode")):
        made[name] = type(name, (), {"__module__": f"omegaconf.{module}"})
        setattr(modules[module], name, made[name])
    config, metadata, node = (made[name]() for name in ("DictConfig", "ContainerMetadata", "AnyNode"))
    metadata.__dict__ = {"ref_type": Any, "object_type": dict, "flags": defaultdict(dict, a={"b": int})}
    node.__dict__ = {"_val": 1e-3, "_parent": config}
    config.__dict__ = {"_metadata": metadata, "_content": {"lr": node}}
    with monkeypatch.context() as there:
        for module in (ModuleType("omegaconf"), *modules.values()):
            there.setitem(sys.modules, module.__name__, module)
        torch.save({"state_dict": {"a": torch.ones(2)}, "hyper_parameters": config}, tmp_path / "last.ckpt")
    assert read_checkpoint(tmp_path / "last.ckpt")["a"].tolist() == [1, 1]

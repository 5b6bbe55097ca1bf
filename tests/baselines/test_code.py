"""CODE's networks compute what the published ones compute, from the authors' files to scores and ages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from torch import nn

from baselines.foundation import code
from baselines.foundation.preparation import centred
from baselines.networks.code import CodeKeras, CodeResNet
from cohorts.errors import ModelError
from tests.baselines.golden import TOLERANCE, error, fill, published_state, signals, state_of, values
from tests.baselines.official_files import asked_alone, known_state, label_names, real_batch

TORCH = {"code_resnet1d_6class": 6, "code_ecg_age": 1}


@pytest.fixture(scope="module")
def facts(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


def filled(outputs: int) -> Any:
    network = CodeResNet(outputs).eval()
    fill(network)
    return network


def error_of(network: Any, golden: Path) -> float:
    with torch.inference_mode():
        features = network.features(signals(12, 4096))
        return error({"embedding": features, "output": network.lin(features)}, golden)


@pytest.mark.parametrize("name", TORCH)
def test_the_torch_form_is_the_published_one(facts: Path, name: str) -> None:
    network = filled(TORCH[name])
    assert state_of(network) == published_state(facts / f"{name}_state_dict.csv")
    assert error_of(network, facts / f"{name}_golden_a.npz") <= TOLERANCE


def activated_stem(network: Any) -> None:
    network.bn1 = nn.Sequential(network.bn1, nn.ReLU())


def mean_pooled(network: Any) -> None:
    network.resblock1d_3.skip_connection[0] = nn.AvgPool1d(4)


@pytest.mark.parametrize("change", [activated_stem, mean_pooled])
def test_one_changed_layer_of_the_torch_form_is_noticed(facts: Path, change: Any) -> None:
    network = filled(6)
    change(network)
    assert error_of(network, facts / "code_resnet1d_6class_golden_a.npz") > TOLERANCE


def keras_value(name: str, shape: tuple[int, ...]) -> Any:
    drawn = values(name, shape)
    if name.endswith("gamma"):
        return 1 + drawn
    return 1 + np.abs(drawn) if name.endswith("moving_variance") else drawn


def official_keras(facts: Path, path: Path, first: int) -> str:
    """A file as Keras 2 writes it, in a session that has made other layers before."""
    with h5py.File(path, "w") as file:
        for name, shape in published_state(facts / "code_keras_6class_state_dict.csv"):
            layer, array = name.split("/")
            numbered = re.fullmatch(r"(.+?)(?:_(\d+))?", layer)
            assert numbered is not None
            kind, number = numbered[1], first + int(numbered[2] or 0)
            ours = f"{kind}_{number}" if number else kind
            value = keras_value(name, tuple(map(int, shape.split("x"))))
            file[f"model_weights/{ours}/{ours}/{array}:0"] = value
        file["optimizer_weights/Adam/conv1d_1/kernel/m:0"] = np.zeros(3)
        file["model_weights"].create_group("dropout_1")
    return str(path)


@pytest.fixture(scope="module")
def keras(facts: Path, tmp_path_factory: pytest.TempPathFactory) -> code.CodeResNet:
    folder = tmp_path_factory.mktemp("keras")
    model = code.CodeResNet()
    file = official_keras(facts, folder / "model.hdf5", 9)
    assert "code-resnet, " in model.convert(file, folder / "weights")
    model.load(folder / "weights")
    return model


def keras_error(network: Any, facts: Path) -> float:
    with torch.inference_mode():
        features = network.features(signals(12, 4096))
        logits = network.dense(features)
        found = {"embedding": features, "logits": logits}
        return error(found, facts / "code_keras_6class_golden_a.npz")


def test_the_keras_form_is_the_published_one(facts: Path, keras: code.CodeResNet) -> None:
    assert keras_error(keras._network, facts) <= TOLERANCE
    published = dict(published_state(facts / "code_keras_6class_state_dict.csv"))
    arrays = [tensor for name, tensor in CodeKeras().state_dict().items() if "num_batches" not in name]
    assert sorted(tensor.numel() for tensor in arrays) == sorted(
        int(np.prod([int(side) for side in shape.split("x")])) for shape in published.values()
    )


def other_epsilon(network: Any) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.eps = 1e-5


def swapped_convolutions(network: Any) -> None:
    first, second = network.units[1].bn1, network.units[1].bn2
    network.units[1].bn1, network.units[1].bn2 = second, first


def channel_after_channel(network: Any) -> None:
    network.dense.weight.data = network.dense.weight.data.reshape(6, 16, 320).transpose(1, 2).flatten(1)


@pytest.mark.parametrize("change", [other_epsilon, swapped_convolutions, channel_after_channel])
def test_one_changed_layer_of_the_keras_form_is_noticed(
    facts: Path, keras: code.CodeResNet, change: Any
) -> None:
    network = CodeKeras().eval()
    network.load_state_dict(keras._network.state_dict())
    change(network)
    assert keras_error(network, facts) > TOLERANCE


def test_the_first_layer_may_have_no_number(facts: Path, tmp_path: Path) -> None:
    model = code.CodeResNet()
    model.convert(official_keras(facts, tmp_path / "model.hdf5", 0), tmp_path / "weights")
    model.load(tmp_path / "weights")
    assert keras_error(model._network, facts) <= TOLERANCE


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: file.pop("model_weights/conv1d_3"), "has the layers 9 batch_normalization, 12 conv1d"),
        (lambda file: file.pop("model_weights/dense/dense/bias:0"), "without the arrays of its kind"),
        (lambda file: file.pop("model_weights"), "holds no layers of Keras"),
    ],
)
def test_a_keras_file_that_does_not_fit(facts: Path, tmp_path: Path, damage: Any, words: str) -> None:
    path = official_keras(facts, tmp_path / "model.hdf5", 0)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(ModelError, match=words):
        code.CodeResNet().convert(path, tmp_path / "weights")


def test_no_keras_file_at_all(tmp_path: Path) -> None:
    (tmp_path / "model.hdf5").write_bytes(b"no HDF5")
    with pytest.raises(ModelError, match="damaged or no HDF5 file"):
        code.CodeResNet().convert(str(tmp_path), tmp_path / "weights")


def test_scores_of_real_recordings(shared: Path, keras: code.CodeResNet) -> None:
    batch = real_batch(shared, keras.card.input)
    assert batch.signals.shape == (3, 12, 4096)
    scores = keras.predict(batch)
    assert scores.shape == (3, 6)
    assert keras.embed(batch).shape == (3, 5120)
    np.testing.assert_allclose(asked_alone(keras.predict, batch), scores, rtol=1e-4, atol=1e-6)


def test_the_age_and_the_torch_form_from_the_authors_files(shared: Path, facts: Path, tmp_path: Path) -> None:
    for entry, table in ((code.CodeResNetTorch, "code_resnet1d_6class"), (code.CodeEcgAge, "code_ecg_age")):
        model, folder = entry(), tmp_path / table
        folder.mkdir()
        state = known_state(facts / f"{table}_state_dict.csv")
        torch.save({"epoch": 3, "model": state, "valid_loss": 0.5}, folder / "model.pth")
        model.convert(str(folder), folder / "weights")
        model.load(folder / "weights")
        assert error_of(model._network, facts / f"{table}_golden_a.npz") <= TOLERANCE
        batch = real_batch(shared, model.card.input)
        assert model.embed(batch).shape == (3, 5120)
    assert isinstance(model, code.CodeEcgAge)
    assert model.ages(batch).shape == (3,)
    with pytest.raises(ModelError, match="has no outputs of its own"):
        model.predict(batch)


def test_a_short_recording_lies_in_the_middle() -> None:
    signals = torch.zeros(3, 2, 10)
    signals[0, 1, :6] = torch.arange(1.0, 7)
    signals[1, 0, :] = 1
    moved = centred(signals)
    assert moved[0, 1].tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 0, 0]
    torch.testing.assert_close(moved[1:], signals[1:])


def test_its_labels_are_the_published_ones_in_order(facts: Path) -> None:
    for entry in (code.CodeResNet, code.CodeResNetTorch):
        assert entry.published.columns == label_names(facts / "code_6class_labels.csv")
        assert entry.published.outputs == ("IAVB", "RBBB", "LBBB", "SB", "AF", "STach")

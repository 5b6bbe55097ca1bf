"""ST-MEM, ECG-JEPA, ECG-CPC and the PTB-XL benchmark, from their authors' files to what they answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import signal
from scipy.special import expit, softmax

from baselines.foundation.ecg_cpc import EcgCpc, EcgCpcAttention
from baselines.foundation.ecg_jepa import EcgJepa
from baselines.foundation.ptbxl_benchmark import MEAN, SCALE, Inception1d, ResNet1dWang, XResNet1d101
from baselines.foundation.resampling import fourier_lower
from baselines.foundation.st_mem import StMem
from baselines.foundation.windows import windows_with_signal
from baselines.networks import ecg_jepa, s4, st_mem
from benchmark.models.cards import card_of
from benchmark.models.contract import Batch, Encoder, FitSettings, Published, Trainable
from cohorts.errors import ModelError
from tests.baselines.fakes import CONCEPTS, FakeRecords
from tests.baselines.golden import published_state
from tests.baselines.official_files import random_state

State = dict[str, torch.Tensor]
BENCHMARK = (XResNet1d101, Inception1d, ResNet1dWang)


class SmallStMem(StMem):
    """One block in place of twelve; names and shapes of what is left are the same."""

    def build(self) -> st_mem.StMem:
        return st_mem.StMem(depth=1)


class SmallEcgJepa(EcgJepa):
    def build(self) -> ecg_jepa.EcgJepa:
        return ecg_jepa.EcgJepa(depth=1)


def whole_st_mem(state: State) -> dict[str, Any]:
    """Encoder and decoder, with a second name for the patch embedding."""
    named = {f"encoder.{name}": tensor for name, tensor in state.items()}
    twice = {name: tensor for name, tensor in state.items() if name.startswith("to_patch_embedding")}
    return {
        "model": {**twice, **named, "mask_embedding": torch.zeros(768), "decoder_norm.bias": torch.zeros(9)}
    }


def lightning(state: State) -> dict[str, Any]:
    named = {f"ts_encoder.{name}": tensor for name, tensor in state.items()}
    return {
        "state_dict": {**named, "ts_encoder.head_ssl.proj.0.weight": torch.zeros(512, 512)},
        "epoch": 199,
        "pytorch-lightning_version": "2.5",
    }


def fastai(state: State) -> dict[str, Any]:
    """As fastai 1 saves a model with its optimiser."""
    return {"model": state, "opt": {"state": {}, "param_groups": [{"lr": 0.01, "params": [0, 1]}]}}


FILES: dict[str, tuple[Any, Callable[[State], Any]]] = {
    "st-mem": (SmallStMem, lambda state: {"model": state}),
    "st-mem, whole": (SmallStMem, whole_st_mem),
    "ecg-jepa": (SmallEcgJepa, lambda state: {"encoder": state, "epoch": 100}),
    "ecg-cpc": (EcgCpc, lightning),
    "ecg-cpc-attention": (EcgCpcAttention, lightning),
    "xresnet1d101": (XResNet1d101, fastai),
    "inception1d": (Inception1d, fastai),
    "resnet1d_wang": (ResNet1dWang, fastai),
}


def batch(model: Any, records: int) -> Batch:
    spec = card_of(model).input
    shape = (records, len(spec.leads), spec.samples)
    signals = np.random.default_rng(0).normal(0, 0.3, shape).astype(np.float32)
    return Batch(signals, np.full(records, np.nan, np.float32), np.full(records, "", dtype=np.str_))


def one(several: Batch, row: int) -> Batch:
    return Batch(several.signals[row : row + 1], several.age[:1], several.sex[:1])


def converted(model: Any, wrap: Callable[[State], Any], folder: Path) -> State:
    state = random_state(model.build())
    torch.save(wrap(state), folder / "official.pth")
    assert "tensors, from official.pth" in model.convert(str(folder / "official.pth"), folder / "weights")
    model.load(folder / "weights")
    return state


@pytest.mark.parametrize("name", FILES)
def test_from_the_authors_file_to_features_and_scores(name: str, tmp_path: Path) -> None:
    model_class, wrap = FILES[name]
    model = model_class()
    assert isinstance(model, Encoder)
    assert isinstance(model, Published)
    state = converted(model, wrap, tmp_path)
    several = batch(model, 2)
    network = model.build().eval()
    own = network.state_dict()
    for key, tensor in sorted(state.items()):
        own[key].copy_(tensor)
    with torch.inference_mode():
        windows = model.prepare(torch.from_numpy(several.signals[:1]))[0]
        expected = network.features(windows).mean(dim=0)
    together = model.embed(several)
    np.testing.assert_allclose(together[0], expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(together).all()
    assert (np.ptp(together, axis=0) > 0).any()
    answers = [(model.embed, together)]
    if model.card.outputs:
        answers.append((model.predict, model.predict(several)))
    for ask, found in answers:
        alone = np.concatenate([ask(one(several, row)) for row in range(2)])
        np.testing.assert_allclose(alone, found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("model_class", "table"),
    [
        (XResNet1d101, "ptbxl_xresnet1d101"),
        (Inception1d, "ptbxl_inception1d"),
        (ResNet1dWang, "ptbxl_resnet1d_wang"),
        (StMem, "st_mem_vit_base_encoder"),
        (EcgJepa, "ecg_jepa_encoder"),
        (EcgCpc, "ecg_cpc"),
    ],
)
def test_the_file_that_is_expected_is_the_published_one(shared: Path, model_class: Any, table: str) -> None:
    official = model_class().official()
    expected = {
        official.layout.prefix + name: "x".join(map(str, tensor.shape)) or "scalar"
        for name, tensor in official.expected.items()
    }
    published = dict(published_state(shared / "facts" / "checkpoints" / f"{table}_state_dict.csv"))
    published.pop("ts_encoder.head_ssl.proj.0.weight", None)
    assert expected == published


def test_the_benchmark_scores_71_statements_by_the_highest_of_seven_windows(tmp_path: Path) -> None:
    model = ResNet1dWang()
    state = converted(model, fastai, tmp_path)
    several = batch(model, 2)
    network = model.build().eval()
    network.load_state_dict(state)
    crops = [several.signals[..., start : start + 250] for start in range(0, 751, 125)]
    with torch.inference_mode():
        scores = [torch.sigmoid(network((torch.from_numpy(crop) - MEAN) / SCALE)) for crop in crops]
    np.testing.assert_allclose(model.predict(several), torch.stack(scores).amax(dim=0), atol=1e-6)
    assert len(scores) == 7


def test_the_labels_of_the_benchmark_are_those_of_its_networks(shared: Path) -> None:
    import csv

    with (shared / "facts" / "checkpoints" / "ptbxl_exp0_labels.csv").open(newline="") as file:
        expected = tuple(row["label"] for row in csv.DictReader(file))
    for model in BENCHMARK:
        card = card_of(model())
        assert card.columns == expected
        assert card.trained_on == ("ptb-xl",)
        assert {"AF", "LBBB", "RBBB", "IAVB"} <= set(card.outputs)


def test_ecg_cpc_reads_its_longest_recording_from_the_file(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = s4.EcgCpc(length=600).state_dict()
    torch.save(lightning(state), tmp_path / "last.ckpt")
    model = EcgCpc()
    model.convert(str(tmp_path / "last.ckpt"), tmp_path / "weights")
    fresh = EcgCpc()
    fresh.load(tmp_path / "weights")
    assert fresh.embed(batch(fresh, 1)).shape == (1, 512)
    assert fresh._network.predictor.predictor.s4_layers[3].kernel.kernel.omega.shape == (301, 2)


def test_a_file_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    state = random_state(SmallEcgJepa().build())
    del state["pos_embed"]
    torch.save({"encoder": state}, tmp_path / "official.pth")
    with pytest.raises(ModelError, match=r"1 of \d+ tensors are missing \(pos_embed\)"):
        SmallEcgJepa().convert(str(tmp_path / "official.pth"), tmp_path / "weights")
    torch.save({"state_dict": state}, tmp_path / "official.pth")
    with pytest.raises(ModelError, match=r"no tensor named ts_encoder\."):
        EcgCpc().convert(str(tmp_path / "official.pth"), tmp_path / "weights")


@pytest.mark.parametrize(
    ("model_class", "wrap"), [FILES["st-mem"], pytest.param(*FILES["ecg-cpc"], marks=pytest.mark.slow)]
)
def test_they_are_trained_further_and_restored(model_class: Any, wrap: Any, tmp_path: Path) -> None:
    model = model_class()
    assert isinstance(model, Trainable)
    converted(model, wrap, tmp_path)
    before = model.embed(batch(model, 2))
    spec = card_of(model).input
    records = [Resampled(4, 1, spec), Resampled(2, 2, spec)]
    model.recipe = type(model.recipe)("", epochs=1, batch_size=2, least_steps=1, learning_rate=1e-3)
    (tmp_path / "fit").mkdir()
    model.fit(*records, FitSettings(CONCEPTS, 5, "cpu", tmp_path / "fit"))
    scores = model.predict(batch(model, 2))
    assert scores.shape == (2, len(CONCEPTS))
    assert not np.allclose(model.embed(batch(model, 2)), before, atol=1e-4)
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    fresh = model_class()
    fresh.load(tmp_path / "saved")
    assert card_of(fresh).outputs == CONCEPTS
    np.testing.assert_allclose(fresh.predict(batch(model, 2)), scores, atol=1e-6)


class Resampled(FakeRecords):
    """The fake records with as many samples as a card asks for."""

    def __init__(self, count: int, seed: int, spec: Any) -> None:
        super().__init__(count, seed, spec)
        made = self.everything
        signals = signal.resample(made.signals, spec.samples, axis=-1).astype(np.float32)
        signals.setflags(write=False)
        self.everything = Batch(signals, made.age, made.sex)


def test_st_mem_filters_each_crop_and_standardises_it(tmp_path: Path) -> None:
    x = batch(StMem(), 2).signals.cumsum(axis=-1)
    found = StMem().prepare(torch.from_numpy(x)).numpy()
    assert found.shape == (2, 3, 12, 2250)
    high, low = (
        signal.butter(5, edge, kind, fs=250, output="sos")
        for edge, kind in ((0.67, "highpass"), (40, "lowpass"))
    )
    for number, start in enumerate((0, 125, 250)):
        crop = x[:, :, start : start + 2250].astype(np.float64)
        filtered = signal.sosfiltfilt(low, signal.sosfiltfilt(high, crop))
        mean, deviation = (f(filtered, axis=(1, 2), keepdims=True) for f in (np.mean, np.std))
        np.testing.assert_allclose(found[:, number], (filtered - mean) / deviation, atol=1e-6)
    flat = StMem().prepare(torch.zeros(1, 12, 2500))
    assert not flat.any()


@pytest.mark.parametrize("samples", [1000, 2500, 2501, 5000])
def test_fourier_resampling_is_that_of_scipy(samples: int) -> None:
    x = np.random.default_rng(0).normal(0, 1, (2, 3, 5000))
    found = fourier_lower(torch.from_numpy(x), samples).numpy()
    np.testing.assert_allclose(found, signal.resample(x, samples, axis=-1), atol=1e-12)


def test_padding_of_a_short_recording_is_no_window() -> None:
    signals = torch.zeros(4, 2, 10)
    signals[0] = 1
    signals[1, :, :5] = torch.arange(1, 6)  # one sample of the third window
    signals[2, :, :4] = torch.arange(1, 5)
    found = windows_with_signal(signals, 2, 2)
    assert found.shape == (4, 5, 2, 2)
    assert (found[0] == 1).all()
    assert found[1, :, 0].tolist() == [[1, 2], [3, 4], [5, 0], [1, 2], [3, 4]]
    assert found[2, :, 1].tolist() == [[1, 2], [3, 4], [1, 2], [3, 4], [1, 2]]
    assert not found[3].any()


def test_only_the_attention_head_of_a_frozen_ecg_cpc_is_trained(tmp_path: Path) -> None:
    model = EcgCpcAttention()
    official = converted(model, lightning, tmp_path)
    several = batch(model, 2)
    before = model.embed(several)
    spec = card_of(model).input
    model.recipe = replace(model.recipe, epochs=2, batch_size=2, least_steps=2)
    (tmp_path / "fit").mkdir()
    settings = FitSettings(CONCEPTS, 5, "cpu", tmp_path / "fit")
    model.fit(Resampled(4, 1, spec), Resampled(2, 2, spec), settings)
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    trained = load_file(tmp_path / "saved" / "model.safetensors")
    assert len(trained) == len(official) + 6  # query, three projections, the last layer and its bias
    for name, tensor in official.items():  # its dropout and its averages have rested too
        np.testing.assert_array_equal(trained[f"encoder.encoder.{name}"].reshape(tensor.shape), tensor)

    fresh = EcgCpcAttention()
    fresh.load(tmp_path / "saved")
    scores = fresh.predict(several)
    np.testing.assert_allclose(model.predict(several), scores, atol=1e-6)
    assert not np.allclose(model.embed(several), before, atol=1e-3)
    network = s4.EcgCpc().eval()
    network.load_state_dict(official)
    with torch.inference_mode():
        windows = fresh.prepare(torch.from_numpy(several.signals)).flatten(0, 1)
        tokens = network.tokens(windows).transpose(1, 2).double().numpy()
    weights = {name: tensor.double().numpy() for name, tensor in trained.items()}
    q, k, v = (weights[f"encoder.pool.{name}_proj.weight"].T for name in "qkv")
    query = (weights["encoder.pool.query"][0, 0] @ q).reshape(16, 32)
    keys, values = ((tokens @ matrix).reshape(8, 300, 16, 32) for matrix in (k, v))
    looks = softmax(np.einsum("hd,nthd->nth", query, keys) / np.sqrt(32), axis=1)
    pooled = np.einsum("nth,nthd->nhd", looks, values).reshape(8, 512)
    logits = pooled @ weights["last.weight"].T + weights["last.bias"]
    np.testing.assert_allclose(scores, expit(logits).reshape(2, 4, -1).mean(axis=1), atol=1e-4)


def test_the_attention_head_learns_from_the_encoder_alone_however_often(tmp_path: Path) -> None:
    model = EcgCpcAttention()
    converted(model, lightning, tmp_path)
    spec = card_of(model).input
    model.recipe = replace(model.recipe, epochs=1, batch_size=4, least_steps=1)
    several, scores = batch(model, 2), []
    for call in ("first", "second"):
        (tmp_path / call).mkdir()
        settings = FitSettings(CONCEPTS, 5, "cpu", tmp_path / call)
        model.fit(Resampled(4, 1, spec), Resampled(2, 2, spec), settings)
        scores.append(model.predict(several))
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)
    assert card_of(model).trained_on == ("heedb-mgh", "heedb-emory")

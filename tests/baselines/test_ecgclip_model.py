"""ECGCLIP as the suite meets it: prompted, probed, fine-tuned, with the authors' weights, and untrained."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.metrics import roc_auc_score

from baselines.ecgclip.encoder import ResidualEncoder
from baselines.ecgclip.model import EcgClip, EcgClipR18, EcgClipR50, EcgClipSmall, EcgClipSmallRandom
from baselines.ecgclip.preprocessing import preprocess
from baselines.text.encoders import packaged_encoder
from benchmark.models import contract as models
from benchmark.models.cards import card_of
from benchmark.models.contract import FitSettings, PretrainSettings
from cohorts.errors import ModelError
from tests.baselines.fakes import CONCEPTS, take
from tests.baselines.pairs import PROMPTS, FakePairs
from tests.baselines.tiny_text import write_encoder

# Scores are float32; what a different order of summation may change.
ROUNDING = 2e-6
ALL = (EcgClip, EcgClipR18, EcgClipR50, EcgClipSmall, EcgClipSmallRandom)
SIZES = {18: EcgClipR18, 34: EcgClip, 50: EcgClipR50}


class Records(FakePairs):
    """The fakes with 8 leads at 500 Hz."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__(count, seed, EcgClip().card.input)
        signals = self.everything.signals.repeat(5, axis=2)
        signals.setflags(write=False)
        self.everything = replace(self.everything, signals=signals)


@pytest.fixture(scope="module")
def others() -> Records:
    return Records(60, 9)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a short pre-training."""
    model = EcgClipSmall()
    model.pretraining = replace(model.pretraining, epochs=6, batch_size=10)
    settings = PretrainSettings(PROMPTS, 0, "cpu", "32-true", tmp_path_factory.mktemp("pretrain"))
    model.pretrain([Records(80, 1)], [Records(24, 2)], settings)
    folder = tmp_path_factory.mktemp("weights")
    model.save(folder)
    return folder


def prompted(kind: Any, folder: Path | None = None) -> Any:
    model = kind()
    if folder is not None:
        model.load(folder)
    model.set_concepts(PROMPTS)
    return model


def fine_tuned(model: Any, records: int, folder: Path) -> Any:
    model.fitting = replace(model.fitting, epochs=2)
    folder.mkdir(exist_ok=True)
    model.fit(Records(records, 4), Records(12, 5), FitSettings(CONCEPTS, 0, "cpu", folder))
    return model


@pytest.mark.parametrize("kind", ALL)
def test_the_card_and_the_abilities(kind: Any) -> None:
    model = kind()
    card = card_of(model)
    assert (card.outputs, card.trained_on, card.probabilities) == ("any", (), False)
    assert card.input.leads == ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    assert (card.input.samples, card.input.unit) == (5000, "mV")
    able = {
        name: isinstance(model, getattr(models, name))
        for name in ("Model", "Prompted", "Encoder", "Trainable", "Pretrainable", "Published")
    }
    published = kind in SIZES.values()
    assert tuple(able.values()) == (True,) * 4 + (kind is not EcgClipSmallRandom, published)
    assert getattr(model, "small", None) == (False if published else {EcgClipSmall: True}.get(kind))
    assert not model.multilingual


def test_making_them_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from baselines.ecgclip import model\n"
        "for made in (model.EcgClip, model.EcgClipSmall, model.EcgClipSmallRandom):\n"
        "    made().card\n"
        "print({'torch', 'transformers', 'pytorch_lightning'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("kind", [EcgClip, EcgClipSmall])
def test_without_weights_it_has_nothing_to_say(kind: Any, others: Records, tmp_path: Path) -> None:
    model = kind()
    batch = take(others.everything, [0])
    for call in (
        lambda: model.predict(batch),
        lambda: model.embed(batch),
        lambda: model.set_concepts(PROMPTS),
        lambda: model.save(tmp_path),
    ):
        with pytest.raises(ModelError, match="has not been trained"):
            call()


def test_pre_training_is_better_than_chance_and_the_control_is_not(trained: Path, others: Records) -> None:
    scores = prompted(EcgClipSmall, trained).predict(others.everything)
    assert scores.dtype == np.float32
    assert [roc_auc_score(others.truth[:, i], scores[:, i]) > 0.85 for i in range(2)] == [True, True]
    control = prompted(EcgClipSmallRandom).predict(others.everything)
    assert min(roc_auc_score(others.truth[:, i], control[:, i]) for i in range(2)) < 0.75


@pytest.mark.parametrize("kind", ["pre-trained", "control", "fine-tuned"])
def test_a_score_does_not_depend_on_the_batch(
    kind: str, trained: Path, others: Records, tmp_path: Path
) -> None:
    if kind == "fine-tuned":
        model = fine_tuned(EcgClipSmall(), 20, tmp_path)
    else:
        model = prompted(EcgClipSmall, trained) if kind == "pre-trained" else prompted(EcgClipSmallRandom)
    batch = take(others.everything, np.arange(21))
    backwards = np.arange(21)[::-1]
    for ask in (model.predict, model.embed):
        together = ask(batch)
        for size in (1, 16):
            parts = [ask(take(batch, rows)) for rows in np.split(backwards, range(size, 21, size))]
            np.testing.assert_allclose(
                np.concatenate(parts)[backwards], together, rtol=1e-5, atol=10 * ROUNDING
            )
        assert np.array_equal(ask(batch), together)
    assert together.shape == (21, 128)
    assert together.dtype == np.float32


def test_a_score_is_the_cosine_with_the_mean_of_the_descriptions(trained: Path, others: Records) -> None:
    model = prompted(EcgClipSmall, trained)
    batch = take(others.everything, np.arange(5))
    state = load_file(trained / "model.safetensors")
    features = model.embed(batch).astype(np.float64)
    placed = unit(features @ state["signal_projection.weight"].T + state["signal_projection.bias"])
    for column, texts in enumerate(PROMPTS.values()):
        vectors = (packaged_encoder("cpu")(texts).double().numpy() - state["centre"]) / state["spread"]
        projected = unit(vectors @ state["text_projection.weight"].T + state["text_projection.bias"])
        concept = unit(projected.mean(axis=0, keepdims=True))[0]
        np.testing.assert_allclose(model.predict(batch)[:, column], placed @ concept, atol=1e-5)


def test_another_order_of_concepts_is_another_order_of_columns(trained: Path, others: Records) -> None:
    model = prompted(EcgClipSmall, trained)
    batch = take(others.everything, np.arange(5))
    scores = model.predict(batch)
    model.set_concepts(dict(reversed(PROMPTS.items())))
    np.testing.assert_allclose(model.predict(batch), scores[:, ::-1], atol=ROUNDING)
    assert card_of(model).outputs == "any"


def test_weights_come_back_as_they_were(trained: Path, others: Records, tmp_path: Path) -> None:
    model = prompted(EcgClipSmall, trained)
    again = tmp_path / "again"
    again.mkdir()
    model.save(again)
    assert [file.read_bytes() for file in again.iterdir()] == [f.read_bytes() for f in trained.iterdir()]
    tuned = fine_tuned(model, 20, tmp_path / "fit")
    folder = tmp_path / "tuned"
    folder.mkdir()
    tuned.save(folder)
    loaded = EcgClipSmall()
    loaded.load(folder)
    assert card_of(loaded) == card_of(tuned)
    batch = take(others.everything, np.arange(9))
    assert np.array_equal(loaded.predict(batch), tuned.predict(batch))
    assert np.array_equal(loaded.embed(batch), tuned.embed(batch))
    with pytest.raises(ModelError, match="was fine-tuned to fixed concepts"):
        loaded.set_concepts(PROMPTS)
    with pytest.raises(ModelError, match="holds ecgclip-small 1, not ecgclip-small-random"):
        EcgClipSmallRandom().load(folder)
    loaded.load(trained)
    assert card_of(loaded).outputs == "any"


@pytest.mark.parametrize("records", [7, 30])
def test_fine_tuning_of_a_few_records(records: int, trained: Path, others: Records, tmp_path: Path) -> None:
    model = EcgClipSmall()
    model.load(trained)
    before = model.embed(take(others.everything, [0]))
    fine_tuned(model, records, tmp_path)
    scores = model.predict(others.everything)
    assert card_of(model) == EcgClipSmall().card.model_copy(update={"outputs": CONCEPTS})
    assert scores.shape == (60, 4)
    assert ((scores > 0) & (scores < 1)).all()
    never = int((Records(records, 4).labels["PACE"] == 0).sum())
    np.testing.assert_allclose(scores[:, 3], 1 / (never + 2), rtol=1e-5)
    assert not np.allclose(model.embed(take(others.everything, [0])), before, atol=1e-3)


def test_fine_tuning_starts_from_the_weights_there_are(trained: Path, tmp_path: Path) -> None:
    """With a learning rate of nothing, what is left is where it started."""
    batch = take(Records(2, 1).everything, np.arange(2))
    for number, (kind, folder) in enumerate([(EcgClipSmall, trained), (EcgClipSmallRandom, None)]):
        model, start = kind(), kind()
        if folder is not None:
            model.load(folder)
            start.load(folder)
        model.fitting = replace(model.fitting, learning_rate=1e-12)
        fine_tuned(model, 20, tmp_path / str(number))
        start.embed(batch)
        encoders = model._classifier.network[0], start._network.encoder
        for found, expected in zip(*(encoder.parameters() for encoder in encoders), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("layers", [18, 34])
def test_the_authors_weights_have_features_and_no_text(layers: Any, others: Records, tmp_path: Path) -> None:
    torch.manual_seed(layers)
    network = ResidualEncoder(layers)
    file, folder = tmp_path / "ecgclip.pth", tmp_path / "weights"
    folder.mkdir()
    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, file)
    model = SIZES[layers]()
    assert f"{layers} layers" in model.convert(str(file), folder)
    model.load(folder)
    batch = take(others.everything, np.arange(3))
    with torch.inference_mode():
        expected = network.eval().features(preprocess(torch.tensor(batch.signals))).numpy()
    np.testing.assert_allclose(model.embed(batch), expected, atol=1e-5)
    assert card_of(model).outputs == ()
    for call in (lambda: model.set_concepts(PROMPTS), lambda: model.predict(batch)):
        with pytest.raises(ModelError, match="have no text side: fine-tune it"):
            call()
    if layers == 18:
        model.fitting = replace(model.fitting, least_steps=1, batch_size=4)
        fine_tuned(model, 4, tmp_path / "fit")
        saved = tmp_path / "saved"
        saved.mkdir()
        model.save(saved)
        again = SIZES[layers]()
        again.load(saved)
        assert np.array_equal(again.predict(batch), model.predict(batch))


@pytest.mark.parametrize(("layers", "other"), [(18, 34), (34, 50), (50, 18)])
def test_weights_of_another_size_are_sent_to_the_model_that_has_it(
    layers: Any, other: int, tmp_path: Path
) -> None:
    file, folder = tmp_path / "ecgclip.pth", tmp_path / "weights"
    folder.mkdir()
    torch.save({"state_dict": ResidualEncoder(layers).state_dict()}, file)
    right, wrong = SIZES[layers](), SIZES[other]()
    said = f"ResNet-{layers}, and {wrong.card.name} is its ResNet-{other}: give it to {right.card.name}"
    with pytest.raises(ModelError, match=said):
        wrong.convert(str(file), folder)
    assert not list(folder.iterdir())
    right.convert(str(file), folder)
    with pytest.raises(ModelError, match=said):
        wrong.load(folder)


@pytest.mark.parametrize("kind", SIZES.values())
def test_every_size_pre_trains_probes_and_fine_tunes(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "width", 4)
    monkeypatch.setattr(kind, "shrink", 16)
    model = kind()
    recipe = model.complete_recipe(
        {"pretraining": {"epochs": 1, "parts": 2, "dim": 8}, "fine-tuning": {"epochs": 1, "batch_size": 4}}
    )
    (tmp_path / "pretrain").mkdir()
    settings = PretrainSettings(PROMPTS, 0, "cpu", "32-true", tmp_path / "pretrain", recipe)
    model.pretrain([Records(12, 1)], [Records(8, 2)], settings)
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    again = kind()
    again.load(tmp_path / "saved")
    again.set_concepts(PROMPTS)
    assert again.complete_recipe({}) == recipe  # which fine-tuning follows
    batch = take(Records(3, 3).everything, np.arange(3))
    assert again.predict(batch).shape == (3, 2)
    assert again.embed(batch).shape == (3, 128 if kind is EcgClipR50 else 32)
    (tmp_path / "fit").mkdir()
    again.fit(Records(8, 4), Records(8, 5), FitSettings(CONCEPTS, 0, "cpu", tmp_path / "fit"))
    assert again.predict(batch).shape == (3, 4)
    assert torch.load(tmp_path / "fit" / "last.ckpt", weights_only=True)["epoch"] == 0


def test_a_text_encoder_of_one_s_own_is_saved_with_the_model(others: Records, tmp_path: Path) -> None:
    text = str(
        write_encoder(tmp_path / "text", ["atrial fibrillation of the atria left bundle branch block"])
    )
    model = EcgClipSmall(text=text)
    model.pretraining = replace(model.pretraining, epochs=1)
    (tmp_path / "fit").mkdir()
    settings = PretrainSettings({}, 0, "cpu", "32-true", tmp_path / "fit")
    model.pretrain([Records(12, 1)], [Records(8, 2)], settings)
    folder = tmp_path / "saved"
    folder.mkdir()
    model.save(folder)
    model.set_concepts(PROMPTS)
    again = EcgClipSmall()  # whoever loads it need not have the encoder
    again.load(folder)
    again.set_concepts(PROMPTS)
    batch = take(others.everything, np.arange(3))
    assert np.array_equal(again.predict(batch), model.predict(batch))


def test_the_control_is_the_same_everywhere(others: Records) -> None:
    torch.manual_seed(77)
    batch = take(others.everything, np.arange(3))
    first, second = (prompted(EcgClipSmallRandom).predict(batch) for _ in range(2))
    assert np.array_equal(first, second)
    torch.manual_seed(77)
    expected = torch.rand(1)
    torch.manual_seed(77)
    prompted(EcgClipSmallRandom)
    assert torch.equal(torch.rand(1), expected)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)

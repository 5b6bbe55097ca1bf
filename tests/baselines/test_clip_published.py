"""CLIP and SigLIP on pictures: tiny models with random weights, against transformers' own answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.clip_image.hub import quiet
from baselines.clip_image.published import AT_ONCE, TEMPLATES, ClipImage
from baselines.clip_image.rendering import render
from benchmark.models.cards import card_of
from benchmark.models.contract import Batch, Encoder, Model, Prompted, Published
from cohorts.errors import ModelError
from cohorts.recording import STANDARD_LEADS
from tests.baselines.tiny_clip import MEAN, STD, clip

pytestmark = pytest.mark.usefixtures("offline")

PROMPTS = {"AF": ("atrial fibrillation", "AF without P waves"), "NORM": ("normal ECG",)}
FAMILIES = ("clip", "siglip")


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def converted(made: Path, family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted")
    ClipImage().convert(str(made / family), folder)
    return folder


def loaded(folder: Path, **how: Any) -> ClipImage:
    model = ClipImage(**how)
    model.load(folder)
    model.set_concepts(PROMPTS)
    return model


def batch(records: int, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    time = np.arange(5000) / 500
    phase = (time * rng.uniform(0.8, 2.5, (records, 1, 1))) % 1 - 0.5
    signals = rng.uniform(-1.5, 1.5, (records, 12, 1)) * np.exp(-((phase / 0.03) ** 2))
    return Batch(signals.astype(np.float32), np.full(records, np.nan, np.float32), np.full(records, ""))


def expected(folder: Path, signals: Any, size: int) -> tuple[Any, Any]:
    """Picture features and scores by transformers alone, one prompt after another."""
    from transformers import AutoModel, AutoTokenizer

    with quiet(), torch.inference_mode():
        model = AutoModel.from_pretrained(folder).eval()
        tokenizer = AutoTokenizer.from_pretrained(folder)
        pictures = render(signals, 500, STANDARD_LEADS, size=size).astype(np.float64) / 255
        pixels = (pictures - np.reshape(MEAN, (3, 1, 1))) / np.reshape(STD, (3, 1, 1))
        features = model.get_image_features(torch.tensor(pixels, dtype=torch.float32)).pooler_output.numpy()
        columns = []
        for texts in PROMPTS.values():
            rows = []
            for text in (template.format(text) for text in texts for template in TEMPLATES):
                # CLIP as its own documentation asks: no padding. SigLIP: padded to its full length.
                padded = (
                    {} if model.config.model_type == "clip" else {"padding": "max_length", "max_length": 64}
                )
                tokens = tokenizer([text], return_tensors="pt", **padded)
                rows.append(model.get_text_features(**tokens).pooler_output[0].numpy())
            unit = np.array([row / np.linalg.norm(row) for row in rows]).mean(axis=0)
            columns.append(unit / np.linalg.norm(unit))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return features, unit @ np.array(columns).T


def test_scores_are_the_cosines_that_transformers_gives(made: Path, family: str, converted: Path) -> None:
    some = batch(3)
    features, scores = expected(made / family, some.signals, 224 if family == "clip" else 256)
    model = loaded(converted)
    np.testing.assert_allclose(model.embed(some), features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.predict(some), scores, rtol=0, atol=2e-6)
    assert np.ptp(scores, axis=0).min() > 1e-5
    assert model.predict(some).dtype == model.embed(some).dtype == np.float32


def test_the_batch_does_not_change_a_score(converted: Path) -> None:
    model = loaded(converted)
    many = batch(AT_ONCE + 3)
    together = model.predict(many)
    alone = [
        model.predict(Batch(many.signals[i : i + 1], many.age[i : i + 1], many.sex[i : i + 1]))[0]
        for i in (0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 2)
    ]
    np.testing.assert_allclose(together[[0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 2]], alone, rtol=0, atol=2e-6)


def test_a_concept_is_scored_whatever_is_beside_it(converted: Path) -> None:
    model = loaded(converted)
    some = batch(2)
    both = model.predict(some)
    model.set_concepts({"NORM": PROMPTS["NORM"]})
    np.testing.assert_allclose(model.predict(some)[:, 0], both[:, 1], rtol=0, atol=2e-6)


def test_concepts_may_be_set_before_the_weights_are_there(converted: Path) -> None:
    early = ClipImage()
    early.set_concepts(PROMPTS)
    early.load(converted)
    some = batch(2)
    np.testing.assert_array_equal(early.predict(some), loaded(converted).predict(some))


def test_converting_says_what_was_found_and_where_it_came_from(
    made: Path, family: str, tmp_path: Path
) -> None:
    sentence = ClipImage().convert(str(made / family), tmp_path / "new" / "folder")
    name, tenths, size = {"clip": ("CLIPModel", 2, 224), "siglip": ("SiglipModel", 1, 256)}[family]
    assert f"{made / family} is a {name} of 0.{tenths} million parameters" in sentence
    assert f"{size} x {size} pixels" in sentence
    facts = json.loads((tmp_path / "new" / "folder" / "card.json").read_text())
    assert facts["source"] == str(made / family)
    assert len(facts["sha256"]) == 64
    assert not list(tmp_path.rglob("*.bin"))


def test_the_card_keeps_it_out_of_the_ranking(converted: Path) -> None:
    model = loaded(converted)
    card = card_of(model)
    assert (card.outputs, card.trained_on, card.probabilities) == ("any", "undisclosed", False)
    assert (card.input.leads, card.input.sampling_rate, card.input.seconds) == (STANDARD_LEADS, 500, 10)
    assert card.version != card_of(ClipImage()).version
    for ability in (Model, Encoder, Prompted, Published):
        assert isinstance(model, ability)


def test_other_layouts_give_other_pictures(converted: Path) -> None:
    some = batch(2)
    shown = [
        loaded(converted, layout=layout, grid=grid).embed(some)
        for layout in ("3x4", "12x1")
        for grid in ("pink", "none")
    ]
    for i, one in enumerate(shown):
        assert all(np.abs(one - other).max() > 1e-4 for other in shown[:i])


@pytest.mark.parametrize("size", [96, 544])
def test_pictures_smaller_or_larger_than_can_be_drawn_are_resized(size: int, tmp_path: Path) -> None:
    with quiet():
        clip(tmp_path / "small", size)
    ClipImage().convert(str(tmp_path / "small"), tmp_path / "converted")
    some = batch(2)
    features = loaded(tmp_path / "converted").embed(some)
    from PIL import Image
    from transformers import AutoModel

    pixels = []
    for picture in render(some.signals, 500, STANDARD_LEADS, size=min(max(size, 224), 512)):
        image = Image.fromarray(picture.transpose(1, 2, 0)).resize((size, size), Image.Resampling.BICUBIC)
        pixels.append((np.asarray(image) / 255 - MEAN) / STD)
    with quiet(), torch.inference_mode():
        network = AutoModel.from_pretrained(tmp_path / "small").eval()
        theirs = network.get_image_features(
            torch.tensor(np.array(pixels).transpose(0, 3, 1, 2), dtype=torch.float32)
        ).pooler_output.numpy()
    cosine = (features * theirs).sum(1) / np.linalg.norm(features, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosine.min() > 0.9999


@pytest.mark.parametrize("file", ["card.json", "model/config.json", "model/model.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_conversion_is_refused(converted: Path, tmp_path: Path, file: str, damage: str) -> None:
    folder = Path(shutil.copytree(converted, tmp_path / "copy"))
    if damage == "missing":
        (folder / file).unlink()
    else:
        content = bytearray((folder / file).read_bytes())
        content[-1] ^= 1
        (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match=r"convert .* again\.$"):
        ClipImage().load(folder)


def test_what_is_missing_is_said(converted: Path) -> None:
    model = ClipImage()
    with pytest.raises(ModelError, match="has no weights"):
        model.predict(batch(1))
    with pytest.raises(ModelError, match="has no weights"):
        model.embed(batch(1))
    model.load(converted)
    with pytest.raises(ModelError, match="call set_concepts first"):
        model.predict(batch(1))
    with pytest.raises(ModelError, match="no prompt for AF"):
        model.set_concepts({"NORM": ("normal ECG",), "AF": ()})
    with pytest.raises(ModelError, match="no prompt for anything"):
        model.set_concepts({})


def test_transformers_stays_quiet_and_is_left_as_it_was(
    made: Path, family: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    ClipImage().convert(str(made / family), tmp_path)
    loaded(tmp_path).predict(batch(1))
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")


def test_reading_the_card_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from baselines.clip_image.published import ClipImage\n"
        "ClipImage().card\n"
        "print({'torch', 'transformers', 'numba', 'tokenizers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

"""What CLIP and SigLIP on pictures cannot be converted from is one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from baselines.clip_image.published import ClipImage
from cohorts.errors import ModelError

pytestmark = pytest.mark.usefixtures("offline")


@pytest.fixture
def published(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def drop_a_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors.pop("visual_projection.weight")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def without(pattern: str) -> Callable[[Path], None]:
    return lambda folder: [path.unlink() for path in folder.glob(pattern)] and None


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no weights": (without("*.safetensors"), "holds no .safetensors file"),
    "cut weights": (
        lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:5000]),
        "its network cannot be used",
    ),
    "a tensor too few": (drop_a_tensor, "lack 1 tensor, visual_projection.weight"),
    "no configuration": (without("config.json"), "its configuration cannot be used"),
    "broken configuration": (
        lambda f: (f / "config.json").write_text("{"),
        "its configuration cannot be used",
    ),
    "other family": (lambda f: rewrite(f / "config.json", model_type="bert"), "is a model of type bert"),
    "no tokenizer": (without("tokenizer*"), "tokenizer"),
    "broken tokenizer": (
        lambda f: (f / "tokenizer.json").write_text('{"model": 3}'),
        "its tokenizer cannot be used",
    ),
    "no preprocessing": (without("preprocessor*"), "its picture preprocessing cannot be used"),
    "other size": (
        lambda f: rewrite(f / "preprocessor_config.json", crop_size=336),
        "it makes pictures of 336, the network wants 224",
    ),
    "no normalisation": (
        lambda f: rewrite(f / "preprocessor_config.json", do_normalize=False),
        "leaves the pixels as they are",
    ),
    "two channels": (
        lambda f: rewrite(f / "preprocessor_config.json", image_mean=[0.5, 0.5]),
        "it has 2 means and 3 deviations for three colours",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_does_not_fit_is_one_sentence(damage: str, published: Path, tmp_path: Path) -> None:
    break_it, words = DAMAGES[damage]
    break_it(published / "clip")
    with pytest.raises(ModelError) as caught:
        ClipImage().convert(str(published / "clip"), tmp_path / "out")
    assert words in str(caught.value)
    assert str(published / "clip") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_tokenizer_of_another_model_is_refused(published: Path, tmp_path: Path) -> None:
    for path in (published / "clip").glob("tokenizer*"):
        shutil.copy(path, published / "siglip" / path.name)
    with pytest.raises(ModelError, match="more words than its network"):
        ClipImage().convert(str(published / "siglip"), tmp_path / "out")


def test_a_tokenizer_without_words_is_refused(published: Path, tmp_path: Path) -> None:
    path = published / "siglip" / "tokenizer.json"
    facts = json.loads(path.read_text())
    facts["model"]["vocab"] = {"<pad>": 0, "<unk>": 1}
    path.write_text(json.dumps(facts))
    with pytest.raises(ModelError, match="makes the same tokens of two sentences"):
        ClipImage().convert(str(published / "siglip"), tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("somebody/no-such-model", "the hub cannot be reached from here"),
        ("somebody/no-such-model@v2", "the hub cannot be reached from here"),
        ("no-such-folder", "neither a folder here nor a hub id"),
        ("../no/such/folder", "neither a folder here nor a hub id"),
        ("/no/such", "neither a folder here nor a hub id"),
    ],
)
def test_what_cannot_be_reached_is_one_sentence(file: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        ClipImage().convert(file, tmp_path / "out")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_is_not_a_model(made: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a file; give the folder"):
        ClipImage().convert(str(made / "clip" / "model.safetensors"), tmp_path / "out")


def test_pickled_weights_are_not_opened(published: Path, tmp_path: Path) -> None:
    (published / "clip" / "model.safetensors").rename(published / "clip" / "pytorch_model.bin")
    with pytest.raises(ModelError, match="weights in pickle files are not opened"):
        ClipImage().convert(str(published / "clip"), tmp_path / "out")

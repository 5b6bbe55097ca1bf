"""The list of models fits 100 columns and says of each what it needs."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmark.commands import model_list
from benchmark.commands.model_list import WIDTH, learns_from, model_rows, text_of
from benchmark.models import plugins
from benchmark.protocols.published import install


def card(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "outputs": ["AF"], "trained_on": [], "input": {"sampling_rate": 400}} | fields


class Ready:
    card = card("ready", licence="MIT", parameters=1_250_000, trained_on=["ptb-xl", "sph"])

    def predict(self, batch: Any) -> Any:
        return np.zeros((len(batch), 1))


class Published(Ready):
    card = card("a-published-model-with-a-very-long-name", trained_on="undisclosed", licence="words " * 30)
    weights_file = "owner/name"

    def convert(self, file: str, folder: Path) -> str:
        (folder / "weights").write_text("1")
        return "Found."

    def load(self, folder: Path) -> None:
        (folder / "weights").read_text()

    def embed(self, batch: Any) -> Any:
        return np.zeros((len(batch), 2))


class Broken:
    def __init__(self) -> None:
        raise ImportError("no such library")


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("offered_models")
    module.__file__ = __file__
    names = {"ready": Ready, "a-published-model-with-a-very-long-name": Published, "broken": Broken}
    for made in names.values():
        setattr(module, made.__name__, made)
    entries = {
        name: EntryPoint(name, f"offered_models:{made.__name__}", plugins.GROUP)
        for name, made in names.items()
    }
    monkeypatch.setitem(__import__("sys").modules, "offered_models", module)
    monkeypatch.setattr(plugins, "installed_models", lambda: entries)
    monkeypatch.setattr(model_list, "installed_models", lambda: entries)


@pytest.mark.usefixtures("offered")
def test_every_model_is_listed_with_what_it_needs(tmp_path: Path) -> None:
    ready, published, broken = model_rows(tmp_path)
    assert (ready["kind"], ready["asked"], ready["weights"]) == ("complete", ["as-is"], "its own")
    assert (published["kind"], published["weights"]) == ("published", "missing")
    assert published["asked"] == ["as-is", "linear-probe"]
    assert published["commands"] == [f"leadboard weights {published['name']} --file owner/name"]
    assert broken["kind"] == "BROKEN"
    assert "no such library" in broken["description"]
    install(plugins.find_model(published["name"]), "file", tmp_path)
    assert [row.get("weights") for row in model_rows(tmp_path)] == ["its own", "here", None]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "ecgclip",
            "what it is pre-trained on here (its authors' weights: 2,837,962 ECG studies of 1,324,856",
        ),
        ("ecgclip-small", "what it is pre-trained on here"),
        ("ecgclip-small-random", "nothing"),
        ("resnet1d", "what a run trains it on"),
        ("resnet1d-random", "nothing"),
        ("age-sex", "what a run trains it on"),
        ("merl", ""),
        ("hubert-ecg-small", ""),
    ],
)
def test_what_a_model_learns_from_whose_card_names_no_cohort(name: str, words: str) -> None:
    found = learns_from(plugins.find_model(name))
    assert found.startswith(words)
    assert words or not found
    assert ("authors" in found) == (name == "ecgclip")


@pytest.mark.usefixtures("offered")
def test_the_list_fits_a_terminal_and_cuts_no_name(tmp_path: Path) -> None:
    text = text_of(model_rows(tmp_path))
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "a-published-model-with-a-very-long-name\n" in text
    assert "trained on ptb-xl, sph; MIT" in text
    assert "training undisclosed; words words" in text
    assert "400x10x12" in text
    assert "1.2 M  its own" in text
    assert text.endswith("leadboard weights a-published-model-with-a-very-long-name --file owner/name")
    published = next(row for row in model_rows(tmp_path) if row["name"].startswith("a-"))
    install(plugins.find_model(published["name"]), "file", tmp_path)
    assert "leadboard weights" not in text_of(model_rows(tmp_path))

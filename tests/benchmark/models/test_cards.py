"""``card.yaml``: what is written is what is read, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.models.cards import card_beside
from benchmark.models.contract import InputSpec, ModelCard, card_of
from cohorts.errors import ModelError

CARD = """\
name: my-model
version: 1.10
licence: MIT
outputs: [AF, NO, LVH]   # NO is no boolean here
probabilities: true
trained_on:
  - ptb-xl
input:
  sampling_rate: 250
  leads: [II, V1]
"""


def read(folder: Path, content: str | bytes) -> dict[str, object] | None:
    (folder / "card.yaml").write_bytes(content.encode() if isinstance(content, str) else content)
    return card_beside(folder / "model.py")


def card_from(folder: Path, content: str) -> ModelCard:
    model: object = SimpleNamespace(card=read(folder, content), predict=None)
    return card_of(model)


def test_it_says_what_is_written(tmp_path: Path) -> None:
    assert card_from(tmp_path, CARD) == ModelCard(
        name="my-model",
        version="1.10",
        licence="MIT",
        outputs=("AF", "NO", "LVH"),
        probabilities=True,
        trained_on=("ptb-xl",),
        input=InputSpec(sampling_rate=250, leads=("II", "V1")),
    )


def test_nothing_and_everything(tmp_path: Path) -> None:
    card = card_from(tmp_path, "name: m\noutputs: any\ntrained_on: []\n")
    assert (card.outputs, card.trained_on) == ("any", ())
    assert card_from(tmp_path, "name: m\noutputs: []\ntrained_on: undisclosed\n").trained_on == "undisclosed"


def test_the_american_spelling_of_the_licence_is_read(tmp_path: Path) -> None:
    american = CARD.replace("licence", "license")
    assert card_from(tmp_path, american) == card_from(tmp_path, CARD)
    with pytest.raises(ModelError, match="license: Extra inputs"):
        card_from(tmp_path, CARD + "license: MIT\n")


def test_none_where_there_is_none(tmp_path: Path) -> None:
    assert card_beside(tmp_path / "model.py") is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CARD + "name: other\n", "a second 'name' in line 11"),
        ("input: {unit: mV, unit: V}\n", "a second 'unit' in line 1"),
        ("name: &n m\nversion: *n\n", "alias"),
        ("name: [m\n", "line 2"),
        ("? [a, b]\n: c\n", "plain name"),
        ("- name\n- m\n", "no fields"),
        ("just text", "no fields"),
        ("", "no fields"),
        ("a: 1\n---\na: 2\n", "not valid YAML"),
        ("a: " + "[" * 20_000, "nested too deeply"),
        ("a: \0", "not valid YAML"),
        (b"name: \xff\xfe", "UTF-8"),
        ("#" * 70_000, "64 kB"),
    ],
)
def test_garbage_is_refused_in_one_sentence(content: str | bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        read(tmp_path, content)
    assert "card.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_object_is_made(tmp_path: Path) -> None:
    content = read(tmp_path, "name: !!python/object/apply:os.getcwd []\n")
    assert content == {"name": []}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CARD + "colour: red\n", "colour: Extra inputs"),
        (CARD.replace("trained_on:\n  - ptb-xl\n", ""), "trained_on: Field required"),
        (CARD.replace("250", "fast"), "input.sampling_rate"),
    ],
)
def test_wrong_fields_are_told_by_the_card(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        card_from(tmp_path, content)

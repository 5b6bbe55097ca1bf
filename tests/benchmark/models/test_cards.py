"""``card.yaml``: what is written is what is read, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmark.models.cards import card_beside, card_of, check_outputs, check_training, read_card
from benchmark.models.concept_names import no_score, unknown_concept
from benchmark.models.model_card import InputSpec, ModelCard
from cohorts.errors import ModelError, UnknownNameError, UsageError

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
    with pytest.raises(ModelError, match="licence and license are one field; keep one of the two"):
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
        (CARD + "colour: red\n", "colour is no field of it"),
        (CARD.replace("trained_on", "trainedon"), "trainedon is no field of it, did you mean 'trained_on'"),
        (CARD.replace("trained_on:\n  - ptb-xl\n", ""), "trained_on is missing; it is a list of cohorts"),
        (
            "name: m\ntrained_on: []\n",
            "outputs is missing; it is a list of concepts, or .any.; labels that say",
        ),
        (CARD.replace("250", "fast"), "input.sampling_rate"),
    ],
)
def test_wrong_fields_are_told_by_the_card(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        card_from(tmp_path, content)


def test_a_card_is_as_deep_as_it_has_to_be(tmp_path: Path) -> None:
    assert read(tmp_path, "a: [[[b]]]\n") == {"a": [[["b"]]]}
    with pytest.raises(ModelError, match="nested too deeply"):
        read(tmp_path, "a: [[[[b]]]]\n")


def test_a_card_has_at_most_64_kilobytes(tmp_path: Path) -> None:
    fields = "name: m\n"
    assert read(tmp_path, fields + "#" * (64 * 1024 - len(fields))) == {"name": "m"}
    with pytest.raises(ModelError, match="more than 64 kB"):
        read(tmp_path, fields + "#" * (64 * 1024 - len(fields) + 1))


def made(**changes: object) -> ModelCard:
    return ModelCard.model_validate({"name": "m", "outputs": ["AF"], "trained_on": [], **changes})


def test_outputs_and_cohorts_that_do_not_exist_are_refused() -> None:
    check_outputs(made(), ["AF", "LVH"])
    with pytest.raises(
        ModelError, match="m has outputs that are no concepts of the ontology: B1, B2, B3, B4, B5; "
    ):
        check_outputs(made(outputs=["AF", "B1", "B2", "B3", "B4", "B5", "B6"]), ["AF", "LVH"])
    with pytest.raises(ModelError, match=r"ontology: 1AVB \(write IAVB\), 59118001 \(write RBBB\), 1; "):
        check_outputs(made(outputs=["AF", "1AVB", "59118001", "1"]), ["AF", "IAVB", "RBBB"])
    check_training(made(trained_on=["ptb-xl"]), ["ptb-xl", "sph"])
    check_training(made(trained_on="undisclosed"), ["ptb-xl"])
    with pytest.raises(
        ModelError,
        match=r"it was trained on ptbxl \(did you mean ptb-xl\?\), a, b, c, d, which is no cohort",
    ):
        check_training(made(trained_on=["ptb-xl", "ptbxl", "a", "b", "c", "d", "e"]), ["ptb-xl"])


def written(folder: Path, content: str) -> Path:
    path = folder / "given.yaml"
    path.write_text(content)
    return path


def test_an_output_that_is_named_in_words_is_told_its_id() -> None:
    with pytest.raises(ModelError, match=r"the ontology: Atrial Fibrillation \(write AF\), GOUT; "):
        check_outputs(made(outputs=["Atrial Fibrillation", "GOUT"]), ["AF", "LVH"])
    error = unknown_concept("ATRIAL FIBRILLATION", ["AF"])
    assert str(error).startswith(
        "Unknown concept 'ATRIAL FIBRILLATION': that is what the ontology calls 'AF'"
    )
    assert str(no_score("m", "atrial fibrillation", ["AF"])).endswith("the ontology calls 'AF'; write that.")
    assert str(no_score("m", "LVH", ["AF", "SB"])) == "m has no score for 'LVH'; it has those of AF, SB."


def test_without_a_card_the_training_is_undisclosed() -> None:
    card = read_card(None, "m", ("AF", "LVH"))
    assert (card.name, card.outputs, card.trained_on) == ("m", ("AF", "LVH"), "undisclosed")
    with pytest.raises(UsageError, match="has no name"):
        read_card(None, None, ("AF",))


def test_a_card_of_predictions_takes_their_order(tmp_path: Path) -> None:
    facts = "name: m\ntrained_on: [ptb-xl]\n"
    for outputs in ("", "outputs: [LVH, AF]\n", "outputs: any\n"):
        card = read_card(written(tmp_path, facts + outputs), "m", ("AF", "LVH"))
        assert (card.outputs, card.trained_on) == (("AF", "LVH"), ("ptb-xl",))
    undisclosed = written(tmp_path, "name: m\ntrained_on: undisclosed\n")
    assert read_card(undisclosed, None, ("AF",)).trained_on == "undisclosed"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name: n\ntrained_on: []\n", "The card is of 'n', but --name says 'm'"),
        ("name: m\ntrained_on: []\noutputs: [AF, SB]\n", r"differ in their outputs \(LVH, SB\)"),
        ("name: m\n", "given.yaml is not valid: trained_on is missing"),
        ("name: m\ntrained_on: []\ncolour: red\n", "given.yaml is not valid: colour is no field of it"),
        ("name: [\n", "given.yaml is not valid YAML"),
    ],
)
def test_a_card_that_contradicts_is_refused(content: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        read_card(written(tmp_path, content), "m", ("AF", "LVH"))


def test_a_card_that_names_an_unknown_cohort_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ptb-xl'"):
        read_card(written(tmp_path, "name: m\ntrained_on: [ptb-xI]\n"), "m", ("AF",))

"""A model's own labels: what scores a concept, what never does, and that none is lost in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from benchmark.models.cards import card_beside, card_of, check_outputs
from benchmark.models.label_map import (
    OwnLabel,
    joined_scores,
    map_lines,
    own_names,
    read_labels,
    scored_concepts,
)
from benchmark.models.model_card import ModelCard
from cohorts.errors import ModelError

MAP = """\
label,concept,relation,note
AFIB,AF,same,
"AFIB, fast",AF,narrower,
"AFIB, fast",AFRVR,same,
FAST,STach,broader,of any origin
NOISE,,unmapped,no concept
"""


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "labels.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def rows(*some: tuple[str, str, str]) -> tuple[OwnLabel, ...]:
    return tuple(
        OwnLabel.model_validate({"label": label, "concept": concept, "relation": relation, "note": "x"})
        for label, concept, relation in some
    )


def card(labels: Any, **fields: Any) -> ModelCard:
    return ModelCard.model_validate({"name": "m", "trained_on": [], "labels": labels} | fields)


def test_the_columns_are_all_labels_and_the_outputs_what_they_score(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, MAP))
    assert own_names(labels) == ("AFIB", "AFIB, fast", "FAST", "NOISE")
    assert scored_concepts(labels) == ("AF", "AFRVR")
    stated = card([row.model_dump() for row in labels])
    assert stated.columns == ("AFIB", "AFIB, fast", "FAST", "NOISE")
    assert stated.outputs == ("AF", "AFRVR")
    assert card(labels, outputs=["AFRVR"]).outputs == ("AFRVR",)
    assert ModelCard.model_validate_json(stated.model_dump_json()) == stated


def test_a_concept_has_the_highest_of_its_labels_and_never_a_broader_one(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, MAP))
    scores = np.array([[0.1, 0.6, 0.99, 1.0], [0.7, 0.2, 0.0, 0.0]])
    assert joined_scores(scores, labels, ("AFRVR", "AF")).tolist() == [[0.6, 0.6], [0.2, 0.7]]
    assert joined_scores(scores, labels, ("AF",)).tolist() == [[0.6], [0.7]]


def test_a_map_is_shown_whole(tmp_path: Path) -> None:
    text = "\n".join(map_lines(read_labels(written(tmp_path, MAP))))
    assert "4 labels of its own; 2 concepts" in text
    assert "AF       AFIB; AFIB, fast (narrower)" in text
    assert "STach    FAST: of any origin" in text
    assert "NOISE: no concept" in text


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (rows(("A", "AF", "same"), ("A", "AF", "narrower")), "two rows for AF"),
        ((*rows(("A", "AF", "same")), OwnLabel(label="A", relation="unmapped", note="x")), "both mapped and"),
        ([{"label": "A", "relation": "unmapped"}], "give a note that says why"),
        ([{"label": "A", "concept": "AF", "relation": "unmapped", "note": "x"}], "leave the concept empty"),
        ([{"label": "A", "relation": "same"}], "has no concept"),
        ([{"label": "A", "concept": "AF", "relation": "similar"}], "relation"),
        ([{"label": "", "concept": "AF", "relation": "same"}], "label"),
        ([{"label": "A", "concept": "AF", "relation": "same", "weight": 1}], "weight"),
    ],
)
def test_a_map_that_says_two_things_or_nothing_is_refused(labels: Any, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        card(labels)


@pytest.mark.parametrize("outputs", [["AF", "LVH"], "any", ["STach"]])
def test_outputs_that_no_label_scores_are_refused(outputs: Any) -> None:
    with pytest.raises(ValidationError, match="must be concepts that labels score"):
        card(rows(("A", "AF", "same"), ("B", "STach", "broader")), outputs=outputs)


def test_with_other_columns_a_model_has_no_labels() -> None:
    learnt = card(rows(("A", "AF", "same"))).with_outputs(("LVH",))
    assert (learnt.outputs, learnt.labels, learnt.columns) == (("LVH",), (), ("LVH",))
    assert ModelCard.model_validate(learnt.model_dump()) == learnt


def test_every_concept_of_a_map_must_exist() -> None:
    stated = card(rows(("A", "AF", "same"), ("B", "TACHY", "broader")))
    with pytest.raises(ModelError, match=r"m has outputs or labels that are no concepts .*: TACHY;"):
        check_outputs(stated, ["AF"])


def test_it_may_lie_beside_the_card(tmp_path: Path) -> None:
    written(tmp_path, MAP)
    assert card_beside(tmp_path / "model.py") is None
    (tmp_path / "card.yaml").write_text("name: m\ntrained_on: []\n")
    model = type("Model", (), {"card": card_beside(tmp_path / "model.py")})()
    assert card_of(model).outputs == ("AF", "AFRVR")
    (tmp_path / "card.yaml").write_text("name: m\ntrained_on: []\nlabels: []\n")
    with pytest.raises(ModelError, match=r"labels.csv lies beside it; keep one"):
        card_beside(tmp_path / "model.py")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "of an empty file"),
        ("label,meaning\nA,AF\n", "has the columns label, meaning"),
        ("label,concept,relation\nA,AF\n", "line 2: it has not as many fields"),
        ("label,concept,relation\nA,AF,same,x\n", "line 2: it has not as many fields"),
        ("label,concept,relation\nA,AF,same\nB,,same\n", "line 3: 'B' has no concept"),
        ("label,concept,relation\nA,AF,similar\n", "line 2: relation: Input should be 'same'"),
        (b"label,concept,relation\n\xff,AF,same\n", "is no CSV table in UTF-8"),
        ('label,concept,relation\n"A"x,AF,same\n', "is no CSV table in UTF-8"),
        (b"label,concept,relation\n" + b"A" * 2_000_000, "has more than 1024 kB"),
    ],
)
def test_a_file_that_is_no_map_is_refused_in_one_sentence(
    tmp_path: Path, content: str | bytes, words: str
) -> None:
    file = written(tmp_path, content)
    with pytest.raises(ModelError, match=words) as raised:
        read_labels(file)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_wrong_row_beside_a_card_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("name: m\ntrained_on: []\n")
    written(tmp_path, "label,concept,relation\nA,AF,same\nB,LVH,equal\n")
    words = r"labels.csv, line 3: relation: Input should be 'same', .*; here it is 'equal'\.$"
    with pytest.raises(ModelError, match=words):
        card_beside(tmp_path / "model.py")


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        read_labels(tmp_path / "labels.csv")

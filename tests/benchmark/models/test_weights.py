"""Trained weights come back as they were, for the model that they belong to and for no other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmark.models.model_card import ModelCard
from benchmark.models.weights import FILE, load_weights, save_weights, untrained
from cohorts.errors import ModelError

CARD = ModelCard(name="net", version="2", outputs=("AF", "LVH"), trained_on=())
ARRAYS = {"b": np.arange(6.0).reshape(2, 3).T, "a": np.array([1, 2], np.int8)}


def test_they_come_back_with_the_outputs(tmp_path: Path) -> None:
    save_weights(tmp_path, CARD, ARRAYS)
    first = (tmp_path / FILE).read_bytes()
    save_weights(tmp_path, CARD, dict(reversed(ARRAYS.items())))
    assert (tmp_path / FILE).read_bytes() == first
    card, arrays = load_weights(tmp_path, CARD.model_copy(update={"outputs": ()}))
    assert card == CARD
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


@pytest.mark.parametrize("change", [{"name": "other"}, {"version": "3"}])
def test_those_of_another_model_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    save_weights(tmp_path, CARD, ARRAYS)
    other = CARD.model_copy(update=change)
    with pytest.raises(ModelError, match=rf"holds net 2, not {other.name} {other.version}: train .* again"):
        load_weights(tmp_path, other)


@pytest.mark.parametrize("facts", [None, {"about": "{"}, {"about": '{"model": "net"}'}, {"other": "{}"}])
def test_what_is_not_of_the_suite_is_refused(tmp_path: Path, facts: dict[str, str] | None) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        load_weights(tmp_path, CARD)
    save_file(ARRAYS, tmp_path / FILE, facts)
    with pytest.raises(ModelError, match=r"cannot be read .*: train net again"):
        load_weights(tmp_path, CARD)


def test_weights_with_a_digest_of_their_own_are_read(tmp_path: Path) -> None:
    facts = {"model": "net", "version": "2", "outputs": ["AF"], "sha256": "00"}
    save_file(ARRAYS, tmp_path / FILE, {"about": json.dumps(facts)})
    assert load_weights(tmp_path, CARD)[0].outputs == ("AF",)


def test_an_untrained_model_says_so() -> None:
    assert str(untrained(CARD)) == "net has not been trained: call fit or load first."


def test_what_a_damaged_header_holds_is_shown_as_visible_characters(tmp_path: Path) -> None:
    header = b'{"a":{"dtype":"\\u001b[2J","shape":[1],"data_offsets":[0,4]}}'
    content = len(header).to_bytes(8, "little") + header + b"\0" * 4
    card = ModelCard(name="m", outputs=("AF",), trained_on=())
    save_weights(tmp_path, card, {"a": np.zeros(1, np.float32)})
    next(tmp_path.glob("*.safetensors")).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read") as caught:
        load_weights(tmp_path, card)
    assert str(caught.value).isprintable()

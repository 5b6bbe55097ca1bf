"""Cards and inputs that mean nothing are refused, and those that mean something are taken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from benchmark.models.cards import card_of
from benchmark.models.contract import Batch
from benchmark.models.model_card import InputSpec, ModelCard
from cohorts.errors import ModelError
from cohorts.recording import MV_PER_UNIT, STANDARD_LEADS


def test_an_input_says_how_many_samples_a_window_has() -> None:
    assert InputSpec().samples == 5000
    assert InputSpec().leads == STANDARD_LEADS
    assert InputSpec(sampling_rate=257, seconds=2.5).samples == 642
    assert InputSpec(sampling_rate=0.5, seconds=8).samples == 4
    assert InputSpec(seconds=0.5).samples == 250
    assert InputSpec(sampling_rate=10_000, seconds=86_400).samples == 864_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling_rate": 0},
        {"sampling_rate": 10_001},
        {"sampling_rate": float("nan")},
        {"seconds": 0},
        {"seconds": 86_401},
        {"leads": ()},
        {"leads": ("I", "I")},
        {"leads": ("I", "V7")},
        {"unit": "mv"},
        {"long_records": "last"},
        {"rate": 500},
    ],
)
def test_an_input_that_nobody_can_prepare_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        InputSpec(**wrong)


def test_units_are_in_millivolts() -> None:
    assert {unit: 5 * size for unit, size in MV_PER_UNIT.items()} == {"mV": 5, "uV": 0.005, "V": 5000}


def test_a_batch_is_as_long_as_its_signals() -> None:
    assert len(Batch(np.zeros((3, 1, 5), np.float32), np.zeros(3, np.float32), np.array(["", "", ""]))) == 3


FACTS = {"name": "m", "outputs": ["AF"], "trained_on": []}


def with_card(card: Any) -> Any:
    return type("Lonely", (), {"card": card})()


def test_a_card_may_be_a_dict_or_a_card() -> None:
    card = card_of(with_card(FACTS))
    assert card == ModelCard(name="m", outputs=("AF",), trained_on=())
    assert card_of(with_card(card)) is card
    assert (card.probabilities, card.control_for) == (False, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outputs": ["AF", "AF"]}, "outputs: outputs names a concept twice"),
        ({"name": ""}, "name is ''; it has to be up to 64 letters"),
        ({"name": "-m"}, "name is '-m'; it has to be"),
        ({"name": "m/n"}, "name is "),
        ({"name": "m" * 65}, "name is "),
        ({"input": {"seconds": -1}}, r"input\.seconds: "),
        (
            {"trained_on": "ptb-xl"},
            r"trained_on is 'ptb-xl'; it has to be a list of cohorts, \[\] for none, or",
        ),
        ({"trained_on": None}, r"trained_on is None; it has to be a list of cohorts"),
        ({"outputs": "AF"}, "outputs is 'AF'; it has to be a list of concepts, or 'any'"),
        ({"outputs": ["AF", 1]}, r"outputs.*1: Input should be a valid string"),
        ({"input": {"leads": ["II", "v1"]}}, r"input\.leads: leads must be distinct .* V6, and v1 is not\."),
        ({"licens": "MIT"}, "licens is no field of it, did you mean 'licence'; there are: name, version, "),
        ({"input": {"rate": 500}}, r"input\.rate is no field of it; there are: sampling_rate, leads, "),
    ],
)
def test_a_wrong_card_says_which_field_is_wrong(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ModelError, match=f"The card of Lonely is not valid: {words}"):
        card_of(with_card(FACTS | change))


def test_no_card_at_all_is_told() -> None:
    with pytest.raises(ModelError, match="The card of SimpleNamespace is not valid: card: "):
        card_of(SimpleNamespace(predict=None))  # type: ignore[arg-type]


def test_the_longest_name_and_a_prompted_model_are_taken() -> None:
    card = card_of(with_card(FACTS | {"name": "m" * 64, "outputs": "any", "trained_on": "undisclosed"}))
    assert (len(card.name), card.outputs, card.trained_on) == (64, "any", "undisclosed")

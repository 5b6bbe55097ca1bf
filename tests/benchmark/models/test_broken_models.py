"""Every broken model ends as one clear line, in the suite's own process or in a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.models.cards import check_outputs
from benchmark.models.plugins import find_model
from benchmark.models.worker.environments import Deadlines, Interpreter
from benchmark.models.worker.remote import RemoteModel
from cohorts.errors import ModelError, UsageError
from tests.benchmark.fake_records import FakeRecords, scores_of

BROKEN = Path(__file__).parents[2] / "plugins" / "broken"
TENSORS = BROKEN.parent / "tensors.py"
GIB = 2**30
SHORT = Deadlines(batch=0.5, start=20)


def spec_of(name: str) -> str:
    file, _, model = name.partition(":")
    return f"{BROKEN / file}.py:{model}"


def remote(name: str, deadlines: Deadlines | None = None, memory: int | None = None) -> RemoteModel:
    return RemoteModel(spec_of(name), Interpreter(sys.executable, memory), deadlines)


def is_one_clear_line(text: str) -> bool:
    return text.isprintable() and len(text) < 1000 and str(BROKEN) not in text.replace(f"{BROKEN}/", "", 1)


ANSWERS = {
    "answers:OneRecordMissing": r"shape \(3, 2\); the card promises \(4, 2\)",
    "answers:NotANumber": "4 NaN or infinite scores in one batch, first for LVH",
    "answers:Infinite": "8 NaN or infinite scores",
    "answers:Complex": "complex.* instead of real numbers",
    "answers:HostileMessage": r"raised ValueError at answers.py:\d+: <script> x+…$",
}
ANSWERS_ANYWHERE = {
    "answers:WrongShape": r"shape \(4, 3\); the card promises \(4, 2\)",
    "answers:Overflow": "8 NaN or infinite scores",
    "answers:Strings": "returned text instead of real numbers",
    "answers:Nothing": r"returned nothing \(None\) instead of real numbers; does it end with 'return'\?",
    "answers:Generator": "returned generator instead of real numbers; return an array",
    "answers:Dict": r"returned a dict \(logits, hidden\) instead of real numbers; return an array",
    "answers:Ragged": r"returned a list of 4 \(list\) instead of real numbers; return an array",
    "answers:TwoAnswers": r"returned a tuple of 2 \(ndarray, NoneType\) instead of real numbers; return",
    "answers:Objects": "returned ndarray of objects instead of real numbers; return an array",
    "answers:TrailingAxis": r"shape \(4, 2, 1\); the card promises \(4, 2\), without the last axis: squeeze",
    "answers:Transposed": r"shape \(2, 4\); the card promises \(4, 2\): transpose it",
    "answers:EachMoment": r"shape \(4, 2, 500\); .* one number for each record and output, not one for each",
    "answers:RaisesOnTheThirdBatch": r"predict raised RuntimeError at answers.py:\d+: the third batch is one",
}
ANSWERS_OF_WORKERS = {
    "answers:HostileMessage": r"raised ValueError at answers.py:\d+: <script> \?x+…$",
    "deaths:Exits": r"predict raised SystemExit at deaths.py:\d+: no licence found",
    "deaths:ExitsAtOnce": "exited with code 3; its last words: no licence server",
    "deaths:Segfault": r"was killed by SIGSEGV at deaths.py:\d+",
    "deaths:Aborts": r"was killed by SIGABRT at deaths.py:\d+; its last words: terminate called after",
    "deaths:Killed": "was killed by SIGKILL, as happens where memory runs out",
    "connection:ClosesEverything": "exited with code|closed its connection",
    "connection:Garbage": "it does not begin like one",
    "connection:HugeBody": r"it announces \d+ \+ 4,611,686,018,427,387,904 bytes",
    "connection:AnotherQuestion": "it answers another question",
    "connection:NoArray": "the worker sent no array",
    "connection:HalfAFrame": "exited with code 0",
}
HANGS = {
    "deaths:Sleeps": r"did not answer within 0.5 s at deaths.py:\d+; see --deadline; its last words: waiting",
    "deaths:SpinsInC": r"did not answer within 0.5 s at deaths.py:\d+",
    "deaths:PrintsForever": r"did not answer within 0.5 s.*last words: .*no end",
}
NOT_MADE = {
    "cards:MissingField": "The card of MissingField is not valid: trained_on is missing; it is a list",
    "cards:DuplicateOutputs": "outputs names a concept twice",
    "cards:PathInName": "it has to be up to 64 letters, digits",
    "cards:EscapeInName": "it has to be up to 64 letters, digits",
    "cards:HtmlInName": "it has to be up to 64 letters, digits",
    "cards:NegativeRate": "input.sampling_rate: Input should be greater than 0",
    "cards:EndlessInput": "input.seconds: Input should be",
    "cards:RaisingCard": "raised KeyError at cards.py",
}
NOT_MADE_ANYWHERE = {
    "cards:NoCard": "cards.py:NoCard has no 'card'; a model has both",
    "cards:NoPredict": "cards.py:NoPredict has no 'predict'; a model has both",
    "cards:UnknownField": "licence_key is no field of it, did you mean 'licence'; there are: name",
    "cards:ObjectInCard": "version: Input should be a valid string|object of type object; it may hold",
    "construction:MissingWeights": r"raised OSError at construction.py:\d+: weights.bin is missing",
    "construction:WantsArguments": "raised TypeError .*'weights'",
    "construction:NotCallable": "has no class 'NotCallable'",
    "missing_import:Model": "raised ModuleNotFoundError .*a_package_that_is_not_there",
}
NOT_MADE_BY_WORKERS = {
    "cards:RaisingCard": "raised KeyError at cards.py",
    "cards:EndlessInput": "The card of .* raised ValueError .*Out of range float values",
    "construction:AsksForInput": r"raised EOFError at construction.py:\d+",
    "deaths:ExitsWhileMade": "exited with code 0",
}


@pytest.mark.parametrize(("name", "words"), (ANSWERS | ANSWERS_ANYWHERE).items())
def test_in_this_process(name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        scores_of(find_model(spec_of(name)).build("cpu"), FakeRecords())
    assert is_one_clear_line(str(caught.value))


@pytest.mark.parametrize(("name", "words"), (ANSWERS_ANYWHERE | ANSWERS_OF_WORKERS).items())
def test_in_a_worker(name: str, words: str) -> None:
    with remote(name) as model, pytest.raises(ModelError, match=words) as caught:
        scores_of(model, FakeRecords())
    assert is_one_clear_line(str(caught.value))


@pytest.mark.parametrize("name", ["RequiresGrad", "BFloat16", "OneForEachRecord", "NumberByNumber"])
def test_tensors_are_arrays(name: str) -> None:
    records = FakeRecords()
    here = scores_of(find_model(f"{TENSORS}:{name}").build("cpu"), records)
    np.testing.assert_allclose(here, records.signals.std(axis=2)[:, :2], rtol=0.01)


def test_tensors_are_arrays_in_a_worker() -> None:
    """In one worker, a batch of each kind: to import torch takes longer than all else."""
    records = FakeRecords(12)
    kinds = ("RequiresGrad", "BFloat16", "OneForEachRecord", "NumberByNumber")
    here = [scores_of(find_model(f"{TENSORS}:{name}").build("cpu"), records, 3) for name in kinds]
    expected = np.concatenate([scores[3 * at : 3 * at + 3] for at, scores in enumerate(here)])
    assert not np.array_equal(here[0], here[1])
    with RemoteModel(f"{TENSORS}:EachInTurn", Interpreter(sys.executable)) as model:
        np.testing.assert_array_equal(scores_of(model, records, 3), expected)


@pytest.mark.parametrize(("name", "words"), HANGS.items())
def test_one_that_hangs_is_stopped(name: str, words: str) -> None:
    with remote(name, SHORT) as model, pytest.raises(ModelError, match=words) as caught:
        scores_of(model, FakeRecords())
    assert is_one_clear_line(str(caught.value))


@pytest.mark.parametrize(("name", "words"), (NOT_MADE | NOT_MADE_ANYWHERE).items())
def test_not_even_made_in_this_process(name: str, words: str) -> None:
    with pytest.raises((ModelError, UsageError), match=words) as caught:
        find_model(spec_of(name))
    assert is_one_clear_line(str(caught.value))


@pytest.mark.parametrize(("name", "words"), (NOT_MADE_ANYWHERE | NOT_MADE_BY_WORKERS).items())
def test_not_even_made_in_a_worker(name: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        remote(name)
    assert is_one_clear_line(str(caught.value))


def test_slow_start_is_stopped() -> None:
    with pytest.raises(ModelError, match=r"did not answer within 1 s at deaths.py:\d+; see --deadline"):
        remote("deaths:SleepsWhileMade", Deadlines(start=1))


def test_memory_beyond_the_limit() -> None:
    with (
        remote("deaths:Allocates", memory=4 * GIB) as model,
        pytest.raises(ModelError, match=r"raised MemoryError .*10\.0 GiB.*; --memory allows 4 GiB"),
    ):
        scores_of(model, FakeRecords())


def test_arrays_in_a_card_are_lists_by_another_name() -> None:
    card = find_model(spec_of("cards:ArraysInCard")).card
    assert card.outputs == ("AF", "LVH")
    assert remote("cards:ArraysInCard").card == card


def test_syntax_error(tmp_path: Path) -> None:
    path = tmp_path / "syntax.py"
    path.write_text("import os\n\ndef broken(:\n")
    with pytest.raises(ModelError, match=r"Importing syntax.py raised SyntaxError at syntax.py:3: invalid"):
        find_model(f"{path}:Model")
    with pytest.raises(ModelError, match=r"Importing syntax.py raised SyntaxError at syntax.py:3: invalid"):
        RemoteModel(f"{path}:Model", Interpreter(sys.executable))


@pytest.mark.parametrize("place", ["here", "in a worker"])
def test_outputs_that_are_no_concepts(place: str) -> None:
    name = "cards:UnknownOutput"
    card = find_model(spec_of(name)).card if place == "here" else remote(name).card
    with pytest.raises(ModelError, match="GOUT"):
        check_outputs(card, ["AF", "LVH"])


def test_a_card_that_changes_is_read_once() -> None:
    with remote("cards:ChangingCard") as model:
        assert model.card.outputs == ("AF", "LVH")
        scores_of(model, FakeRecords(), card=model.card)
        assert model.card.outputs == ("AF", "LVH")


def test_another_card_after_a_new_start_is_an_error() -> None:
    with remote("cards:AnotherCardInEachProcess") as model:
        with pytest.raises(ModelError, match="exited with code 1"):
            scores_of(model, FakeRecords())
        with pytest.raises(ModelError, match="has another card, code or weights"):
            scores_of(model, FakeRecords())


@pytest.mark.parametrize(
    "name",
    [
        "Prints",
        "WritesToDescriptorOne",
        "PrintsAtExit",
        "ReadsStandardInput",
        "Forks",
        "LeavesChildren",
        "WaitsForItsChildren",
        "MutatesItsInput",
        "KeepsItsInput",
    ],
)
def test_noise_does_no_harm(name: str) -> None:
    records = FakeRecords()
    before = records.signals.copy()
    with remote(f"noise:{name}") as model:
        scores = scores_of(model, records)
    np.testing.assert_array_equal(scores, before.std(axis=2)[:, :2])
    np.testing.assert_array_equal(records.signals, before)


@pytest.mark.parametrize("name", ["BatchDependent", "SizeDependent", "OrderDependent", "Random", "Remembers"])
def test_scores_that_depend_on_more_than_the_record(name: str) -> None:
    """That they run; to refuse them is for `leadboard check`."""
    source, records = find_model(spec_of(f"dependence:{name}")), FakeRecords()
    one, other = (scores_of(source.build("cpu"), records, size) for size in (4, 5))
    backwards = FakeRecords()
    backwards.signals = backwards.signals[::-1]
    turned = scores_of(source.build("cpu"), backwards, 4)[::-1]
    assert not np.allclose(one, other) or not np.allclose(one, turned)

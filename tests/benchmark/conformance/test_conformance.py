"""`leadboard check`: right models pass, and each kind of mistake fails the check for it."""

from __future__ import annotations

import json
import subprocess
import sys
from mmap import mmap
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.commands.checking import check
from benchmark.commands.elsewhere import ElsewhereOptions
from benchmark.conformance import CheckReport, CheckResult, check_model
from benchmark.conformance.asking import Mode
from benchmark.conformance.declared import Ramps, verify
from benchmark.conformance.differences import compared
from benchmark.conformance.mock import CONCEPTS, FINDINGS, NEVER, UNANNOTATED, MockCohort, mock_cohort
from benchmark.conformance.resources import resident
from benchmark.conformance.suite import CHECKS, LOADING
from benchmark.models.model_card import InputSpec, ModelCard
from benchmark.models.plugins import find_model
from benchmark.protocols.harmonise import PreparedRecords
from benchmark.protocols.published import install
from cohorts.errors import ModelError, UsageError
from cohorts.ontology.ontology import load_ontology
from cohorts.recording import STANDARD_LEADS

PLUGINS = Path(__file__).parents[2] / "plugins"
NONCONFORMING = PLUGINS / "nonconforming.py"
ABILITIES = PLUGINS / "nonconforming_abilities.py"

# Model, the one check that it fails, and what has to be said about it.
BROKEN = [
    ("bad.py:NoCard", "loading", "no 'card'"),
    ("bad.py:BadCard", "loading", "name"),
    ("bad.py:RaisesOnBuild", "loading", "weights.bin is missing"),
    ("nonconforming.py:UnknownCohort", "card", "ptbxl"),
    ("nonconforming.py:UnknownConcept", "card", "GOUT"),
    ("nonconforming.py:AnotherCardEachTime", "card", "differs in version"),
    ("nonconforming.py:AnotherCardEachLook", "card", "differs in outputs"),
    ("nonconforming_abilities.py:TakesAnything", "published weights", "an empty file for weights"),
    ("nonconforming.py:ForgetsItsPretraining", "pre-training", "after load"),
    ("nonconforming.py:CannotPretrain", "pre-training", "no reports"),
    ("nonconforming_abilities.py:CannotLearn", "fit", "RuntimeError at nonconforming_abilities.py"),
    ("nonconforming_abilities.py:SortsItsOutputs", "fit", "'AF', 'LBBB', 'STach'"),
    ("nonconforming_abilities.py:Renamed", "fit", "changes the card in name"),
    ("nonconforming_abilities.py:RefusesGaps", "gaps in labels", "have to be 0 or 1"),
    ("bad.py:WrongShape", "answers", "shape (40, 3)"),
    ("bad.py:Nan", "answers", "NaN or infinite"),
    ("bad.py:Text", "answers", "instead of real numbers"),
    ("bad.py:Raises", "answers", "ZeroDivisionError"),
    ("bad.py:Exits", "answers", "SystemExit"),
    ("nonconforming_abilities.py:EncodesCounts", "answers", "int64"),
    ("nonconforming.py:Noisy", "asked twice", "a torch network is quiet after .eval()"),
    ("nonconforming.py:Remembers", "earlier batches", "after another batch"),
    ("nonconforming.py:Drifts", "earlier batches", "after another batch"),
    ("nonconforming.py:OrderDependent", "order of records", "in another order"),
    ("nonconforming.py:Squeezes", "one record", "shape (2,)"),
    ("nonconforming.py:InTrainingModeOnRows", "one record", "batch normalisation of torch can after .eval()"),
    ("nonconforming.py:BatchDependent", "batch size", "in a batch of 32"),
    ("nonconforming.py:InTrainingMode", "batch size", "batch normalisation of torch does not after .eval()"),
    ("nonconforming.py:SizeDependent", "batch size", "in a batch of"),
    ("nonconforming_abilities.py:EncodesBatches", "batch size", "feature"),
    ("nonconforming_abilities.py:EncodesBatchesBeside", "batch size", "embed: feature"),
    ("nonconforming.py:NewWeights", "another instance", "of another instance"),
    ("nonconforming_abilities.py:ForgetsOnSave", "save and load", "after load"),
    ("nonconforming_abilities.py:ForgetsItsOutputs", "save and load", "'LBBB', 'LVH', 'AF'"),
    ("nonconforming_abilities.py:RemembersWhere", "save and load", "FileNotFoundError"),
    ("nonconforming_abilities.py:Alphabetical", "columns", "STach is recognised by column LVH"),
    ("nonconforming_abilities.py:SkipsUndefined", "columns", "AF is recognised by column WPW"),
    ("nonconforming_abilities.py:UpsideDown", "columns", "upside down"),
    ("nonconforming.py:ToldInTheAlphabet", "prompts", "in another order"),
    ("nonconforming.py:ToldTogether", "prompts", "with fewer concepts"),
    ("nonconforming.py:ToldMore", "prompts", "otherwise"),
    ("nonconforming.py:Logits", "probabilities", "claims probabilities"),
    ("nonconforming.py:ProbabilitiesOfTheUsual", "probabilities", "claims probabilities"),
    ("nonconforming.py:MovedInput", "input as declared", "another input than before"),
    ("nonconforming.py:FullLengthOnly", "input as declared", "the record is too short"),
    ("nonconforming.py:Mutating", "input left alone", "batch.signals"),
    ("nonconforming.py:MutatingAges", "input left alone", "batch.age"),
    ("nonconforming.py:DividesBySpread", "flat signals", "With all leads zero"),
    ("nonconforming.py:HalfPrecision", "huge amplitudes", "32,768 mV"),
    ("nonconforming.py:NeedsAge", "unknown age and sex", "NaN"),
    ("nonconforming.py:NeedsSex", "unknown age and sex", "KeyError"),
    (
        "nonconforming.py:ChangesTheFolder",
        "process left alone",
        "the working folder (os.chdir)",
    ),
    ("nonconforming.py:ChangesTheType", "process left alone", "torch's usual type of numbers"),
    ("nonconforming.py:KeepsBatches", "memory and speed", "signals of 64 of 64 batches"),
    ("nonconforming.py:Grows", "memory and speed", "in 10 batches of 32"),
]


def outcomes(report: CheckReport) -> dict[str, str]:
    return {result.name: result.outcome for result in report.checks}


@pytest.mark.parametrize(("model", "failing", "words"), BROKEN, ids=[model for model, _, _ in BROKEN])
def test_a_broken_model_fails_exactly_the_check_that_is_about_it(
    model: str, failing: str, words: str
) -> None:
    report = check_model(f"{PLUGINS / model}")
    assert [result.name for result in report.failures] == [failing]
    assert words in report.failures[0].reason
    assert "\n" not in report.failures[0].text()


def test_every_check_can_fail() -> None:
    assert {failing for _, failing, _ in BROKEN} == {LOADING, *(check.name for check in CHECKS)}


ALWAYS_SKIPPED = {"published weights", "pre-training"}
FIT = {"fit", "gaps in labels", "save and load", "columns"}


@pytest.mark.parametrize(
    ("model", "skipped"),
    [
        ("good.py:Amplitude", {*ALWAYS_SKIPPED, *FIT, "prompts", "probabilities"}),
        ("nonconforming.py:Right", {*ALWAYS_SKIPPED, *FIT, "prompts", "probabilities"}),
        ("nonconforming_abilities.py:Encodes", {*ALWAYS_SKIPPED, *FIT, "prompts", "probabilities"}),
        ("nonconforming.py:Told", {*ALWAYS_SKIPPED, *FIT, "probabilities"}),
        (
            "nonconforming_abilities.py:Spectrum",
            {*ALWAYS_SKIPPED, "prompts", "probabilities", "another instance"},
        ),
        ("nonconforming.py:Pretrains", {"published weights", *FIT, "probabilities"}),
        ("foundation.py:Foundation", {"published weights", "probabilities"}),
    ],
)
def test_right_models_pass_whatever_they_can_do(model: str, skipped: set[str]) -> None:
    report = check_model(f"{PLUGINS / model}")
    assert report.failures == ()
    assert {name for name, outcome in outcomes(report).items() if outcome == "skipped"} == skipped
    assert all(result.reason for result in report.checks)


@pytest.mark.parametrize("name", ["prevalence", "age-sex"])
def test_the_controls_pass(name: str) -> None:
    report = check_model(name)
    assert report.failures == ()
    expected = {"prevalence": "skipped", "age-sex": "pass"}  # the one looks at nothing, the other at people
    assert outcomes(report)["columns"] == expected[name]


def test_published_weights_are_asked_once_they_are_there(tmp_path: Path) -> None:
    spec = f"{ABILITIES}:Brought"
    absent = check_model(spec, cache=tmp_path)
    assert absent.failures == ()
    assert outcomes(absent)["answers"] == outcomes(absent)["published weights"] == "skipped"
    (tmp_path / "number").write_text("3")
    install(find_model(spec), str(tmp_path / "number"), tmp_path)
    present = check_model(spec, cache=tmp_path)
    assert present.failures == ()
    assert outcomes(present)["answers"] == outcomes(present)["published weights"] == "pass"


def test_a_model_that_is_not_small_is_pre_trained_on_request(tmp_path: Path) -> None:
    text = NONCONFORMING.read_text().replace("    small = True", "    small = False")
    (tmp_path / "large.py").write_text(text)
    spec = f"{tmp_path / 'large.py'}:Pretrains"
    left = check_model(spec)
    assert outcomes(left)["pre-training"] == outcomes(left)["answers"] == "skipped"
    assert "--pretrain" in next(result.reason for result in left.checks if result.name == "pre-training")
    asked = outcomes(check_model(spec, pretrain=True))
    assert asked["pre-training"] == asked["answers"] == "pass"


def test_each_check_is_named_before_it_runs() -> None:
    told: list[str] = []
    report = check_model(
        f"{NONCONFORMING}:Right", before=told.append, after=lambda result: told.append(f"{result.name}!")
    )
    names = [result.name for result in report.checks]
    assert names == [LOADING, *(check.name for check in CHECKS)]
    assert told == [word for name in names for word in (name, f"{name}!")]


@pytest.mark.parametrize("spec", ["prevalance", "nowhere.py:Model", f"{NONCONFORMING}:Nothing"])
def test_a_model_that_is_not_there_is_a_wrong_call(spec: str) -> None:
    with pytest.raises(UsageError):
        check_model(spec)


def test_a_device_that_is_not_there_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="cuda:77"):
        check(f"{NONCONFORMING}:Right", device="cuda:77")


@pytest.mark.parametrize(("name", "code"), [("Right", 0), ("Mutating", 1)])
def test_the_command_prints_one_line_a_check(
    name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(f"{NONCONFORMING}:{name}") == code
    *lines, summary = capsys.readouterr().out.splitlines()
    assert [line[:22].strip() for line in lines] == [LOADING, *(check.name for check in CHECKS)]
    assert {line[22:].split()[0] for line in lines} == {"pass", "skipped", *(["FAIL"] if code else [])}
    assert f"{code} failed" in summary


def test_a_model_that_was_never_asked_is_not_taken_for_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(f"{ABILITIES}:Brought", cache=tmp_path) == 1
    summary = capsys.readouterr().out.splitlines()[-1]
    assert "The model was never asked, so nothing is known of its answers: its weights" in summary


def test_a_model_is_checked_in_another_environment(capsys: pytest.CaptureFixture[str]) -> None:
    ends = f"{PLUGINS / 'broken' / 'deaths.py'}:Exits"
    elsewhere = ElsewhereOptions(python=sys.executable)
    assert check(ends, elsewhere=elsewhere) == 1
    assert "predict raised SystemExit at deaths.py" in capsys.readouterr().out
    assert check(f"{NONCONFORMING}:Right", elsewhere=elsewhere, deadline=60) == 0
    with pytest.raises(UsageError, match="two environments"):
        check(ends, elsewhere=ElsewhereOptions(python=sys.executable, container="image"))


def test_what_a_model_prints_stays_out_of_the_json(tmp_path: Path) -> None:
    """And what it raises is not obeyed by the terminal; by the real command line."""
    (tmp_path / "loud.py").write_text(
        "print('importing')\n"
        "class Loud:\n"
        "    card = {'name': 'loud', 'outputs': ['AF'], 'trained_on': []}\n"
        "    def predict(self, batch):\n"
        "        print('predicting')\n"
        "        raise ValueError('\\x1b[2J gone')\n"
    )
    command = [sys.executable, "-m", "benchmark", "check", "loud.py:Loud", "--json"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3]), "LEADBOARD_CACHE": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    report = CheckReport.model_validate(json.loads(done.stdout))
    assert [result.name for result in report.failures] == ["answers"]
    assert "gone" in done.stderr
    assert "\x1b" not in done.stderr


def test_lines_are_printable() -> None:
    result = CheckResult(name="answers", outcome="fail", reason="red \x1b[31m and\nmore")
    assert result.text() == "FAIL    red  and\N{REPLACEMENT CHARACTER}more"


def test_the_mock_cohort_has_what_releases_have() -> None:
    cohort = MockCohort(32, 1, gaps=True)
    signals = [cohort.recording(row) for row in range(len(cohort))]
    assert len({signal.sampling_rate for signal in signals}) >= 3
    assert len({signal.leads for signal in signals}) >= 3
    assert len({round(signal.signal.shape[1] / signal.sampling_rate) for signal in signals}) >= 3
    assert any(np.isnan(signal.signal).all(axis=1).any() for signal in signals)
    assert any(0 < np.isnan(signal.signal[0]).sum() < signal.signal.shape[1] for signal in signals)
    assert cohort.index["age"].isna().any()
    assert cohort.index["sex"].isna().any()
    labels = cohort.labels
    assert list(labels.columns) == list(CONCEPTS)
    assert set(np.unique(labels[NEVER])) == {-1, 0}
    assert set(np.unique(labels[UNANNOTATED])) == {-1}
    for column, finding in enumerate(FINDINGS):
        annotated = labels[finding] >= 0
        assert 0 < (~annotated).sum() < len(labels) / 3
        assert (labels[finding][annotated] == cohort.truth[annotated, column]).all()
    assert set(CONCEPTS) <= set(load_ontology().concepts.index)
    assert sorted(CONCEPTS) != list(CONCEPTS)


def test_the_mock_cohort_is_the_same_every_time_and_its_findings_are_independent() -> None:
    one, two, other = (
        MockCohort(40, 3, gaps=False),
        MockCohort(40, 3, gaps=False),
        MockCohort(40, 4, gaps=False),
    )
    spec = InputSpec(sampling_rate=250, seconds=4, leads=("V6", "aVL"))
    batches = [cohort.records(spec).batch(range(40)) for cohort in (one, two, other)]
    np.testing.assert_array_equal(batches[0].signals, batches[1].signals)
    assert np.abs(batches[0].signals - batches[2].signals).max() > 0.1
    assert not np.isnan(batches[0].age).any()
    assert "" not in batches[0].sex
    for number, finding in enumerate(one.truth.T):
        for other_finding in np.delete(one.truth, number, axis=1).T:
            assert roc_auc_score(finding, other_finding) == 0.5
    for said, findings in zip(one.sentences, one.truth, strict=True):
        assert len(said) == max(1, findings.sum())
        assert ("normal ECG" in said) == (not findings.any())


def mode(device: str = "cpu") -> Mode:
    card = ModelCard(name="m", outputs=("AF", "LVH"), trained_on=())
    return Mode("predict", card, lambda: find_model(f"{NONCONFORMING}:Right").build("cpu"), device)


@pytest.mark.parametrize(
    ("device", "factor", "same"),
    [("cpu", 2e-5, True), ("cpu", 5e-4, False), ("cuda", 5e-4, True), ("cuda", 1e-2, False)],
)
def test_rounding_is_no_difference_and_more_is(device: str, factor: float, same: bool) -> None:
    expected = np.linspace([0, 10], [1, 30], 50, dtype=np.float32)
    found = expected.copy()
    found[7, 1] += factor * 20
    if same:
        assert compared(mode(device), expected, found, "again")
    else:
        with pytest.raises(ModelError, match=r"LVH of a record is 1[23]\.\d+ again, and 12\.85714 otherwise"):
            compared(mode(device), expected, found, "again")


def test_a_column_that_hardly_varies_is_measured_by_the_others() -> None:
    expected = np.linspace([0, 1e-7], [1, 2e-7], 50, dtype=np.float32)
    found = expected + np.array([0, 3e-8], np.float32)
    assert compared(mode(), expected, found, "again")
    with pytest.raises(ModelError, match="LVH"):
        compared(mode(), expected, found + np.array([0, 1e-4], np.float32), "again")
    with pytest.raises(ModelError, match="AF"):
        compared(mode(), np.ones((5, 2), np.float32), np.full((5, 2), 1.1, np.float32), "again")


def test_the_shape_of_an_answer_may_not_change() -> None:
    with pytest.raises(ModelError, match=r"\(5, 3\) again, and \(5, 2\) otherwise"):
        compared(mode(), np.ones((5, 2), np.float32), np.ones((5, 3), np.float32), "again")


SPEC = InputSpec(sampling_rate=200, seconds=3, leads=("V2", "II", "aVR"), unit="uV")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, None),
        ({"sampling_rate": 250}, "instead of float32"),
        ({"leads": ("V2", "II")}, "instead of float32"),
        ({"leads": ("II", "V2", "aVR")}, "lead V2 is not that lead in uV"),
        ({"unit": "mV"}, "lead V2 is not that lead in uV"),
        ({"sampling_rate": 100, "seconds": 6}, "lead V2 is not that lead in uV"),
        ({"long_records": "windows"}, None),
    ],
)
def test_another_input_than_declared_is_seen(given: dict[str, object], words: str | None) -> None:
    ramps = Ramps(SPEC)
    batch = PreparedRecords(ramps, np.arange(4), SPEC.model_copy(update=given)).batch([0, 1])
    if words is None:
        verify(batch, SPEC)
    else:
        with pytest.raises(ModelError, match=words):
            verify(batch, SPEC)


def test_ramps_have_their_leads_the_wrong_way_round() -> None:
    assert Ramps(SPEC).recording(0).leads == STANDARD_LEADS[::-1]


def test_memory_is_measured() -> None:
    before = resident()
    with mmap(-1, 100_000_000) as pages:  # which no earlier test can have left to this process
        pages.write(bytes(len(pages)))
        assert 90 < resident() - before < 120


def test_a_cohort_is_made_once() -> None:
    assert mock_cohort(40, 3, gaps=False) is mock_cohort(40, 3, gaps=False)

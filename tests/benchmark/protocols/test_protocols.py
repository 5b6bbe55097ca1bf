"""Every protocol on a model that has every ability, end to end on tiny releases."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmark.config import Places
from benchmark.exchange.gathering import gather
from benchmark.exchange.joining import join
from benchmark.metrics.bootstrap import group_records
from benchmark.models.model_files import Origin
from benchmark.models.plugins import find_model
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.protocol import chosen, possible
from benchmark.protocols.published import install
from benchmark.records.measuring import RunSettings
from benchmark.records.predictions import load_predictions, score_tables
from benchmark.records.record import ResultRecord, load_record
from benchmark.records.run_folder import load_run_file
from benchmark.run.runner import Outcome
from benchmark.run.runner import run as run_cells
from benchmark.run.states import RunOptions
from benchmark.text import unnamed
from cohorts.catalogue import open_cohort
from cohorts.errors import ModelError, UsageError
from cohorts.preparing import prepare
from cohorts.store import Store
from tests.benchmark.metrics.draws import counts_of
from tests.releases import write_challenge, write_ptb_xl

PROBE_NAMES = ["linear-probe-1", "linear-probe-10", "linear-probe-100"]
FILE = Path(__file__).parents[2] / "plugins" / "foundation.py"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root)
    write_challenge(root, "georgia")
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Path, cache: Path) -> Path:
    """A finished run of the model under its usual protocols."""
    path = tmp_path_factory.mktemp("run")
    assert run(path, data, cache, f"{FILE}:Foundation").failed == 0
    return path


def run(folder: Path, data: Path, cache: Path, *models: str, **more: object) -> Outcome:
    settings = RunSettings(resamples=50)
    options = RunOptions(folder, Places(data, cache), settings, Hardware(), models=models, **more)  # type: ignore[arg-type]
    return run_cells(options, Reporter())


def result(folder: Path, protocol: str, cohort: str = "georgia", model: str = "foundation") -> ResultRecord:
    return load_record(folder / model / protocol / f"{cohort}.json")


def store_of(name: str, data: Path, cache: Path) -> Store:
    cohort = open_cohort(name, data)
    assert cohort is not None
    return prepare(cohort, cache)


def test_the_usual_protocols_are_run(folder: Path) -> None:
    found = {cell.protocol for cell in load_run_file(folder).cells}
    assert found == {
        "zero-shot",
        "zero-shot-unseen",
        "linear-probe-1",
        "linear-probe-10",
        "linear-probe-100",
        "fine-tune-10",
    }


def test_zero_shot_is_told_in_words_and_finds_what_it_was_told(folder: Path) -> None:
    record = result(folder, "zero-shot")
    auroc = record.evaluation.concepts["AF"].auroc.value
    assert auroc is not None
    assert auroc > 0.9
    assert record.evaluation.concepts["LVH"].auroc.value == 0.5  # the words say nothing to this model
    assert record.training == ()
    assert record.pretraining is not None
    assert [source.cohort for source in record.pretraining.sources] == ["ptb-xl"]
    assert record.model.trained_on == ("ptb-xl",)
    assert record.relation == "external"
    assert result(folder, "zero-shot", "ptb-xl").relation == "internal"
    assert record.model.description.startswith("Trained by this suite on ptb-xl; not the authors' weights.")


def test_what_is_held_out_was_never_seen(folder: Path, cache: Path) -> None:
    record = result(folder, "zero-shot-unseen")
    assert record.pretraining is not None
    assert record.pretraining.held_out == record.model.outputs == ("AF", "LBBB", "PVC", "LVH")
    assert set(record.evaluation.concepts) <= {"AF", "LBBB", "PVC", "LVH"}
    seen = [
        json.loads(path.read_text())["seen"]
        for path in sorted(cache.glob("models/foundation/pretrained-*/weights/model.json"))
    ]
    assert len(seen) == 2
    without, everything = sorted(seen, key=len)
    assert any("fibrillation" in text for said in everything for text in said)
    assert without
    assert not any("fibrillation" in text or "hypertrophy" in text for said in without for text in said)


def test_the_probe_agrees_with_scikit_learn_on_the_same_fits(folder: Path, data: Path, cache: Path) -> None:
    record = result(folder, "linear-probe-10")
    assert len(record.training) == len(record.weights_sha256) == 3
    predictions, _ = load_predictions(folder / "foundation/linear-probe-10/georgia.parquet")
    fits, _ = score_tables(predictions)
    truth = store_of("georgia", data, cache).labels["AF"].to_numpy()
    known = truth >= 0
    values = [roc_auc_score(truth[known], fit["AF"][known]) for fit in fits]
    metrics = record.evaluation.concepts["AF"]
    assert metrics.auroc.value == pytest.approx(np.mean(values), abs=1e-12)
    assert result(folder, "linear-probe-100").evaluation.fits == ()


def test_intervals_are_of_the_mean_over_the_fits(folder: Path, data: Path, cache: Path) -> None:
    predictions, _ = load_predictions(folder / "foundation/linear-probe-1/georgia.parquet")
    fits, _ = score_tables(predictions)
    store = store_of("georgia", data, cache)
    truth = store.labels["AF"].to_numpy()
    counts = counts_of(group_records(store.index["record_id"]), 50, 0)
    means = []
    for drawn in counts.T:
        weight = drawn * (truth >= 0)
        if {0, 1} <= set(truth[weight > 0]):
            means.append(np.mean([roc_auc_score(truth == 1, f["AF"], sample_weight=weight) for f in fits]))
    found = result(folder, "linear-probe-1").evaluation.concepts["AF"].auroc
    low, high = np.percentile(means, [2.5, 97.5])
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_fine_tuning_starts_from_the_pre_trained_weights(folder: Path, cache: Path) -> None:
    record = result(folder, "fine-tune-10")
    assert record.pretraining is not None
    assert {fit.percent for fit in record.training} == {10}
    assert len({fit.seed for fit in record.training}) == 3
    saved = [json.loads(path.read_text()) for path in cache.glob("models/foundation/*/weights/model.json")]
    tuned = [model for model in saved if model["head"]]
    assert len(tuned) == 3
    assert all(model["slope"] != 0 for model in tuned)  # what pre-training left
    assert record.evaluation.concepts["AF"].auroc.value is not None


def test_all_protocols_of_a_model_are_of_one_model_on_a_board(folder: Path) -> None:
    board = join(gather([folder]), "board")
    assert {record.model.name for record in board.records} == {"foundation"}
    assert len(board.records) == 12
    assert board.plan.warnings == load_run_file(folder).warnings == ()
    assert len({record.origin for record in board.records}) == 1
    assert {len(set(record.weights_sha256)) for record in board.records} == {1, 3}


def test_a_second_run_does_nothing(folder: Path, data: Path, cache: Path) -> None:
    assert run(folder, data, cache, f"{FILE}:Foundation").computed == 0


def test_protocols_can_be_asked_for(tmp_path: Path, data: Path, cache: Path) -> None:
    outcome = run(tmp_path, data, cache, f"{FILE}:Untrained", protocols=["fine-tune-1", "zero-shot"])
    assert (outcome.cells, outcome.failed) == (4, 0)
    assert result(tmp_path, "fine-tune-1", model="untrained").pretraining is None
    with pytest.raises(UsageError, match="Did you mean 'zero-shot'"):
        run(tmp_path, data, cache, f"{FILE}:Untrained", protocols=["zeroshot"])
    with pytest.raises(UsageError, match=r"None of the models .* zero-shot needs 'set_concepts' and outputs"):
        run(tmp_path, data, cache, "prevalence", protocols=["zero-shot"])
    with pytest.raises(UsageError, match="under linear-probe-10: linear-probe-10 needs 'embed'"):
        run(tmp_path, data, cache, "prevalence", protocols=["linear-probe-10"])


def test_a_model_without_weights_is_listed_and_the_run_goes_on(
    tmp_path: Path, data: Path, cache: Path
) -> None:
    outcome = run(tmp_path, data, cache, f"{FILE}:Brought", "prevalence")
    assert (outcome.cells, outcome.failed) == (2, 0)
    (absent,) = load_run_file(tmp_path).absent_models
    assert absent.model == "brought"
    assert "weights not found" in absent.reason
    command = f"leadboard pretrain {FILE}:Brought --source ptb-xl --precision 32-true"
    assert unnamed(command) in absent.reason
    assert unnamed(f"leadboard weights {FILE}:Brought --file FILE") in absent.reason
    with pytest.raises(UsageError, match="weights not found"):
        run(tmp_path / "alone", data, cache, f"{FILE}:Brought")


def brought(tmp_path: Path, data: Path, name: str, protocol: str) -> Path:
    """Run the model with published weights of its own, in a cache of its own, as another hospital would."""
    file, cache = tmp_path / f"{name}.json", tmp_path / f"cache of {name}"
    file.write_text('{"slope": 2.5}')
    install(find_model(f"{FILE}:Brought"), str(file), cache)
    outcome = run(tmp_path / name, data, cache, f"{FILE}:Brought", protocols=[protocol])
    assert (outcome.cells, outcome.failed) == (2, 0)
    return tmp_path / name


def test_a_published_model_is_one_model_wherever_and_however_it_was_asked(tmp_path: Path, data: Path) -> None:
    def rows(*folders: Path) -> set[tuple[str, str]]:
        return {(r.model.name, r.protocol) for r in join(gather(folders), "board").records}

    asked, probed = (brought(tmp_path, data, name, name) for name in ("zero-shot", "linear-probe-100"))
    tuned = brought(tmp_path, data, "tuned", "fine-tune-1")
    assert rows(asked, probed, tuned) == {
        ("brought", "zero-shot"),
        ("brought", "linear-probe-100"),
        ("brought", "fine-tune-1"),
    }


def test_brought_weights_are_checked_kept_and_used(tmp_path: Path, data: Path) -> None:
    source = find_model(f"{FILE}:Brought")
    file = tmp_path / "official.json"
    file.write_text('{"offset": 1}')
    with pytest.raises(ModelError, match="holds offset instead of slope"):
        install(source, str(file), tmp_path / "cache")
    file.write_text('{"slope": 2.5}')
    sentence, artifact = install(source, str(file), tmp_path / "cache")
    assert sentence.startswith("One slope. SHA-256 ")
    outcome = run(tmp_path / "run", data, tmp_path / "cache", f"{FILE}:Brought", protocols=["zero-shot"])
    assert (outcome.cells, outcome.failed) == (2, 0)
    record = result(tmp_path / "run", "zero-shot", model="brought")
    assert record.weights_sha256 == (artifact.read()[1],)
    assert record.pretraining is None
    assert record.model.trained_on == ()
    source = find_model(f"{FILE}:Brought")
    assert record.origin == Origin(code=source.code_hash, weights=artifact.read()[1])
    (artifact.weights / "model.json").write_text("{}")
    assert run(tmp_path / "again", data, tmp_path / "cache", f"{FILE}:Brought").computed == 0
    cells = load_run_file(tmp_path / "again").cells
    refused = {cell.reason for cell in cells if cell.status == "failed"}
    assert "not those that were saved; bring them again with: leadboard weights " in str(refused)
    assert artifact.done


def test_a_run_makes_damaged_weights_again(
    folder: Path, data: Path, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = ("zero-shot", "linear-probe-100", "fine-tune-10")
    shutil.copytree(cache, tmp_path / "cache")
    notes = sorted((tmp_path / "cache/models/foundation").glob("*/made.json"))
    for number, note in enumerate(notes):
        if number % 2:
            note.write_text("{")
        else:
            shutil.rmtree(note.parent / "weights")
    outcome = run(tmp_path / "run", data, tmp_path / "cache", f"{FILE}:Foundation", protocols=asked)
    assert (outcome.cells, outcome.failed) == (6, 0)
    assert caplog.text.count("they are made again") == 5  # a pre-training, a probe, three fits
    for name in asked:
        again, before = result(tmp_path / "run", name), result(folder, name)
        assert again.predictions.sha256 == before.predictions.sha256


@pytest.mark.parametrize(
    ("abilities", "outputs", "expected"),
    [
        ({"Trainable"}, (), ["as-is"]),
        (set(), ("AF",), ["as-is"]),
        ({"Encoder"}, (), PROBE_NAMES),
        ({"Prompted"}, "any", ["zero-shot"]),
        (
            {"Encoder", "Trainable"},
            ("AF",),
            ["as-is", "linear-probe-1", "linear-probe-10", "linear-probe-100", "fine-tune-10"],
        ),
    ],
)
def test_abilities_decide_the_protocols(
    abilities: set[str], outputs: tuple[str, ...] | str, expected: list[str]
) -> None:
    candidates = possible(abilities, outputs, may_pretrain=False)  # type: ignore[arg-type]
    assert [protocol.name for protocol in chosen(candidates, (), None)] == expected
    assert [p.name for p in chosen(candidates, (), ("linear-probe-10",))] == [
        name for name in expected if name == "linear-probe-10"
    ]

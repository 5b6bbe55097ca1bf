"""What `leadboard score` measures on request: calibration, subgroups, readers, the Challenge, BCa."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from benchmark.cli import app
from benchmark.metrics.challenge import challenge_scores, reward_matrix
from benchmark.metrics.intervals import bca_interval
from benchmark.scoring.against_labels import ScoreOptions, score_table
from cohorts.errors import UsageError

RECORDS = 120


def tables(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores and labels, with sex, age and a ward."""
    rng = np.random.default_rng(seed)
    ids = [f"r{at:03d}" for at in range(RECORDS)]
    labels = pd.DataFrame(
        {"record_id": ids, "AF": rng.random(RECORDS) < 0.4, "SB": rng.random(RECORDS) < 0.3}
    )
    labels[["AF", "SB"]] = labels[["AF", "SB"]].astype(int)
    scores = pd.DataFrame({"record_id": ids})
    for name in ("AF", "SB"):
        scores[name] = 1 / (1 + np.exp(-(2 * labels[name] - 1 + rng.normal(size=RECORDS))))
    labels["sex"] = rng.choice(["F", "M", ""], RECORDS, p=[0.5, 0.45, 0.05])
    labels["age"] = rng.integers(20, 95, RECORDS)
    return scores, labels


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    for table, name in zip(tables(), ("scores", "labels"), strict=True):
        table.sample(frac=1, random_state=len(name)).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path / "scores.csv", tmp_path / "labels.csv"


def test_nothing_is_measured_unasked(files: tuple[Path, Path]) -> None:
    found = score_table(*files, resamples=50)
    assert found.statistics.calibration is None
    assert found.statistics.subgroups == {}
    assert (found.readers, found.challenge, found.bca) == ({}, None, None)
    assert "no validation fold" in (found.statistics.why_no_calls or "")
    assert found.notes == (f"{files[1]} has columns without scores, which are ignored: sex, age.",)


def test_calibration_and_subgroups_of_the_tables(files: tuple[Path, Path]) -> None:
    found = score_table(*files, resamples=50, options=ScoreOptions(True, subgroups=("sex", "age")))
    scores, labels = tables()
    assert found.statistics.calibration is not None
    brier = found.statistics.calibration.concepts["AF"].brier.score.value
    assert brier == pytest.approx(brier_score_loss(labels["AF"], scores["AF"]))
    sex = found.statistics.subgroups["sex"]
    assert set(sex.groups) == {"F", "M", "unknown"}
    inside = labels["sex"] == "F"
    expected = roc_auc_score(labels["AF"][inside], scores["AF"][inside])
    assert sex.groups["F"].concepts["AF"].auroc.value == pytest.approx(expected)
    assert "under 40" in found.statistics.subgroups["age"].groups
    assert found.notes == ()


def test_readers_of_code_test_are_those_of_the_paper(shared: Path, tmp_path: Path) -> None:
    """Sensitivities from table 2 of Ribeiro et al., Nature Communications 11:1760, 2020."""
    annotations = shared / "data/code-test/annotations"
    sources = {
        "scores": shared / "known_answers/code_test_dnn_scores.csv",
        "labels": annotations / "gold_standard.csv",
        "residents": annotations / "cardiology_residents.csv",
        "dnn": annotations / "dnn.csv",
    }
    for name, source in sources.items():
        table = pd.read_csv(source)
        table = table[[column for column in table.columns if not column.startswith("Unnamed")]]
        table.insert(0, "record_id", [f"{row:04d}" for row in range(len(table))])
        table.sample(frac=1, random_state=1).to_csv(tmp_path / f"{name}.csv", index=False)
    readers = {name: tmp_path / f"{name}.csv" for name in ("residents", "dnn")}
    files = tmp_path / "scores.csv", tmp_path / "labels.csv"
    found = score_table(*files, resamples=100, options=ScoreOptions(readers=readers)).readers
    sensitivities = {"1dAVb": 0.679, "RBBB": 0.971, "LBBB": 0.900, "SB": 0.938, "AF": 0.769, "ST": 0.811}
    for name, value in sensitivities.items():
        assert found["residents"][name].sensitivity.value == pytest.approx(value, abs=5e-4)
    assert found["dnn"]["AF"].sensitivity.value == pytest.approx(0.769, abs=5e-4)
    assert found["dnn"]["AF"].specificity.value == 1.0


def test_a_record_that_was_not_read_is_left_out(files: tuple[Path, Path], tmp_path: Path) -> None:
    _, labels = tables()
    calls = labels[["record_id", "AF"]].astype({"AF": "object"})
    calls.loc[:19, "AF"] = ""
    calls.to_csv(tmp_path / "calls.csv", index=False)
    options = ScoreOptions(readers={"perfect": tmp_path / "calls.csv"})
    reader = score_table(*files, resamples=20, options=options).readers["perfect"]["AF"]
    assert reader.n == 100
    assert (reader.sensitivity.value, reader.specificity.value) == (1.0, 1.0)
    assert reader.only_model == 0


def test_bca_is_that_of_the_jackknife_by_hand(files: tuple[Path, Path]) -> None:
    found = score_table(*files, resamples=400, options=ScoreOptions(bca=True))
    scores, labels = tables()
    without = np.array([roc_auc_score(labels["AF"].drop(at), scores["AF"].drop(at)) for at in range(RECORDS)])
    from benchmark.metrics.bootstrap import bootstrap

    drawn = bootstrap(
        labels[["AF"]].to_numpy(np.int8), scores[["AF"]].to_numpy(), np.arange(RECORDS), resamples=400, seed=0
    )
    expected = bca_interval(float(drawn.auroc[0]), drawn.auroc_resamples[:, 0], without)
    assert found.bca is not None
    assert found.bca.concepts["AF"].auroc.interval == pytest.approx(expected)
    assert found.bca.macro.auroc.value == pytest.approx(found.macro.auroc.value)


def challenge_files(folder: Path, names: list[str]) -> tuple[Path, Path, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    ids = [f"r{at}" for at in range(60)]
    labels = pd.DataFrame(rng.random((60, len(names))) < 0.15, columns=names).astype(int)
    scores = pd.DataFrame((labels * 0.4 + rng.random(labels.shape) * 0.6).to_numpy(), columns=names)
    for table in (labels, scores):
        table.insert(0, "record_id", ids)
    labels.to_csv(folder / "labels.csv", index=False)
    scores.to_csv(folder / "scores.csv", index=False)
    return folder / "scores.csv", folder / "labels.csv", scores, labels


def test_challenge_scores_in_any_order_of_columns(tmp_path: Path) -> None:
    classes = list(reward_matrix()[0])
    names = [code.split("|")[0] for code in reversed(classes)]
    *files, scores, labels = challenge_files(tmp_path, names)
    order = [code.split("|")[0] for code in classes]
    truth, values = labels[order].to_numpy(np.int8), scores[order].to_numpy()
    known = challenge_scores(truth, values, values >= 0.5, resamples=20)
    found = score_table(*files, resamples=20, options=ScoreOptions(challenge=True)).challenge
    assert found is not None
    assert found.challenge_metric.value == pytest.approx(known.challenge_metric.value)
    assert found.decisions == "scores of 0.5 or more"
    labels.sample(frac=1, random_state=0).to_csv(tmp_path / "decisions.csv", index=False)
    right = score_table(
        *files, resamples=20, options=ScoreOptions(challenge=True, decisions=tmp_path / "decisions.csv")
    ).challenge
    assert right is not None
    assert (right.challenge_metric.value, right.accuracy.value) == (1.0, 1.0)


def test_what_does_not_fit_is_said_in_one_sentence(files: tuple[Path, Path], tmp_path: Path) -> None:
    def refused(options: ScoreOptions, message: str) -> None:
        with pytest.raises(UsageError, match=message) as error:
            score_table(*files, resamples=5, options=options)
        assert len(str(error.value).splitlines()) == 1

    refused(ScoreOptions(challenge=True), "26 lack")
    refused(ScoreOptions(subgroups=("ward",)), "has no column 'ward' to group records by")
    refused(ScoreOptions(subgroups=("AF",)), "'AF' is no grouping")
    _, labels = tables()
    path = tmp_path / "calls.csv"
    labels[["record_id", "AF"]].rename(columns={"AF": "AFIB"}).to_csv(path, index=False)
    refused(ScoreOptions(readers={"a": path}), "AFIB, which the scores do not have")
    labels[["record_id", "AF"]].iloc[3:].to_csv(path, index=False)
    refused(ScoreOptions(readers={"a": path}), r"lacks 3 records \(r000, r001, r002\)")
    labels[["record_id"]].to_csv(path, index=False)
    refused(ScoreOptions(readers={"a": path}), "no column, which the scores do not have")


def test_from_the_command_line(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, labels = tables()
    labels[["record_id", "AF"]].to_csv(tmp_path / "calls.csv", index=False)
    arguments = ["score", str(files[0]), "--labels", str(files[1]), "--resamples", "30", "--probabilities"]
    arguments += ["--subgroup", "sex", "--reader", f"a colleague={tmp_path / 'calls.csv'}", "--bca"]
    assert app(arguments, result_action="return_value") == 0
    text = capsys.readouterr().out
    for words in ("AUPRC at a prevalence of 0.1", "Calibration", "Macro AUROC by sex", "a colleague", "BCa"):
        assert words in text
    assert app([*arguments, "--json"], result_action="return_value") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["readers"]["a colleague"]["AF"]["sensitivity"]["value"] == 1.0
    for wrong, words in (
        (["--decisions", __file__], "belongs to --challenge"),
        (["--reader", "x.csv"], "is not NAME=FILE"),
    ):
        with pytest.raises(UsageError, match=words):
            app([*arguments[:4], *wrong], result_action="return_value")
    with pytest.raises(UsageError, match="--bca belongs to --labels"):
        app(["score", str(files[0]), "--cohort", "georgia", "--bca"], result_action="return_value")

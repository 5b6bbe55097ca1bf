"""Everything that is committed below ``results`` can be made again from predictions and labels, and is right.

The labels of the reference run are simulated here; those of CODE-test are of the release.
"""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score, roc_auc_score

from benchmark.config import Places
from benchmark.exchange.checking import verify
from benchmark.exchange.gathering import gather
from benchmark.exchange.joining import join
from benchmark.progress import Reporter
from benchmark.report.page.page import SCRIPTS, STYLES, _static
from benchmark.report.pairwise import compare_models
from benchmark.run.cohorts import labelled
from cohorts.labelled import Labelled, LabelledCohorts
from cohorts.simulator.simulate import simulate

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
SUBMISSIONS = RESULTS / "submissions"
MADE = runpy.run_path(str(RESULTS / "make.py"), run_name="make")
MOST_BYTES = 3_000_000

CODE = ("IAVB", "RBBB", "LBBB", "SB", "AF", "STach")
AUROCS = (0.99423386, 0.99907277, 1.0, 0.99745684, 0.99744850, 0.99856312)
"""Of the published scores, computed with scikit-learn from the release's tables."""
F1S = (0.897, 0.944, 1.000, 0.882, 0.870, 0.960)
"""Of the network's calls, as the paper prints them."""


def committed() -> list[Path]:
    """Files below ``results`` that git knows; all but those of local runs outside of a checkout."""
    git = subprocess.run(
        ("git", "-C", str(ROOT), "ls-files", "-z", "--", "results"),
        capture_output=True,
        text=True,
        check=False,
    )
    if git.returncode == 0:
        return [ROOT / name for name in git.stdout.split("\0") if name and (ROOT / name).exists()]
    return [path for path in RESULTS.rglob("*") if path.is_file() and RESULTS / "runs" not in path.parents]


FILES = committed()
FOLDERS = sorted(path.parent for path in FILES if path.name == "manifest.json")


def named(folder: Path) -> str:
    return folder.name.rpartition("-")[0]


OF_CODE = [folder for folder in FOLDERS if named(folder) in MADE["cards"]()]
SIMULATED = [folder for folder in FOLDERS if named(folder) in MADE["MODELS"]]
OTHERS = [folder for folder in FOLDERS if folder not in (*OF_CODE, *SIMULATED)]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> LabelledCohorts:
    """The cohorts of the reference run, as its one command simulates them."""
    home = tmp_path_factory.mktemp("reference")
    simulate(home / "data", int(MADE["SEED"]), MADE["SIMULATED"], float(MADE["SCALE"]))
    return labelled(Places(home / "data", home / "cache"), Reporter())


@pytest.fixture(scope="module")
def released(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> LabelledCohorts:
    return labelled(Places(shared / "data", tmp_path_factory.mktemp("cache")), Reporter())


def check(folder: Path, stores: LabelledCohorts) -> None:
    found = verify(folder, stores)
    assert found.agreed
    assert not found.differences, "\n".join(map(" ".join, found.differences))
    assert not found.unchecked, "\n".join(map(" ".join, found.unchecked))


@pytest.mark.parametrize("folder", SIMULATED, ids=named)
def test_the_reference_run_is_made_again(folder: Path, simulated: LabelledCohorts) -> None:
    check(folder, simulated)


@pytest.mark.parametrize("folder", OF_CODE, ids=named)
def test_code_test_is_made_again(folder: Path, released: LabelledCohorts) -> None:
    check(folder, released)


def test_what_is_simulated_is_not_held_against_real_recordings(released: LabelledCohorts) -> None:
    found = verify(SIMULATED[0] / "records/as-is/georgia.json", released)
    assert not found.differences
    why = "numbers: georgia on this machine is real, and that of the record is not"
    assert why in [one.what for one in found.unchecked]


def test_everything_that_is_made_is_there() -> None:
    assert {named(folder) for folder in FOLDERS} >= {*MADE["MODELS"], *MADE["cards"]()}


def test_submissions_of_others_are_whole() -> None:
    """Their numbers are made again by ``leadboard verify --data``, where the releases are."""
    for folder in OTHERS:
        assert not verify(folder, lambda cohort, /, *, signals=True: None).differences, folder


def test_nothing_else_lies_there() -> None:
    own = {"README.md", "make.py", *MADE["BOARD"]}
    for path in FILES:
        inside = any(folder in path.parents for folder in FOLDERS)
        assert inside or path.relative_to(RESULTS).as_posix() in own, f"{path} belongs to no submission"
    for folder in FOLDERS:
        assert folder.parent == SUBMISSIONS, folder
    assert sum(path.stat().st_size for path in FILES) < MOST_BYTES


def test_nothing_tells_of_a_machine_or_a_patient() -> None:
    for path in FILES:
        if path.suffix in (".json", ".md", ".html"):
            found = re.search(
                r'(?<![\w.:/])/(?:home|root|work|tmp|Users|mnt)/[^"<]*', path.read_text("utf-8")
            )
            assert found is None, f"{path}: {found}"
    for folder in OF_CODE:
        table = pd.read_parquet(folder / "predictions/predictions/code-test.parquet")
        assert list(table) == ["record_id", *CODE]
        assert table["record_id"].tolist() == [f"{row:03d}" for row in range(827)]


def record_of(name: str) -> Any:
    (folder,) = (folder for folder in OF_CODE if named(folder) == name)
    return json.loads((folder / "records/predictions/code-test.json").read_text())


def scores_of(name: str) -> pd.DataFrame:
    (folder,) = (folder for folder in OF_CODE if named(folder) == name)
    return pd.read_parquet(folder / "predictions/predictions/code-test.parquet")[list(CODE)]


@pytest.fixture(scope="module")
def gold(shared: Path) -> pd.DataFrame:
    table = pd.read_csv(shared / "data/code-test/annotations/gold_standard.csv")
    return table.set_axis(list(CODE), axis=1)


@pytest.mark.parametrize("folder", OF_CODE, ids=named)
def test_every_row_on_code_test_is_what_scikit_learn_says(folder: Path, gold: pd.DataFrame) -> None:
    record, scores = record_of(named(folder)), scores_of(named(folder))
    for name in CODE:
        own, truth = record["evaluation"]["concepts"][name], gold[name]
        assert own["auroc"]["value"] == pytest.approx(roc_auc_score(truth, scores[name]), abs=1e-12)
        assert own["auprc"]["value"] == pytest.approx(average_precision_score(truth, scores[name]), abs=1e-12)
        if named(folder) == "code-dnn":
            continue
        called = record["statistics"]["calls"][name]["as called"]
        tn, fp, fn, tp = confusion_matrix(truth, scores[name]).ravel()
        assert [called[key] for key in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
        assert called["sensitivity"]["value"] == pytest.approx(tp / (tp + fn), abs=1e-12)
        assert called["specificity"]["value"] == pytest.approx(tn / (tn + fp), abs=1e-12)
        assert called["f1"]["value"] == pytest.approx(f1_score(truth, scores[name]), abs=1e-12)


def test_the_network_has_its_known_answers() -> None:
    concepts = record_of("code-dnn")["evaluation"]["concepts"]
    assert [concepts[name]["auroc"]["value"] for name in CODE] == pytest.approx(AUROCS, abs=5e-9)
    calls = record_of("code-dnn-calls")["statistics"]["calls"]
    assert [calls[name]["as called"]["f1"]["value"] for name in CODE] == pytest.approx(F1S, abs=5e-4)


@pytest.mark.parametrize("name", [named(folder) for folder in OF_CODE if named(folder) != "code-dnn"])
def test_calls_are_those_of_the_release(name: str, shared: Path) -> None:
    file = {"code-dnn-calls": "dnn"}.get(name, name.removeprefix("code-").replace("-", "_"))
    table = pd.read_csv(shared / f"data/code-test/annotations/{file}.csv").iloc[:, -6:]
    assert np.array_equal(table.to_numpy(float), scores_of(name).to_numpy(float))


def test_only_the_networks_scores_are_external() -> None:
    """Who made the labels, or chose thresholds on them, is not ranked; nor is a person's unknown training."""
    relations = {named(folder): record_of(named(folder))["relation"] for folder in OF_CODE}
    external = [name for name, relation in relations.items() if relation == "external"]
    assert external == ["code-dnn"]
    made_labels = ("code-cardiologist1", "code-cardiologist2", "code-dnn-calls")
    assert {relations[name] for name in made_labels} == {"internal"}


def test_all_submissions_make_one_board() -> None:
    joined = join(gather([SUBMISSIONS]), "results")
    assert not joined.plan.warnings
    assert {record.model.name for record in joined.records} == {named(folder) for folder in FOLDERS}
    assert {record.cohort.id for record in joined.records if not record.cohort.simulated} == {"code-test"}


def test_submissions_are_compared(released: LabelledCohorts, gold: pd.DataFrame) -> None:
    one, other = "code-emergency-residents", "code-medical-students"

    def stores(cohort: str, /, *, signals: bool = True) -> Labelled | None:
        return released(cohort, signals=signals) if cohort == "code-test" else None

    found = compare_models(SUBMISSIONS, one, other, stores)
    differences = [roc_auc_score(gold, scores_of(name), average="macro") for name in (one, other)]
    assert found.cohorts["code-test"].auroc.value == pytest.approx(differences[0] - differences[1], abs=1e-12)
    assert not found.notes


def test_the_board_is_of_these_submissions() -> None:
    """Its words may be those of another version; its macro averages may not."""
    lines = (RESULTS / "leaderboard.md").read_text("utf-8").splitlines()
    page = (RESULTS / "leaderboard.html").read_text("utf-8")
    for path in SUBMISSIONS.glob("*/records/*/*.json"):
        record = json.loads(path.read_text())
        cohort = record["cohort"]["id"] + (" (simulated)" if record["cohort"]["simulated"] else "")
        macro = record["evaluation"]["macro"]["auroc"]
        shown = "–" if macro["value"] is None else f"{macro['value']:.3f} [{macro['low']:.3f}, "
        row = f"| {cohort} | {record['model']['name']} | {record['protocol']} |"
        assert any(line.startswith(row) and shown in line for line in lines), row
        assert shown in page


def test_the_board_is_the_page_as_it_is_now() -> None:
    page = (RESULTS / "leaderboard.html").read_text("utf-8")
    other = [name for name in (*STYLES, *SCRIPTS) if _static(name) not in page]
    assert other == [], "make results/leaderboard.html again, as results/README.md says"


def test_the_board_links_to_nothing_that_is_not_kept() -> None:
    page = (RESULTS / "leaderboard.html").read_text("utf-8")
    beside = set(re.findall(r'href="([^"#:]+)"', page))
    assert beside >= {"leaderboard.md", "figures/forest.png", "figures/heatmap.png"}
    assert not [name for name in beside if not (RESULTS / name).is_file()]

"""Make what is committed in this folder again: ``python results/make.py RELEASES SCORES``.

RELEASES is a folder with CODE-test (its tables are enough), SCORES a table of the CODE network's published
scores. The submissions that are there are replaced; nothing of CODE-test but scores and calls, by row number,
is written.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import pandas as pd

from benchmark.cli import app
from cohorts.families.code import CLASSES
from cohorts.sources.code_test import READERS, CodeTest

HERE = Path(__file__).parent
SUBMISSIONS = HERE / "submissions"

BOARD = ("leaderboard.html", "leaderboard.md", "figures/forest.png", "figures/heatmap.png")

SIMULATED = [
    "ptb-xl",
    "chapman-shaoxing",
    "cpsc-2018",
    "georgia",
    "mimic-iv-ecg",
    "ningbo",
    "sph",
    "zzu-pecg",
]
"""Cohorts of the reference run; CODE-test, which is real here, is not among them."""

MODELS = ("age-sex", "minirocket")
SCALE, SEED, RESAMPLES = "0.25", "0", "1000"

CONCEPTS = ("IAVB", "RBBB", "LBBB", "SB", "AF", "STach")
"""What the six columns of CODE are called here, in their order."""

PAPER = "Ribeiro et al., Nature Communications 11:1760 (2020), doi:10.1038/s41467-020-15432-4"
RELEASE = "CODE-test 1.0.3, doi:10.5281/zenodo.3765780"
OF_A_PERSON = f"A reading, not a model: calls of 0 and 1, so its AUROC is that of one point. From {RELEASE}."

PEOPLE = {
    "cardiologist1": "First of the two cardiologists from whom the gold standard was made",
    "cardiologist2": "Second of the two cardiologists from whom the gold standard was made",
    "cardiology_residents": "Two fourth-year residents of cardiology, one half of the recordings each",
    "emergency_residents": "Two third-year residents of emergency medicine, one half of the recordings each",
    "medical_students": "Two fifth-year medical students, one half of the recordings each",
}


def cards() -> dict[str, dict[str, object]]:
    """Name of each row on CODE-test -> its card."""
    common = {"version": "2020", "citation": f"{PAPER}; {RELEASE}"}
    network = {"input": {"sampling_rate": 400, "seconds": 10.24}}
    found: dict[str, dict[str, object]] = {
        "code-dnn": {
            "description": (
                "Published scores of the CODE network (github.com/antonior92/automatic-ecg-diagnosis), which "
                "was not run here. CODE, its training data, is of the same telehealth network as CODE-test."
            ),
            "licence": "MIT (repository of the scores)",
            "probabilities": True,
            "trained_on": ["code-15"],
            **network,
        },
        "code-dnn-calls": {
            "description": (
                f"Published calls of the CODE network, from {RELEASE}: of the training in the paper's table, "
                "which is not that of the published scores. The authors' script chose the thresholds for the "
                "best F1 on these very recordings, so the cell is internal."
            ),
            "licence": "CC-BY-4.0",
            "trained_on": ["code-15", "code-test"],
            **network,
        },
    }
    for reader, who in PEOPLE.items():
        made_labels = reader.startswith("cardiologist")
        found[f"code-{reader.replace('_', '-')}"] = {
            "description": f"{who}. {OF_A_PERSON}",
            "licence": "CC-BY-4.0",
            "trained_on": ["code-test"] if made_labels else "undisclosed",
        }
    return {name: {"name": name, **common, **card} for name, card in found.items()}


def predictions(release: Path, scores: Path) -> dict[str, pd.DataFrame]:
    """Name of each row on CODE-test -> its table: row number of the tracing, six columns."""
    readers = CodeTest(release).readers()
    calls = pd.read_csv(release / "annotations/dnn.csv")[list(CLASSES)]
    network = pd.read_csv(scores)[list(CLASSES)]
    if not len(readers) == len(calls) == len(network):
        raise SystemExit(f"{scores} and the tables of {release} are not of the same recordings.")
    tables = {"code-dnn": network, "code-dnn-calls": calls}
    tables |= {f"code-{reader.replace('_', '-')}": readers[reader] for reader in READERS}
    ids = readers.index
    return {
        name: table[list(CLASSES)].astype(float).set_axis(list(CONCEPTS), axis=1).set_index(ids).reset_index()
        for name, table in tables.items()
    }


def leadboard(*arguments: str) -> None:
    """Call the command line, and stop where it fails."""
    if app(arguments, exit_on_error=False, print_error=False, result_action="return_value"):
        raise SystemExit(f"leadboard {' '.join(arguments)} failed.")


def make(releases: Path, scores: Path, work: Path) -> None:
    """Make all submissions, and the board of them, with a cache and runs in a folder for the time being."""
    data, cache = work / "data", ("--cache", str(work / "cache"))
    leadboard("simulate", *SIMULATED, "--out", str(data), "--scale", SCALE, "--seed", SEED)
    (data / "code-test").symlink_to((releases / "code-test").resolve())
    here = ("--data", str(data), *cache)
    runs = work / "reference", work / "published"
    drawn = ("--resamples", RESAMPLES, "--seed", SEED)
    chosen = [part for model in MODELS for part in ("--model", model)]
    chosen += [part for cohort in SIMULATED for part in ("--cohort", cohort)]
    leadboard("run", *chosen, "--out", str(runs[0]), *drawn, *here)
    for name, table in predictions(data / "code-test", scores).items():
        file, card = work / f"{name}.csv", work / f"{name}.json"
        table.to_csv(file, index=False)
        card.write_text(json.dumps(cards()[name]))
        written = ("--card", str(card), "--labels-only", "--out", str(runs[1]))
        leadboard("score", str(file), "--cohort", "code-test", *written, *drawn, *here)
    shutil.rmtree(SUBMISSIONS, ignore_errors=True)
    for model in MODELS:
        leadboard("submit", str(runs[0]), "--model", model, "--simulated", "--to", str(SUBMISSIONS), *cache)
    for name in cards():
        leadboard("submit", str(runs[1]), "--model", name, "--to", str(SUBMISSIONS), *cache)
    leadboard("verify", str(SUBMISSIONS), *here)
    leadboard("report", str(SUBMISSIONS), "--out", str(work / "results"), "--only", ",".join(BOARD), *here)
    for name in BOARD:
        (HERE / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(work / "results" / name, HERE / name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("releases", type=Path, help="folder with code-test/")
    parser.add_argument("scores", type=Path, help="table of the published scores")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(given.releases, given.scores, Path(folder))

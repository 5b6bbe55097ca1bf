"""The steps of a MedPerf benchmark, each the command of one of its containers.

Every folder is where MedPerf mounts it; ``--volumes`` puts all of them elsewhere. What only the hospital may
see (ids, labels, the release) lies in the labels volume. The model is given the data volume alone: recordings
under numbers, with age and sex, and without a statement.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import wfdb
import yaml

from benchmark.cli import app
from benchmark.config import Places
from benchmark.exchange.aggregate import RULE
from benchmark.exchange.disclosure import MINIMA, MINIMUM, Disclosure, site_key
from benchmark.exchange.packing import prepare_parcel, write_parcel
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.run.cohorts import prepare_cohort
from benchmark.run.prediction import Asking, find_asked
from cohorts.catalogue import find_cohort, open_cohort
from cohorts.errors import LeadboardError
from cohorts.loose_files import file_recordings
from cohorts.recording import standard_leads
from cohorts.store import Store

RECORDS, RELEASE, IDS, COHORT = "records", "release", "ids.csv", "cohort.txt"
PREDICTIONS, CARD, RESULTS = "predictions.parquet", "card.yaml", "results.yaml"
CARD_FIELDS = ("name", "version", "description", "licence", "citation", "trained_on", "probabilities")


def prepare(volumes: Path) -> None:
    """Copy the release beside its labels, and write its usable recordings without ids and statements."""
    data, labels = volumes / "data", volumes / "labels"
    cohort = parameters(volumes)["cohort"]
    target = labels / RELEASE / find_cohort(cohort).card.folder
    shutil.copytree(volumes / "raw_data", target, dirs_exist_ok=True)
    shutil.copytree(volumes / "raw_labels", target, dirs_exist_ok=True)
    (labels / COHORT).write_text(f"{cohort}\n")
    site_key(labels)
    store = prepared(labels)
    release = open_cohort(cohort, labels / RELEASE)
    if release is None:
        raise LeadboardError(f"{cohort} was not found in the raw data; check the layout of the release.")
    paths = release.index().set_index("record_id")["path"]
    (data / RECORDS).mkdir(parents=True, exist_ok=True)
    with (labels / IDS).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("number", "record_id"))
        for position, row in enumerate(store.index.itertuples()):
            number = f"r{position:07d}"
            writer.writerow((number, row.record_id))
            write_recording(data / RECORDS, number, release.read_path(paths[row.record_id]), row.age, row.sex)


def write_recording(folder: Path, name: str, recording: Any, age: float, sex: object) -> None:
    """Write one recording as WFDB: twelve leads as they were counted, with age and sex alone."""
    found = standard_leads(recording)
    if (found.baseline != np.rint(found.baseline)).any():
        raise LeadboardError("A recording has a baseline between two counts, which WFDB cannot say.")
    wfdb.wrsamp(
        name,
        fs=found.sampling_rate,
        units=["mV"] * len(found.leads),
        sig_name=list(found.leads),
        d_signal=found.counts.T.astype(np.int64),
        fmt=["16"] * len(found.leads),
        adc_gain=found.gain.tolist(),
        baseline=found.baseline.astype(int).tolist(),
        comments=[f"Age: {'Unknown' if pd.isna(age) else age}", f"Sex: {'Unknown' if pd.isna(sex) else sex}"],
        write_dir=str(folder),
    )


def sanity_check(volumes: Path) -> None:
    """Check that every usable recording of the release is in the data, and can be read from there."""
    store, found = prepared(volumes / "labels"), file_recordings(volumes / "data" / RECORDS)
    if found.unusable or list(found.index["record_id"]) != list(numbered(volumes)["number"]):
        raise LeadboardError(
            f"{len(found.index)} recordings can be read, {len(found.unusable)} cannot, and the release has "
            f"{len(store)}; prepare the data again."
        )


def statistics(volumes: Path) -> None:
    """Say how many recordings there are, and of how many each concept is stated: rounded, none below ten."""
    sanity_check(volumes)
    store = prepared(volumes / "labels")
    patients = store.index["patient_id"]
    known = int(patients.nunique() + patients.isna().sum())
    rule = Disclosure(minimum(volumes), len(store) - known if patients.notna().any() else 0)
    concepts = {
        str(name): {
            "annotated": rule.count(int((store.labels[name] >= 0).sum())),
            "positive": rule.count(int((store.labels[name] == 1).sum())),
        }
        for name in store.labels.columns
        if (store.labels[name] >= 0).any()
    }
    content = {
        "cohort": store.card.id,
        "counts_are_multiples_of": rule.minimum,
        "recordings": rule.count(len(store), known),
        "unusable": rule.records(len(store.quarantine)),
        "concepts": concepts,
    }
    write_yaml(volumes / "statistics" / "statistics.yaml", content)


def infer(volumes: Path, model: str) -> None:
    """Score the recordings with a model, and say what it is."""
    to, cache = volumes / "predictions", Path(tempfile.mkdtemp())
    records = volumes / "data" / RECORDS
    leadboard("predict", model, "--signals", records, "--out", to / PREDICTIONS, "--cache", cache)
    places = Places(None, cache)
    card = find_asked(Asking(model, "", "ptb-xl", 0, places, Hardware()), Reporter()).card
    content = card.model_dump(mode="json", include=set(CARD_FIELDS))
    write_yaml(to / CARD, content)


def evaluate(volumes: Path) -> None:
    """Measure the predictions against the labels, and give the aggregate submission as the result."""
    labels, given = volumes / "labels", volumes / "predictions"
    work = Path(tempfile.mkdtemp())
    scores = pd.read_parquet(given / PREDICTIONS)
    ids = numbered(volumes).set_index("number")["record_id"]
    scores["record_id"] = scores["record_id"].map(ids)
    if scores["record_id"].isna().any():
        raise LeadboardError("There are predictions of recordings that are not in the prepared data.")
    scores.to_parquet(work / PREDICTIONS)
    cohort = (labels / COHORT).read_text().strip()
    release = find_cohort(cohort)
    if parameters(volumes).get("private", True):  # the layout is a release's, the recordings are not
        release.card = release.card.model_copy(update={"access": "private"})
    leadboard(
        "score", work / PREDICTIONS, "--cohort", cohort, "--card", given / CARD,
        "--data", labels / RELEASE, "--cache", cache_of(labels), "--out", work / "run",
        "--resamples", parameters(volumes).get("resamples", 10_000),
    )  # fmt: skip
    key = (labels / "site-key").read_bytes()
    parcel = prepare_parcel(work / "run", key, simulated=True, minimum=minimum(volumes))
    files = {name: content.decode() for name, content in parcel.files.items()}
    cells = [json.loads(content) for name, content in files.items() if name.startswith("cells/")]
    content = {
        "submission": parcel.manifest.folder,
        "macro": [cell["macro"] for cell in cells],
        "simulated": any(cell["cohort"]["simulated"] for cell in cells),
        "threshold_rule": RULE,
        "files": files,
    }
    write_yaml(volumes / "results" / RESULTS, content)


def unpack(results: Path, to: Path) -> Path:
    """Write the aggregate submission that a result holds, byte for byte, for verify and report."""
    from benchmark.exchange.aggregate import AggregateManifest
    from benchmark.exchange.packing import Parcel

    content = yaml.safe_load(results.read_text())
    files = {name: text.encode() for name, text in content["files"].items()}
    manifest = AggregateManifest.model_validate_json(files["manifest.json"])
    return write_parcel(Parcel(manifest, files), to)


def prepared(labels: Path) -> Store:
    """Prepare the release in the labels volume, or open what an earlier step has prepared."""
    cohort = (labels / COHORT).read_text().strip()
    return prepare_cohort(cohort, Places(labels / RELEASE, cache_of(labels)), Reporter())


def cache_of(labels: Path) -> Path:
    """Where prepared recordings are kept: never in the volume, which later steps cannot write to."""
    return Path(tempfile.gettempdir()) / "leadboard-cache"


def numbered(volumes: Path) -> pd.DataFrame:
    """Numbers of the recordings with the ids that they have in the release."""
    return pd.read_csv(volumes / "labels" / IDS, dtype=str)


def parameters(volumes: Path) -> dict[str, Any]:
    """Read what the benchmark's owner has set."""
    found: Any = yaml.safe_load((volumes / "parameters" / "parameters_file.yaml").read_text())
    return dict(found)


def minimum(volumes: Path) -> int:
    """Smallest count that is given; steps other than tens would narrow the counts of another file down."""
    count = parameters(volumes).get("minimum_count", MINIMUM)
    if count not in MINIMA:
        raise LeadboardError(
            f"minimum_count in parameters_file.yaml is {count!r}; write 10, 20, 30, 40 or 50."
        )
    return int(count)


def leadboard(*words: object) -> None:
    """Call a command of Leadboard."""
    code = app(list(map(str, words)), exit_on_error=False, print_error=False, result_action="return_value")
    if code:
        raise LeadboardError(f"leadboard {words[0]} ended with {code}.")


def write_yaml(path: Path, content: object) -> None:
    """Write YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def main() -> int:
    """Run one step; a failure is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "step", choices=("prepare", "sanity_check", "statistics", "infer", "evaluate", "unpack")
    )
    parser.add_argument("--volumes", type=Path, default=Path("/mlcommons/volumes"))
    parser.add_argument("--model", default="/project/model.py:MyModel")
    parser.add_argument("--results", type=Path, help="results.yaml to be unpacked")
    parser.add_argument("--to", type=Path, default=Path("results/submissions"))
    options = parser.parse_args()
    try:
        if options.step == "infer":
            infer(options.volumes, options.model)
        elif options.step == "unpack":
            print(unpack(options.results, options.to))
        else:
            steps = {
                "prepare": prepare,
                "sanity_check": sanity_check,
                "statistics": statistics,
                "evaluate": evaluate,
            }
            steps[options.step](options.volumes)
    except LeadboardError as error:
        print(f"{options.step}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

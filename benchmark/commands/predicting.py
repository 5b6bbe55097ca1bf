"""Command that scores recordings and measures nothing: predict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from benchmark.commands.elsewhere import HERE, ElsewhereOptions
from benchmark.commands.options import (
    CacheOption,
    CohortFiles,
    DataOption,
    ModelName,
    NewFile,
    Place,
    Precision,
    Rate,
    Seconds,
    Seed,
    TrainPrecision,
    Windows,
    Workers,
)
from benchmark.config import find_places
from benchmark.terminal import tell
from cohorts.counts import plural
from cohorts.errors import UsageError

if TYPE_CHECKING:
    from cohorts.loose_files import LooseRecordings
    from cohorts.store import Store

SHOWN = 20
"""Recordings that are left out with their reasons; more are counted."""


def predict(
    model: ModelName,
    *,
    signals: Place | None = None,
    cohort: str | None = None,
    out: NewFile,
    rate: Rate | None = None,
    unit: Literal["mV", "uV", "V"] | None = None,
    leads: str | None = None,
    protocol: str = "",
    source: str = "ptb-xl",
    data: DataOption = None,
    cohort_file: CohortFiles = (),
    cache: CacheOption = None,
    seed: Seed = 0,
    device: str = "auto",
    precision: Precision = "float32",
    train_precision: TrainPrecision = "auto",
    batch_size: Windows = "auto",
    workers: Workers | None = None,
    deadline: Seconds = 300.0,
    elsewhere: ElsewhereOptions = HERE,
) -> int:
    """Score any recordings with any model; nothing is evaluated, and no label is looked at.

    Parameters
    ----------
    model
        Name, path/to/file.py:Class or package.module:Class.
    signals
        A file, a folder of them, or a NumPy array [records, leads, samples] (.npy). Files are WFDB headers,
        MUSE, HL7 aECG, CardioSoft or Philips XML, DICOM or EDF; which is found out from what they hold.
    cohort
        A cohort on this machine instead.
    out
        Table of the scores, a .parquet or .csv file: record_id and a column for each concept.
    rate
        Sampling rate of an array, in Hz; it is never guessed, and neither are its unit and leads.
    unit
        Of an array.
    leads
        Of an array, in its order, such as I,II,V1,V2,V3,V4,V5,V6.
    protocol
        Such as zero-shot or linear-probe-100; by default what the model can do without labels, else with.
    source
        Cohort that labels are learnt from, where the model has to learn first.
    data
        Folder that holds the releases (or LEADBOARD_DATA).
    cohort_file
        Description of a hospital's own cohort (cohort.toml), beside those in leadboard.toml; may be repeated.
    cache
        Folder for prepared cohorts and trained models (or LEADBOARD_CACHE).
    seed
        Seed of trainings.
    device
        Torch device, such as cpu or cuda; "auto" takes a GPU where there is one.
    precision
        Of scores. With bf16, a network computes in bfloat16, and it is said how far scores moved.
    train_precision
        Of trainings; "auto" takes bf16-mixed on a GPU that has it, 32-true elsewhere.
    batch_size
        Windows per batch; "auto" takes 64, and on a GPU as many as its memory holds.
    workers
        Threads that prepare signals; one for each processor if not given.
    deadline
        Seconds that the model may take for a batch.
    """
    from benchmark.files import write_atomically
    from benchmark.progress import Reporter, log_to
    from benchmark.protocols.hardware import Hardware
    from benchmark.protocols.precision import training_precision
    from benchmark.protocols.scorer import Scorer
    from benchmark.run.cohorts import prepare_cohort
    from benchmark.run.plan_text import IN_FLOAT32
    from benchmark.run.prediction import Asking, as_file, find_asked
    from benchmark.run.prediction import predict as ask

    if (signals is None) == (cohort is None):
        raise UsageError(
            "Give the recordings with --signals, or name a cohort with --cohort; one of the two."
        )
    if out.suffix not in (".parquet", ".csv"):
        raise UsageError(f"--out {out} is neither a .parquet nor a .csv file; name one.")
    hardware = Hardware(device, batch_size, workers or 0, deadline, elsewhere.fit_deadline)
    hardware.check()
    reporter, places = Reporter(), find_places(data, cache, cohort_file)
    log_to(reporter)
    environment = elsewhere.environment(deadline, model)
    trained_in = training_precision(train_precision, hardware.device)
    asking = Asking(model, protocol, source, seed, places, hardware, environment, trained_in, precision)
    asked = find_asked(asking, reporter)
    if asked.precision != precision:
        tell(f"{asked.card.name} {IN_FLOAT32}.")
    recordings: Store | LooseRecordings
    if cohort is not None:
        recordings = prepare_cohort(cohort, places, reporter)
        unusable = len(recordings.quarantine)
    else:
        recordings = _loose(signals, rate, unit, leads, asked.card.input.leads)
        unusable = len(recordings.unusable)
        for record_id, reason in list(recordings.unusable.items())[:SHOWN]:
            tell(f"Left out: {record_id}: {reason}")
    if not len(recordings.index):
        raise UsageError("None of the recordings can be used.")
    scorer = Scorer(places.cache, hardware, reporter)
    with reporter.step(f"Asking {asked.card.name}") as progress:
        table, rounding = ask(asked, recordings, scorer, progress)
    write_atomically(out, as_file(table, out.suffix))
    tell(
        f"{asked.card.name}, {asked.protocol.name}: {plural(len(table), 'recording')}, "
        f"{plural(table.shape[1] - 1, 'concept')}"
        f"{f', {unusable:,} left out' if unusable else ''}: {out}"
    )
    if rounding is not None:
        tell(rounding.sentence)
    return 0


def _loose(
    signals: Path | None, rate: float | None, unit: str | None, leads: str | None, needed: Sequence[str]
) -> LooseRecordings:
    from cohorts.loose_files import array_recordings, file_recordings

    assert signals is not None  # noqa: S101
    given = {"--rate": rate, "--unit": unit, "--leads": leads}
    if signals.suffix != ".npy":
        spare = [name for name, value in given.items() if value is not None]
        if spare:
            raise UsageError(f"{', '.join(spare)} belong to a .npy array; other files say it themselves.")
        return file_recordings(signals, needed)
    missing = [name for name, value in given.items() if value is None]
    if rate is None or unit is None or leads is None:
        raise UsageError(f"An array does not say what it holds; give {', '.join(missing)} too.")
    return array_recordings(signals, rate, unit, [lead.strip() for lead in leads.split(",")], needed)

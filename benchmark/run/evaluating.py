"""Evaluating models on cohorts, for a program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from benchmark.config import DEFAULT_RUN, find_places
from benchmark.metrics.draws import RESAMPLES, check_draws, check_seeds
from benchmark.models.contract import Model
from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import source_of
from benchmark.progress import Reporter, logging_to
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.precision import ScoringPrecision, TrainingPrecision, training_precision
from benchmark.records.measuring import RunSettings
from benchmark.records.run import Run, load_run
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from cohorts.catalogue import find_cohort
from cohorts.errors import LeadboardError, UsageError


def evaluate(
    model: str | Model | type[Model] | Sequence[str | Model | type[Model]],
    data: Path | str | None = None,
    *,
    cohorts: str | Sequence[str] = (),
    protocols: str | Sequence[str] = (),
    out: Path | str = DEFAULT_RUN,
    cache: Path | str | None = None,
    source: str = "ptb-xl",
    records: Literal["all", "test"] | None = None,
    seed: int | Sequence[int] = 0,
    resamples: int = RESAMPLES,
    device: str = "auto",
    precision: ScoringPrecision = "float32",
    train_precision: TrainingPrecision | Literal["auto"] = "auto",
    quiet: bool = False,
) -> Run:
    """Evaluate models on releases, as ``leadboard run`` does; what is done is not computed again.

    Parameters
    ----------
    model
        One model or several: the name of an installed one, ``path/to/file.py:Class``,
        ``package.module:Class``, or an object or class with ``card`` and ``predict``. An object has no file
        that tells whether it has changed, so it is computed anew each time.
    data
        Folder that holds the releases; ``LEADBOARD_DATA`` or ``leadboard.toml`` says it if not given.
    cohorts
        Ids; all cohorts on this machine if not given.
    protocols
        Such as ``zero-shot`` or ``linear-probe-10``; each model's usual ones if not given.
    out
        Folder of the run. ``leadboard report`` writes its page.
    cache
        Folder for prepared cohorts and trained models; said as ``data`` is if not given.
    source
        Cohort that labels are learnt from, and that thresholds are chosen on.
    records
        Score "all" records or the "test" fold in every cell. By default internal cells take the test fold.
    seed, resamples
        Of trainings and of the bootstrap. With several seeds everything that is learnt is learnt once from
        each, and metrics are averaged; the first is that of the bootstrap and of pre-training too.
    device
        Torch device; "auto" takes a GPU where there is one.
    precision
        Of scores: "float32", or "bf16" for networks that compute in bfloat16.
    train_precision
        Of trainings: "32-true" or "bf16-mixed"; "auto" takes the second on a GPU that has it.
    quiet
        Whether to print nothing while it works.

    Returns
    -------
    Run
        Every finished cell of the folder; ``to_frame()`` has their estimates.

    Raises
    ------
    UsageError
        If a name is unknown, a folder is not there, or there is nothing to evaluate.
    LeadboardError
        If a cell failed. What was computed is in ``out``, and `load_run` reads it.

    Examples
    --------
    A simulated hospital, and a model that knows nothing about hearts:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from cohorts.simulator.simulate import simulate
    >>> folder = Path(tempfile.mkdtemp())
    >>> releases = simulate(folder / "data", sites=["ludb"], scale=0.3)
    >>> class Spread:
    ...     card = {"name": "spread", "outputs": ["AF", "LBBB"], "trained_on": []}
    ...
    ...     def predict(self, batch):
    ...         return batch.signals[:, :2].std(axis=2)
    >>> run = evaluate(
    ...     Spread(), folder / "data", out=folder / "run", cache=folder / "cache", resamples=200, quiet=True
    ... )
    >>> run
    <Run run: 1 of 1 cells, SIMULATED>
    >>> run.to_frame().query("metric == 'auroc'")[["cohort", "concept", "value", "n", "positives"]].round(3)
      cohort concept  value   n  positives
    0   ludb      AF  0.543  27          4
    2   ludb    LBBB  0.040  27          2
    """
    seeds = _seeds(seed, resamples)
    find_cohort(source)
    if records not in (None, "all", "test"):
        raise UsageError(f"records is {records!r}; give 'all', 'test' or None.")
    if precision not in ("float32", "bf16"):
        raise UsageError(f"precision is {precision!r}; give 'float32' or 'bf16'.")
    if train_precision not in ("auto", "32-true", "bf16-mixed"):
        raise UsageError(f"train_precision is {train_precision!r}; give 'auto', '32-true' or 'bf16-mixed'.")
    models = [_found(one) for one in _listed(model)]
    if not models:
        raise UsageError("No model was given; name one, or give an object with 'card' and 'predict'.")
    reporter, hardware = Reporter(quiet=quiet), Hardware(device)
    options = RunOptions(
        folder=Path(out).absolute(),  # a model may change the working folder
        places=find_places(_path(data), _path(cache)),
        settings=RunSettings(seed=seeds[0], resamples=resamples, records=records),
        hardware=hardware,
        training_precision=training_precision(train_precision, hardware.device),
        precision=precision,
        models=models,
        cohorts=_listed(cohorts),
        source=source,
        protocols=_listed(protocols),
        more_seeds=seeds[1:],
    )
    with logging_to(reporter):
        outcome = run(options, reporter)
    if outcome.failed:
        first = outcome.failures[0]
        raise LeadboardError(
            f"{outcome.sentence} {first.model} on {first.cohort}: {first.reason} What was computed is in "
            f"{out}."
        )
    return load_run(out)


def _seeds(given: int | Sequence[int], resamples: int) -> list[int]:
    seeds = _listed(given)
    for seed in seeds:
        check_draws(resamples, seed)
    try:
        check_seeds(seeds)
    except ValueError as error:
        raise UsageError(f"seed is {given!r}: {error}") from None
    return seeds


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, Sequence) and not isinstance(given, str) else [given]


def _found(model: Any) -> str | ModelSource:
    return model if isinstance(model, str) else source_of(model)

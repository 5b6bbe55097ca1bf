"""Checks of the answers: a record's score depends on the record, and on nothing else.

Each asks a model in one mode (see `asking.Mode`), says what it saw, and raises `ModelError` for a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from benchmark.conformance.asking import AFTER_FIT, EMBED, Mode, chosen, copied
from benchmark.conformance.differences import compared
from benchmark.conformance.modes import usable_modes
from benchmark.conformance.subject import SkippedError, Subject
from benchmark.models.contract import Batch, Floats
from cohorts.counts import plural
from cohorts.errors import ModelError
from cohorts.recording import MV_PER_UNIT

LARGEST_MV = 32_768.0
"""What a 16-bit file says at most if its header calls a count a millivolt."""


@dataclass(frozen=True)
class Question:
    """What a check works with."""

    mode: Mode
    batch: Batch
    unit: str


def in_every_mode(check: Callable[[Question], str]) -> Callable[[Subject], str]:
    """Make a check of one mode into one of all modes: it fails with the first mode that fails."""

    def of_all(subject: Subject) -> str:
        seen: dict[str, str] = {}
        skipped: list[SkippedError] = []
        asked = usable_modes(subject)
        for mode in asked:
            question = Question(mode, subject.batch, subject.spec.unit)
            try:
                seen[mode.name] = check(question)
            except SkippedError as error:
                skipped.append(error)
            except ModelError as error:
                raise ModelError(_said_of(mode, error, subject, alone=len(asked) == 1)) from error
        if not seen:
            raise skipped[0]
        if len(set(seen.values())) == 1:
            return next(iter(seen.values()))
        return "; ".join(f"{name}: {words}" for name, words in seen.items())

    of_all.__name__, of_all.__doc__ = check.__name__, check.__doc__
    return of_all


def _said_of(mode: Mode, error: ModelError, subject: Subject, *, alone: bool) -> str:
    """Say in which mode a check failed, and why features are asked of a model that has yet to learn."""
    said = str(error) if alone else f"{mode.name}: {error}"
    if mode.name == EMBED and subject.has("Trainable") and subject.base() is None:
        said += (
            "; features are asked for before any 'fit', of the weights that the model comes with: "
            "leave 'embed' out if it has none"
        )
    return said


def answers(question: Question) -> str:
    """One finite real number for each record and output.

    Anything else ends the cell.
    """
    scores = question.mode.ask(question.batch)
    constant = [question.mode.column(int(number)) for number in np.flatnonzero(np.ptp(scores, axis=0) == 0)]
    some = ", ".join(constant[:5]) + (f" and {len(constant) - 5} more" if len(constant) > 5 else "")
    same = f"; the same for every record: {some}" if constant else ""
    return f"{plural(scores.shape[0], 'record')} x {plural(scores.shape[1], 'finite number')}{same}"


def probabilities(question: Question) -> str:
    """Scores of a model that claims probabilities lie in [0, 1].

    Otherwise calibration errors and Brier scores are computed from numbers that are no probabilities.
    """
    if question.mode.name == EMBED:
        raise SkippedError("features are no probabilities")
    if not question.mode.card.probabilities:
        raise SkippedError("the card does not claim any")
    scores = np.concatenate([question.mode.ask(batch) for batch in (question.batch, *_hard(question))])
    low, high = float(scores.min()), float(scores.max())
    if low < 0 or high > 1:
        raise ModelError(f"The card claims probabilities, but scores go from {low:.4g} to {high:.4g}.")
    return f"between {low:.3g} and {high:.3g}"


def another_instance(question: Question) -> str:
    """A second instance gives the same scores.

    Weights that every constructor draws anew give another result in every run.
    """
    mode = question.mode
    if mode.name == AFTER_FIT:
        raise SkippedError("'save and load' compares instances")
    return compared(
        mode, mode.ask(question.batch), mode.ask(question.batch, mode.build()), "of another instance"
    )


def asked_twice(question: Question) -> str:
    """The same batch twice in a row gives the same scores.

    Dropout or noise that is left on blurs every AUROC, differently each time.
    """
    mode, model = question.mode, question.mode.build()
    first = mode.ask(question.batch, model)
    second = mode.ask(question.batch, model)
    with _hinting("dropout or noise is on; a torch network is quiet after .eval()"):
        return compared(mode, first, second, "when asked twice")


def earlier_batches(question: Question) -> str:
    """The scores of a batch are the same whatever was asked before.

    A model that remembers batches scores a patient by the patients before, and another order of the
    cohorts gives another result.
    """
    mode, model = question.mode, question.mode.build()
    half = len(question.batch) // 2
    first = chosen(question.batch, slice(half))
    loud = chosen(question.batch, slice(half, None))
    loud = replace(loud, signals=loud.signals * 5, age=np.full_like(loud.age, 100))
    before = mode.ask(first, model)
    mode.ask(loud, model)
    return compared(mode, before, mode.ask(first, model), "after another batch")


def order(question: Question) -> str:
    """The order of the records in a batch does not matter.

    Cohorts are sorted by record id, and that often goes with time, ward or device.
    """
    mode, rows = question.mode, np.random.default_rng(0).permutation(len(question.batch))
    found = mode.ask(chosen(question.batch, rows))
    return compared(mode, mode.ask(question.batch), found[np.argsort(rows)], "in another order")


def one_record(question: Question) -> str:
    """A batch may hold a single record.

    The last batch of a cohort often does.
    """
    with _hinting("batch normalisation of torch can after .eval()", to="value per channel when training"):
        scores = question.mode.ask(chosen(question.batch, slice(1)))
    return f"1 record x {scores.shape[1]} finite numbers"


def batch_size(question: Question) -> str:
    """The other records of a batch do not matter.

    Statistics over a batch make a score depend on who happens to be beside a patient, and on
    ``--batch-size``.
    """
    mode, batch = question.mode, question.batch
    expected = mode.ask(batch)
    found = ""
    for size in (32, 1):
        starts = range(0, len(batch), size)
        parts = [mode.ask(chosen(batch, slice(start, start + size))) for start in starts]
        with _hinting("it looks at the whole batch; batch normalisation of torch does not after .eval()"):
            found = compared(mode, expected, np.concatenate(parts), f"in a batch of {size}")
    return f"{found} in batches of 1, 32 and {len(batch)}"


def input_left_alone(question: Question) -> str:
    """The model does not write into what it is given.

    What it writes may be scored again, by it or by somebody who looks at the same memory.
    """
    given = copied(question.batch)
    question.mode.answer(given, question.mode.model)
    for name in ("signals", "age", "sex"):
        if getattr(given, name).tobytes() != getattr(question.batch, name).tobytes():
            raise ModelError(f"It writes into batch.{name}; work on a copy.")
    return "unchanged"


def flat_signals(question: Question) -> str:
    """Leads and recordings without any voltage get finite scores.

    A lead that fell off is zero from end to end in every large release; a division by its spread ends
    the cell.
    """
    signals = question.batch.signals
    first_lead = signals.copy()
    first_lead[:, 0] = 0
    millivolt = np.float32(1 / MV_PER_UNIT[question.unit])
    return _survived(
        question,
        {
            "all leads zero": np.zeros_like(signals),
            "one lead zero": first_lead,
            "a flat line at 1 mV": np.full_like(signals, millivolt),
            "an offset of 5 mV": signals + 5 * millivolt,
        },
    )


def huge_amplitudes(question: Question) -> str:
    """Amplitudes that no heart has get finite scores.

    Releases hold recordings whose header has a wrong gain; a square that overflows ends the cell.
    """
    return _survived(question, {f"{LARGEST_MV:,.0f} mV": _huge(question)})


def unknown_people(question: Question) -> str:
    """Records without age (NaN) and sex (empty) get finite scores.

    Whole cohorts have neither.
    """
    batch, some = question.batch, np.arange(len(question.batch)) % 3 == 0
    for unknown in (some, np.ones_like(some)):
        age, sex = np.where(unknown, np.float32(np.nan), batch.age), np.where(unknown, "", batch.sex)
        question.mode.ask(replace(batch, age=age, sex=sex))
    return "finite with some and with all of them unknown"


@contextmanager
def _hinting(hint: str, to: str = "") -> Iterator[None]:
    """Add what is most often behind it to a failure, or to those alone that have these words."""
    try:
        yield
    except ModelError as error:
        if to not in str(error):
            raise
        raise ModelError(f"{str(error).rstrip('.')}: {hint}.") from error


def _survived(question: Question, variants: dict[str, Floats]) -> str:
    for what, signals in variants.items():
        try:
            question.mode.ask(replace(question.batch, signals=signals))
        except ModelError as error:
            raise ModelError(f"With {what}: {error}") from error
    return f"finite with {', '.join(variants)}"


def _huge(question: Question) -> Floats:
    signals = question.batch.signals
    largest = LARGEST_MV / MV_PER_UNIT[question.unit]
    huge: Floats = (signals * (largest / np.abs(signals).max())).astype(np.float32)
    return huge


def _hard(question: Question) -> list[Batch]:
    """Records at the ends of what there is."""
    signals = question.batch.signals
    return [replace(question.batch, signals=hard) for hard in (np.zeros_like(signals), _huge(question))]

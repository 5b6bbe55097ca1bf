"""The command that says how many patients a validation needs."""

from __future__ import annotations

import math
from typing import Any

from benchmark.commands.options import JsonOption, print_json
from benchmark.terminal import tell
from cohorts.errors import UsageError

POWERS = (0.8, 0.9)


def sample_size(
    *,
    auroc: float,
    prevalence: float,
    width: float = 0.05,
    calibration_width: float = 0.2,
    difference: float | None = None,
    correlation: float = 0.5,
    records_per_patient: float = 1.0,
    icc: float = 1.0,
    as_json: JsonOption = False,
) -> int:
    """Say how many patients a validation needs, for one finding.

    Parameters
    ----------
    auroc
        That is expected.
    prevalence
        Share of the recordings that have the finding.
    width
        Of the 95 % intervals of the AUROC and of the AUPRC, from end to end.
    calibration_width
        Of the 95 % intervals of the calibration slope and of observed to expected positives.
    difference
        By how much less the AUROC of a second model would be that is to be told apart from the first.
    correlation
        Between the AUROCs of the two models on the same recordings.
    records_per_patient
        How many recordings each patient has.
    icc
        How alike the recordings of a patient are: at 1, more than one of them say nothing more.
    as_json
        Print JSON.
    """
    _check(auroc, prevalence, width, calibration_width, records_per_patient, icc)
    if difference is not None:
        _check_difference(auroc, difference, correlation)
    rows = _rows(auroc, prevalence, width, calibration_width, difference, correlation)
    answers = [_answer(label, records, prevalence, records_per_patient, icc) for label, records in rows]
    assumed = _assumptions(auroc, prevalence, difference, correlation, records_per_patient, icc)
    if as_json:
        print_json({"needed": answers, "assumed": assumed})
        return 0
    from benchmark.commands.printing import print_table

    several = records_per_patient != 1
    print_table([_shown(answer, several) for answer in answers])
    for sentence in assumed:
        tell(sentence)
    return 0


def _check(
    auroc: float, prevalence: float, width: float, calibration_width: float, per_patient: float, icc: float
) -> None:
    """Refuse what no validation can be.

    Raises
    ------
    UsageError
        Naming the first such value.
    """
    least = "an AUROC of 0.5 is a coin, and 1 is never certain"
    for name, value, low, high, why in (
        ("--auroc", auroc, 0.5, 1, least),
        ("--prevalence", prevalence, 0, 1, "it is the share of recordings with the finding"),
        ("--width", width, 0, 0.5, "it is the whole width of the interval, such as 0.05"),
        ("--calibration-width", calibration_width, 0, 2, "it is the whole width, such as 0.2"),
    ):
        if not low < value < high:
            raise UsageError(f"{name} {value:g} is not between {low} and {high}; {why}.")
    if not 1 <= per_patient <= 1_000:
        raise UsageError(f"--records-per-patient {per_patient:g} is not from 1 to 1,000.")
    if not 0 <= icc <= 1:
        raise UsageError(f"--icc {icc:g} is not from 0 to 1; it is a correlation within patients.")


def _check_difference(auroc: float, difference: float, correlation: float) -> None:
    if not 0 < difference < auroc - 0.5:
        raise UsageError(
            f"--difference {difference:g} is not between 0 and {auroc - 0.5:g}; the second model would have "
            f"an AUROC of {auroc - difference:g}."
        )
    if not 0 <= correlation < 1:
        raise UsageError(f"--correlation {correlation:g} is not from 0 to below 1.")


def _rows(
    auroc: float,
    prevalence: float,
    width: float,
    calibration_width: float,
    difference: float | None,
    correlation: float,
) -> list[tuple[str, int | None]]:
    from benchmark.metrics import sample_size as sizes

    rows = [
        (f"AUROC {auroc:g}, interval {width:g} wide", sizes.for_auroc_width(auroc, prevalence, width)),
        (
            f"AUPRC {sizes.expected_auprc(auroc, prevalence):.3g}, interval {width:g} wide",
            sizes.for_auprc_width(auroc, prevalence, width),
        ),
        (
            f"calibration slope 1, interval {calibration_width:g} wide",
            sizes.for_slope_width(auroc, prevalence, calibration_width),
        ),
        (
            f"observed / expected 1, interval {calibration_width:g} wide",
            sizes.for_observed_to_expected_width(prevalence, calibration_width),
        ),
    ]
    for power in POWERS if difference is not None else ():
        found = sizes.for_difference(auroc, prevalence, difference or math.nan, correlation, power)
        label = f"AUROC {auroc:g} against {auroc - (difference or 0):g}, power {power:.0%}".replace("%", " %")
        rows.append((label, found))
    return rows


def _answer(
    label: str, records: int | None, prevalence: float, per_patient: float, icc: float
) -> dict[str, Any]:
    from benchmark.metrics.sample_size import patients_for

    if records is None:
        return {"for": label, "patients": None, "records": None, "positives": None}
    patients = patients_for(records, per_patient, icc)
    whole = math.ceil(patients * per_patient)
    return {"for": label, "patients": patients, "records": whole, "positives": math.ceil(whole * prevalence)}


def _shown(answer: dict[str, Any], several: bool) -> dict[str, Any]:
    if answer["patients"] is None:
        return {"for": answer["for"], "patients": "more than a billion"}
    return {name: value for name, value in answer.items() if several or name != "records"}


def _assumptions(
    auroc: float,
    prevalence: float,
    difference: float | None,
    correlation: float,
    per_patient: float,
    icc: float,
) -> list[str]:
    """Say what the numbers rest on, one sentence each."""
    said = [
        f"Assumed: {prevalence:.3g} of the recordings have the finding, and 95 % intervals.",
        "AUROC: Newcombe's variance (Riley et al. 2021); bootstrap intervals come out a little narrower.",
        f"AUPRC and calibration: a calibrated model whose logits are normal and give an AUROC of {auroc:g}.",
        "AUPRC: the logit interval of Boyd et al. 2013, in which the positives alone count.",
    ]
    if difference is not None:
        said.append(
            f"Two models on the same recordings, two-sided 5 %, their AUROCs correlated {correlation:g} over "
            "samples."
        )
    if per_patient != 1:
        said.append(f"{per_patient:g} recordings of each patient, alike within patients by {icc:g}.")
    return said

"""The command that says how many patients a validation needs."""

from __future__ import annotations

import math
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from benchmark.commands.options import JsonOption, print_json
from benchmark.terminal import tell
from cohorts.errors import UsageError

POWERS = (0.8, 0.9)


def sample_size(
    *,
    auroc: Annotated[float, Parameter(validator=Number(gte=0.501, lte=0.9999))],
    prevalence: Annotated[float, Parameter(validator=Number(gte=1e-6, lte=0.999999))],
    width: Annotated[float, Parameter(validator=Number(gte=1e-4, lt=0.5))] = 0.05,
    calibration_width: Annotated[float, Parameter(validator=Number(gte=1e-4, lt=2))] = 0.2,
    difference: Annotated[float | None, Parameter(validator=Number(gte=1e-4, lt=0.5))] = None,
    correlation: Annotated[float, Parameter(validator=Number(gte=0, lte=0.9999))] = 0.5,
    records_per_patient: Annotated[float, Parameter(validator=Number(gte=1, lte=1_000))] = 1.0,
    icc: Annotated[float, Parameter(validator=Number(gte=0, lte=1))] = 1.0,
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
    if difference is not None and difference >= auroc - 0.5:
        raise UsageError(
            f"--difference {difference:g} is not below {auroc - 0.5:g}; the second model would have an AUROC "
            f"of {auroc - difference:g}."
        )
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

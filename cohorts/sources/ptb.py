"""PTB: 516 recordings of 32 to 120 s at 1000 Hz from Berlin."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class Ptb(ChallengeCohort):
    """The PTB Diagnostic ECG database, as in the Challenge 2021 tree (without its patient ids)."""

    card = challenge_card(
        "ptb",
        id="ptb",
        name="PTB Diagnostic",
        records=516,
        country="Germany",
        sampling_rates=(1000.0,),
    )
    release = challenge_release(card, 1_490_000_000)  # at most: 516 records of at most 120 s

"""CPSC-2018: 6,877 recordings of 6 to 144 s from eleven Chinese hospitals, nine classes."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class Cpsc2018(ChallengeCohort):
    """The training set of the China Physiological Signal Challenge 2018, as in the Challenge 2021 tree."""

    card = challenge_card(
        "cpsc_2018",
        id="cpsc-2018",
        name="CPSC-2018",
        records=6_877,
        country="China",
    )
    release = challenge_release(card, 1_340_000_000)

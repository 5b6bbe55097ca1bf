"""CPSC-2018 extra: 3,453 recordings collected for CPSC-2018 and not used in it."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class Cpsc2018Extra(ChallengeCohort):
    """Recordings of the same hospitals as CPSC-2018, other records, more statements."""

    card = challenge_card(
        "cpsc_2018_extra",
        id="cpsc-2018-extra",
        name="CPSC-2018 extra",
        records=3_453,
        country="China",
    )
    release = challenge_release(card, 660_000_000)

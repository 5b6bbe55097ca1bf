"""Georgia: 10,344 recordings of a hospital in the south-east of the United States."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class Georgia(ChallengeCohort):
    """The Georgia 12-lead ECG Challenge database, first published with the Challenge 2020."""

    card = challenge_card(
        "georgia",
        id="georgia",
        name="Georgia 12-lead ECG Challenge database",
        records=10_344,
        country="United States",
    )
    release = challenge_release(card, 1_250_000_000)

"""The Challenge tree's copy of PTB-XL: the same recordings under other names (HR00001 is record 1)."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class ChallengePtbXl(ChallengeCohort):
    """Never evaluated beside PTB-XL; known so that nobody takes it for another cohort."""

    card = challenge_card(
        "ptb-xl",
        id="challenge-ptb-xl",
        name="PTB-XL (Challenge 2021 copy)",
        records=21_837,
        country="Germany",
        copy_of="ptb-xl",
        overlaps=("ptb-xl",),
    )
    release = challenge_release(card, 2_640_000_000)

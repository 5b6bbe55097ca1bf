"""ICD-10 codes of the heart: what sources that state diagnoses of a stay have in common."""

from __future__ import annotations

import functools
from collections.abc import Collection

VOCABULARY = "icd10"

_CODES = """
    E85 I05 I06 I07 I08 I09 I11 I13 I20 I21 I210 I211 I22 I220 I221 I23 I24 I25 I252 I255 I27 I30 I31
    I311 I313 I314 I32 I33 I34 I342 I35 I350 I351 I352 I36 I37 I38 I39 I40 I41 I42 I421 I422 I43 I440
    I441 I442 I443 I444 I445 I446 I447 I450 I4510 I4519 I452 I453 I454 I455 I456 I458 I4581 I459 I46
    I470 I471 I472 I479 I48 I480 I481 I482 I483 I484 I4891 I4892 I490 I491 I492 I493 I494 I495 I498 I499
    I50 I503 I5081 I51 I517 I5181 Q20 Q21 Q22 Q222 Q225 Q23 Q230 Q231 Q233 Q24 Q240 Q246 R000 R001 R002
    R008 R009 R9431 Z95 Z950 Z95810
"""
CODES = frozenset(_CODES.split())
"""Codes of the heart that the vocabulary tells apart, in ICD-10-CM without the dot."""

AMYLOID_HEART = "E85 with I43"
"""Amyloidosis and "cardiomyopathy in diseases classified elsewhere" in one stay: amyloidosis of the heart."""


@functools.cache
def code_of(diagnosis: str) -> str:
    """Longest of `CODES` that a diagnosis, written without a dot, begins with, or nothing."""
    return max((code for code in CODES if diagnosis.startswith(code)), key=len, default="")


def statements(diagnoses: Collection[str]) -> tuple[str, ...]:
    """Codes of the heart among the diagnoses of a stay."""
    found = {code_of(diagnosis) for diagnosis in diagnoses} - {""}
    return (*sorted(found), *((AMYLOID_HEART,) if {"E85", "I43"} <= found else ()))

"""Sites of smaller and of credentialed releases, none of them part of the default suite."""

from __future__ import annotations

from dataclasses import replace

from cohorts.simulator import wordings
from cohorts.simulator.noise import Noise
from cohorts.simulator.site import Site, shares

_TEN = {10.0: 1.0}

_HEEDB = Site(
    "heedb-mgh",
    120,
    500.0,
    _TEN,
    (62, 17, 18, 100),
    0.46,
    shares(
        "SB 12 STach 10 SA 4 AF 9 AFL 3 PR 4 IAVB 8 LBBB 5 RBBB 7 IRBBB 4 ILBBB 1.5 NSIVCB 4 LAnFB 5 LAD 8 "
        "PAC 6 PVC 8 IMI 8 ASMI 6 AMI 3 LMI 2 LVH 8 LVHV 4 LQRSV 6 STD 4 STEA 1.5 STEI 1.5 TInv 8 TAb 12 "
        "NSSTTA 10 LQT 6 LAE 6 RAE 1.5 RVH 1 WPW 1 MoI 1 IIIAVB 1"
    ),
    Noise(wander=0.06, muscle=0.009, mains=0.004, pops=0.03, mains_hz=60),
    wordings.TWELVE_SL,
    amplitude=0.95,
    returning=0.5,
    missed=0.05,
    mistaken=0.02,
    healthy=0.2,
)

FURTHER = (
    # Elevated ST segments of V1 to V4 stand for the Brugada pattern, which the simulator does not have.
    Site(
        "brugada-huca",
        90,
        100.0,
        {12.0: 1.0},
        (46, 15, 18, 85),
        0.4,
        shares("STEA 20 IRBBB 14 RBBB 4 IAVB 7 SB 10 ERe 4 PVC 3 LAD 3"),
        Noise(wander=0.04, muscle=0.004, mains=0.002, pops=0.01, mains_hz=50, spread=0.5),
        {},
        missed=0.0,
        mistaken=0.0,
        healthy=0.5,
    ),
    Site(
        "sami-trop",
        90,
        400.0,
        {7.0: 0.3, 10.0: 0.7},
        (59, 13, 26, 98),
        0.67,
        shares("RBBB 26 LAnFB 24 PVC 16 AF 9 IAVB 10 SB 12 LBBB 6 PR 5 QAb 6 LQRSV 6 NSSTTA 18 TAb 12 PAC 6"),
        Noise(wander=0.14, muscle=0.016, mains=0.012, pops=0.12, mains_hz=60, spread=0.8),
        {},
        amplitude=1.4,
        missed=0.08,
        healthy=0.2,
    ),
    Site(
        "hefei",
        120,
        500.0,
        _TEN,
        (57, 18, 5, 98),
        0.47,
        shares(
            "SB 14 STach 9 SA 5 AF 6 PR 1.5 IAVB 4 LBBB 2 RBBB 7 IRBBB 3 LAnFB 2 LAD 6 RAD 5 PAC 7 PVC 6 "
            "IMI 2 ASMI 2 LVH 2 LVHV 16 LQRSV 7 STD 9 ERe 1.5 TInv 4 TAb 14 NSSTTA 4 RAE 1.5"
        ),
        Noise(wander=0.04, muscle=0.006, mains=0.002, pops=0.01, mains_hz=50, spread=0.5),
        wordings.HEFEI,
        amplitude=1.05,
        missed=0.08,
        healthy=0.25,
    ),
    _HEEDB,
    replace(_HEEDB, id="heedb-emory", rate=250.0, ages=(58, 17, 18, 95), female=0.51, amplitude=0.9),
)

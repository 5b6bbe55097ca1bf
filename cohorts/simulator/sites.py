"""The sites: what makes one hospital's recordings differ from another's.

Rates, lengths, units, ages and vocabularies are those of the real releases. Prevalences follow them
too, but rare conditions are more common here, so that a copy of a few hundred records has enough
positives to evaluate. Amplitude, noise and label quality are set apart on purpose.
"""

from __future__ import annotations

from cohorts.simulator import statements, wordings
from cohorts.simulator.further_sites import FURTHER
from cohorts.simulator.noise import Noise
from cohorts.simulator.site import Site, shares

_TEN = {10.0: 1.0}

_ALL = (
    Site(
        "ptb-xl",
        960,
        500.0,
        _TEN,
        (61, 17, 18, 95),
        0.48,
        shares(
            "SB 5 STach 5 SA 5 AF 9 AFL 2.5 SVT 1.2 PR 3 IIIAVB 1.2 IAVB 6 MoI 1 MoII 1 LBBB 4.5 "
            "RBBB 5 ILBBB 1.5 IRBBB 6 NSIVCB 4 WPW 1.5 LAnFB 7 LPFB 1.5 LAD 8 RAD 2 RVH 1.5 PAC 5 "
            "PVC 7 IMI 8 ASMI 6 AMI 2.5 LMI 2.5 QAb 3 PRWP 1 LVH 9 LVHV 3 LQRSV 2 STEI 1.2 STEA 1.2 "
            "STEL 0.8 STD 6 ERe 1 TInv 4 TAb 5 NSSTTA 5 LQT 2 LAE 3 RAE 1.2"
        ),
        Noise(wander=0.05, muscle=0.006, mains=0.003, pops=0.02, mains_hz=50),
        statements.SCP,
        returning=0.13,
        clean_folds=(9, 10),
        healthy=0.38,
    ),
    Site(
        "cpsc_2018",
        170,
        500.0,
        {6.0: 0.12, 8.0: 0.15, 10.0: 0.55, 12.5: 0.1, 16.0: 0.05, 21.0: 0.02, 60.0: 0.01},
        (60, 19, 5, 98),
        0.46,
        shares(
            "SB 4 STach 4 AF 17 IAVB 10 LBBB 5 RBBB 20 PAC 9 PVC 10 STD 11 STEI 3 STEA 3 STEL 1.5 "
            "LVH 4 IMI 2 TInv 3 LAD 3"
        ),
        Noise(wander=0.07, muscle=0.010, mains=0.006, pops=0.04, mains_hz=50),
        statements.CPSC,
        amplitude=0.92,
        missed=0.06,
        healthy=0.12,
    ),
    Site(
        "cpsc_2018_extra",
        60,
        500.0,
        {8.0: 0.15, 10.0: 0.5, 15.0: 0.25, 30.0: 0.1},
        (64, 17, 5, 98),
        0.47,
        shares(
            "SB 5 STach 12 SA 3 AF 8 AFL 4 IAVB 6 MoI 2 IIIAVB 2 LBBB 4 RBBB 8 ILBBB 3 IRBBB 5 PAC 8 "
            "PVC 12 IMI 14 ASMI 12 AMI 4 LMI 3 LVH 8 STD 6 STEA 3 STEI 2 NSSTTA 20 TInv 3 TAb 4 LQT 2"
        ),
        Noise(wander=0.07, muscle=0.010, mains=0.006, pops=0.04, mains_hz=50),
        statements.CPSC_EXTRA,
        amplitude=0.92,
        missed=0.15,
        healthy=0.05,
    ),
    Site(
        "chapman_shaoxing",
        180,
        500.0,
        _TEN,
        (60, 17, 4, 98),
        0.44,
        shares(
            "SB 32 AF 14 STach 12 SVT 5.5 AFL 6 IAVB 5 RBBB 6 LBBB 5 NSIVCB 3 LAD 5 RAD 4 PAC 6 "
            "PVC 6.5 QAb 4 LVHV 9 LVH 1 LQRSV 4 STD 6 STEA 2 STEI 1 TInv 5 TAb 12 NSSTTA 8 LQT 2 "
            "WPW 1 IIIAVB 1 PRWP 1"
        ),
        Noise(wander=0.02, muscle=0.004, mains=0.001, pops=0.0, mains_hz=50, spread=0.4),
        statements.CHAPMAN,
        amplitude=1.12,
        missed=0.08,
        healthy=0.15,
    ),
    Site(
        "ningbo",
        180,
        500.0,
        _TEN,
        (58, 20, 0.5, 98),
        0.44,
        shares(
            "SB 30 STach 14 SA 7 AF 12 AFL 3 PR 6 IAVB 5 RBBB 5.5 IRBBB 5 LBBB 4 NSIVCB 3 LAnFB 3 "
            "LAD 5 RAD 4 PAC 6 PVC 6 QAb 4 LVHV 9 LVH 3 LQRSV 4 STD 5 TInv 9 TAb 12 NSSTTA 9 LQT 3 "
            "PRWP 4 ERe 2 RVH 1.5 IIIAVB 1.5"
        ),
        Noise(wander=0.03, muscle=0.005, mains=0.002, pops=0.0, mains_hz=50, spread=0.5),
        statements.NINGBO,
        amplitude=1.05,
        missed=0.10,
        mistaken=0.05,
        healthy=0.15,
    ),
    Site(
        "georgia",
        180,
        500.0,
        {5.0: 0.3, 10.0: 0.7},
        (61, 15, 14, 89),
        0.47,
        shares(
            "SB 14 STach 11 SA 6 AF 8 AFL 3 IAVB 8 LBBB 5 RBBB 6 ILBBB 1.5 IRBBB 5 NSIVCB 3 LAnFB 5 "
            "LAD 8 RAD 2 PAC 7 PVC 7 QAb 5 LVH 10 LQRSV 5 STD 3 STEI 1.5 STEA 1.5 ERe 2 TInv 8 TAb 14 "
            "NSSTTA 10 LQT 10 LAE 6 RVH 1"
        ),
        Noise(wander=0.06, muscle=0.009, mains=0.008, pops=0.03, mains_hz=60),
        statements.GEORGIA,
        amplitude=0.85,
        missed=0.12,
        mistaken=0.05,
        healthy=0.17,
    ),
    Site(
        "ptb",
        10,
        1000.0,
        {32.0: 0.7, 38.4: 0.3},
        (57, 14, 17, 87),
        0.28,
        shares("IMI 26 ASMI 24 AMI 12 LMI 6 STEA 6 STEI 5 LBBB 3 RBBB 3 AF 3 LVH 5 PVC 4 SB 4"),
        Noise(wander=0.08, muscle=0.006, mains=0.004, pops=0.02, mains_hz=50),
        statements.PTB,
        returning=0.4,
        missed=0.0,
        mistaken=0.0,
        healthy=0.15,
    ),
    Site(
        "incart",
        2,
        257.0,
        {1800.0: 1.0},
        (57, 14, 18, 80),
        0.45,
        shares("PVC 70 PAC 30 AF 5 STD 20 LVH 12 RBBB 8 MoI 5 TInv 10"),
        Noise(wander=0.15, muscle=0.015, mains=0.002, pops=0.05, mains_hz=50),
        statements.INCART,
        returning=0.5,
        missed=0.0,
        mistaken=0.0,
        healthy=0.0,
    ),
    Site(
        "sph",
        180,
        500.0,
        {10.0: 0.82, 11.0: 0.06, 12.0: 0.1, 15.0: 0.02},
        (50, 16, 18, 95),
        0.45,
        shares(
            "SB 11 STach 6 SA 8 AF 7 AFL 2 IAVB 5 LBBB 4.5 RBBB 6 IRBBB 6 LAnFB 3 LAD 4 RAD 3 PAC 6 "
            "PVC 7 LVH 4 LQRSV 5 STD 6 STEA 1 TInv 4 TAb 9 NSSTTA 6 IMI 3 ASMI 2 ERe 2 WPW 1 LQT 1.5 "
            "RVH 1 MoI 1"
        ),
        Noise(wander=0.03, muscle=0.005, mains=0.002, pops=0.005, mains_hz=50, spread=0.5),
        statements.AHA,
        amplitude=0.95,
        returning=0.043,
        missed=0.05,
        mistaken=0.02,
        healthy=0.45,
    ),
    Site(
        "code-15",
        260,
        400.0,
        {7.0: 0.3, 10.0: 0.7},
        (53, 18, 17, 100),
        0.60,
        shares(
            "IAVB 7 RBBB 8 LBBB 7 SB 8 STach 8 AF 8 LAD 6 LVH 4 TAb 6 NSSTTA 6 PVC 4 PAC 3 IMI 2 "
            "ASMI 2 LAnFB 4"
        ),
        Noise(wander=0.14, muscle=0.016, mains=0.012, pops=0.12, mains_hz=60, spread=0.8),
        statements.CODE,
        amplitude=1.45,
        returning=0.32,
        missed=0.10,
        mistaken=0.04,
        healthy=0.4,
    ),
    Site(
        "code-test",
        200,
        400.0,
        {7.0: 0.3, 10.0: 0.7},
        (55, 18, 17, 99),
        0.61,
        shares("IAVB 8 RBBB 9 LBBB 8 SB 9 STach 9 AF 8 LAD 6 LVH 4 TAb 6 NSSTTA 6 PVC 4 PAC 3 IMI 2 LAnFB 4"),
        Noise(wander=0.12, muscle=0.014, mains=0.010, pops=0.08, mains_hz=60, spread=0.7),
        statements.CODE,
        amplitude=1.35,
        missed=0.03,
        mistaken=0.005,
        healthy=0.4,
    ),
    Site(
        "ludb",
        90,
        500.0,
        _TEN,
        (53, 18, 11, 90),
        0.43,
        shares(
            "SB 13 STach 3 SA 4 AF 11 AFL 3 PR 5 IAVB 7 IIIAVB 3 LBBB 5 RBBB 4 ILBBB 4 IRBBB 16 "
            "NSIVCB 3 LAnFB 9 LAD 22 RAD 3 PAC 9 PVC 8 LVH 40 RVH 2 LAE 35 RAE 5 IMI 4 ASMI 5 STEA 5 "
            "STEI 1 STEL 3 STD 9 TInv 9 TAb 9 NSSTTA 9 ERe 3"
        ),
        Noise(wander=0.03, muscle=0.004, mains=0.003, pops=0.01, mains_hz=50, spread=0.4),
        wordings.LUDB,
        amplitude=1.0,
        missed=0.03,
        mistaken=0.01,
        healthy=0.05,
    ),
    Site(
        "mimic-iv-ecg",
        100,
        500.0,
        _TEN,
        (64, 16, 18, 91),
        0.49,
        shares(
            "SB 11 STach 12 SA 3 AF 12 AFL 4 PR 5 IAVB 8 LBBB 5 RBBB 8 IRBBB 4 NSIVCB 4 LAnFB 6 LAD 9 "
            "RAD 3 PAC 7 PVC 8 IMI 8 ASMI 7 AMI 3 PRWP 4 LVH 9 LVHV 3 LQRSV 6 STD 4 STEA 2 STEI 2 "
            "ERe 2 TInv 6 TAb 10 NSSTTA 9 LQT 8 LAE 5 RAE 2 RVH 1 SVT 1"
        ),
        Noise(wander=0.07, muscle=0.010, mains=0.004, pops=0.05, mains_hz=60),
        wordings.MACHINE,
        amplitude=0.9,
        returning=0.6,
        missed=0.08,
        mistaken=0.06,
        healthy=0.12,
    ),
    Site(
        "zzu-pecg",
        110,
        500.0,
        {5.0: 0.2, 10.0: 0.68, 15.0: 0.1, 20.0: 0.02},
        (8, 4, 0.05, 14.9),
        0.43,
        shares(
            "STach 14 SB 6 SA 12 IAVB 5 RBBB 6 IRBBB 9 WPW 4 LAnFB 2 RVH 8 LVHV 14 LVH 4 PAC 5 PVC 5 "
            "STD 4 TAb 8 TInv 3 LQT 4 RAD 6 SVT 3 QAb 3 ERe 2 RAE 2 LQRSV 1.5"
        ),
        Noise(wander=0.10, muscle=0.012, mains=0.003, pops=0.05, mains_hz=50, spread=0.7),
        {**statements.AHA, "LVHV": ("Left ventricular high voltage",), "QAb": ("Abnormal Q wave",)},
        amplitude=1.15,
        returning=0.3,
        missed=0.06,
        mistaken=0.03,
        healthy=0.3,
    ),
    Site(
        "echonext",
        120,
        250.0,
        _TEN,
        (64, 16, 18, 90),
        0.48,
        shares(
            "SB 8 STach 10 AF 14 AFL 3 PR 8 IAVB 8 LBBB 9 RBBB 9 LAnFB 6 LVH 16 RVH 4 IMI 9 ASMI 8 "
            "AMI 5 PVC 9 PAC 6 LAE 8 RAE 3 TInv 8 NSSTTA 10 LQRSV 7 LQT 6"
        ),
        Noise(wander=0.03, muscle=0.007, mains=0.003, pops=0.01, mains_hz=60),
        {},
        returning=0.4,
        healthy=0.15,
    ),
)

SITES = {site.id: site for site in (*_ALL, *FURTHER)}

"""CONTRIBUTING.md and docs/protocols.md: a cohort of one's own is a package, and is pre-trained on."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pandas as pd
import pytest

from tests.documented import blocks, commands, section
from tests.reader import NO_NETWORK, ROOT, Reader
from tests.releases import make_signal, write_record

TYPES = {"CONTRIBUTING.md": ["A cohort"], "docs/protocols.md": ["A small one first"]}
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in TYPES}
RECORDS = 40


def write_recordings(folder: Path, table: str, columns: dict[str, list[str]]) -> None:
    """Write the recordings of twenty people, every other one in fibrillation, and their table."""
    names = [f"e{at:03d}" for at in range(RECORDS)]
    for at, name in enumerate(names):
        write_record(folder, name, make_signal(at, 5000, 1.0 if at // 2 % 2 else 0.2), 500)
    people = {"patient": [f"p{at // 2}" for at in range(RECORDS)], "age": ["71"] * RECORDS}
    sexes = {"sex": ["female", "female", "male", "male"] * (RECORDS // 4)}
    pd.DataFrame({"record": names, **people, **sexes, **columns}).to_csv(folder / table, index=False)


@pytest.mark.slow  # pip builds a package, for which it asks an index
def test_a_cohort_becomes_a_package_and_is_looked_at(tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    reader = Reader(tmp_path, str(environment / "bin/python"))
    release = tmp_path / "RELEASES/my-release"
    write_recordings(release, "records.csv", {"codes": ["OTHER", "OTHER", "AFIB", "AFIB"] * (RECORDS // 4)})
    write, install, test, listed, look = commands(section(PAGES["CONTRIBUTING.md"], "A cohort"))
    reader.types(write)
    answer = reader.tries(install)
    if answer.returncode and any(word in answer.stderr for word in NO_NETWORK):
        pytest.skip(f"needs PyPI: {answer.stderr.strip().splitlines()[-1]}")
    assert answer.returncode == 0, answer.stderr
    assert " passed" in reader.types(test)
    assert [line.split()[0] for line in reader.tries(listed).stdout.splitlines()].count("my-release") == 1
    seen = reader.tries(look)
    assert seen.returncode == 0, seen.stderr
    assert f"{RECORDS} in the index" in seen.stdout
    assert len(list(tmp_path.rglob("*.png"))) == 3


@pytest.mark.slow  # loads a sentence encoder and trains a network: 15 s
def test_the_small_model_is_pretrained_on_a_hospitals_reports(tmp_path: Path) -> None:
    reports = ["Sinus rhythm.\nNormal ECG.", "Sinus rhythm.", "Atrial fibrillation.", "Atrial fibrillation."]
    write_recordings(tmp_path / "clinic", "ecgs.csv", {"report": reports * (RECORDS // 4)})
    page = PAGES["docs/protocols.md"]
    named, recipe = blocks(page, "toml")
    columns = {"record_id": "record", "patient_id": "patient", "age": "age", "sex": "sex"}
    facts = "".join(f'{name} = "{column}"\n' for name, column in columns.items())
    (tmp_path / "clinic/cohort.toml").write_text(
        f'[cohort]\nid = "my-clinic"\nname = "My clinic"\nindex = "ecgs.csv"\n{facts}'
        f'signals = "{{record}}.hea"\n{named}'
    )
    (tmp_path / "tiny.toml").write_text(recipe)
    (line,) = commands(section(page, "A small one first"))
    answer = Reader(tmp_path).tries(line)
    assert answer.returncode == 0, answer.stderr
    assert "36 training records with a report, 0 without one are left out" in answer.stderr
    assert "epoch 2 of 2" in answer.stderr
    assert answer.stdout.splitlines()[-1] in page.splitlines(), "what comes next"

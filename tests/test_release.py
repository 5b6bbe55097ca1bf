"""What is released works outside of a clone, and what goes with it is well formed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import benchmark

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("baselines", "benchmark", "cohorts")
TOOLS = Path(sysconfig.get_path("scripts"))


def call(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> Path:
    if not (TOOLS / name).exists():
        pytest.skip(f"needs {name}, which 'make setup' installs")
    return TOOLS / name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was made from it."""
    pytest.importorskip("build", reason="needs build, which 'make setup' installs")
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


def test_the_wheel_has_every_file_of_the_packages_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    tracked = call("git", "ls-files", *PACKAGES, cwd=ROOT).split() if (ROOT / ".git").exists() else []
    assert not set(tracked) - inside
    assert {name.split("/")[0] for name in inside} == set(PACKAGES)
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside


def test_the_source_archive_has_what_its_tests_and_pages_need_and_no_results(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        top = {name.split("/")[1] for name in files.getnames() if "/" in name}
    assert {"Makefile", "README.md", "LICENSE", "constraints.txt", "docs", "tests", *PACKAGES} <= top
    assert not {"results", "data", ".venv", ".git"} & top


def test_the_wheel_simulates_and_evaluates_outside_of_a_clone(built: Path, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    packages = Path(
        call(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    )
    # What the wheel depends on is here already. A .pth file in a folder that is named like this
    # is not followed: the clone is out of sight.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    (wheel,) = built.glob("*.whl")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--quiet",
        "--no-compile",
        "--no-deps",
        "--no-index",
    ]
    call(*pip, str(wheel), cwd=tmp_path)
    work = tmp_path / "work"
    work.mkdir()
    clean = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "MPLCONFIGDIR": str(tmp_path),
        "OMP_NUM_THREADS": "1",
    }
    leadboard = home / "bin" / "leadboard"
    call(leadboard, "simulate", "georgia", "--out", "data", "--scale", "0.1", cwd=work, env=clean)
    said = call(
        *(leadboard, "run", "--data", "data", "--cohort", "georgia", "--model", "noisy.py:Noisy"),
        *("--protocol", "as-is", "--resamples", "20", "--out", "run"),
        cwd=_with_model(work),
        env=clean,
    )
    assert "1 of 1 cell computed now, 0 failed." in said
    record = json.loads(next((work / "run").rglob("georgia.json")).read_text())
    assert record["provenance"]["leadboard"] == benchmark.__version__
    where = call(python, "-c", "import benchmark; print(benchmark.__file__)", cwd=work, env=clean)
    assert Path(where.strip()).is_relative_to(home.resolve())


def _with_model(folder: Path) -> Path:
    (folder / "noisy.py").write_text(
        "import numpy as np\n"
        "class Noisy:\n"
        "    card = {'name': 'noisy', 'version': '1', 'outputs': ['AF', 'RBBB'], 'trained_on': []}\n"
        "    def predict(self, batch):\n"
        "        return np.abs(np.sin(batch.signals[:, :2, ::100].sum(axis=2)))\n"
    )
    return folder


def test_the_version_is_the_same_everywhere() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert cited == newest[1] == benchmark.__version__


@pytest.mark.parametrize(
    "file",
    ["Dockerfile", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "deploy").rglob("Dockerfile"))],
)
def test_dockerfiles_are_linted(file: str) -> None:
    call(tool("hadolint"), ROOT / file, cwd=ROOT)


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("github-workflows", ".github/workflows/*.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/[!c]*.yml"),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("citation-file-format", "CITATION.cff"),
    ],
)
def test_files_for_the_repository_keep_their_schemas(schema: str, files: str) -> None:
    """In this process: to import jsonschema takes seconds."""
    program = pytest.importorskip("check_jsonschema", reason="needs what 'make setup' installs")
    from click.testing import CliRunner

    found = sorted(map(str, ROOT.glob(files)))
    assert found
    done = CliRunner().invoke(program.main, ["--builtin-schema", f"vendor.{schema}", *found])
    assert done.exit_code == 0, done.output


def test_workflows_give_nothing_away() -> None:
    call(tool("zizmor"), "--offline", ".github/workflows", cwd=ROOT)


def test_workflows_call_what_the_makefile_has() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called: set[str] = set()
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        for words in re.findall(r"run: make ([a-z ]+)", file.read_text()):
            called |= set(words.split())
    assert called
    assert called <= targets

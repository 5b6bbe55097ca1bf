"""Every command of the documentation exists, and is typed by a test or listed here with the reason.

A test file that types commands says of which pages and headings in a literal dictionary `TYPES`.
"""

from __future__ import annotations

import ast
import contextlib
import re
import shlex
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from cyclopts import ValidationError

from benchmark.cli import app
from tests.documented import BLOCK, blocks, joined, section

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        ROOT / "results/README.md",
    )
}
MAKE = "installs everything, or takes minutes; what make would do is asked below"
NOT_TYPED = {
    MAKE: [
        "make benchmark",
        "make benchmark DATA=/path/to/releases",
        "make setup",
        "make soak ARGS='--seed 7'",
        "make soak MINUTES=20",
    ],
    "needs a CUDA device": [
        "leadboard pretrain ecgclip --source ptb-xl --source mimic-iv-ecg --data RELEASES --device cuda",
        "leadboard run --data RELEASES --model ecgclip --pretrain-on ptb-xl --pretrain-on mimic-iv-ecg "
        "--device cuda",
        "leadboard pretrain ecgclip --source my-clinic --cohort-file clinic/cohort.toml --device cuda",
        "leadboard run --data RELEASES --model ecgclip --pretrain-on my-clinic "
        "--cohort-file clinic/cohort.toml --device cuda",
        "leadboard run --data RELEASES --device cuda",
        "leadboard run --data RELEASES --device cuda --engine ray",
        "CUDA_VISIBLE_DEVICES=0,1 leadboard run --data RELEASES --device cuda --engine ray",
    ],
    "needs a cluster of Ray, by itself or under Slurm or Kubernetes": [
        "leadboard run --engine ray --address auto",
        'head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)',
        'srun --nodes="$SLURM_JOB_NUM_NODES" ray symmetric-run --address "$head:6379" --min-nodes '
        '"$SLURM_JOB_NUM_NODES" --num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus=8 -- leadboard run --engine ray '
        "--address auto --device cuda --data /shared/data --cache /shared/cache --out /shared/runs/board",
        "leadboard run --engine ray --address auto --device cuda --data /shared/data --cache /shared/cache "
        "--out /shared/runs/board",
    ],
    "needs Docker; tests/test_medperf.py types what the containers run": [
        "docker build -f deploy/medperf/data_preparator/Dockerfile "
        "-t YOUR-REGISTRY/leadboard-data-preparator:0.1 .",
        "docker build -f deploy/medperf/model/Dockerfile --build-arg MODEL_FOLDER=my-model/my_model "
        "-t YOUR-REGISTRY/my-model:0.1 .",
        "docker build -f deploy/medperf/metrics/Dockerfile -t YOUR-REGISTRY/leadboard-metrics:0.1 .",
    ],
    "asks an index of packages or a repository; tests/baselines/test_ecg_fm_recipe.py has a stand-in": [
        "pip install 'leadboard[ray]'",
        "python3 -m venv fairseq-env",
        "git clone https://github.com/Jwoo5/fairseq-signals",
        "fairseq-env/bin/pip install --editable fairseq-signals",
        "leadboard run --data RELEASES --out results/runs/ecg-fm --model ecg_fm.py:EcgFm "
        "--python fairseq-env/bin/python --protocol as-is --protocol linear-probe-100",
    ],
    "starts Ray for all models; tests/benchmark/run/test_ray.py starts it for some": [
        "leadboard run --engine ray",
    ],
    "trains a network several times, or for an hour; tests/benchmark/run/test_seeds.py trains a small one": [
        "python -m tests.soak.occlusion_hits FOLDER",
        "leadboard run --data RELEASES --model resnet1d --model minirocket --seed 0 --seed 1 --seed 2",
    ],
    "makes the committed board again; tests/test_results.py makes its numbers again": [
        "leadboard verify results/submissions --data releases",
        "python results/make.py RELEASES SCORES",
    ],
}
"""Commands that no test types, by the reason."""


def told(text: str) -> list[str]:
    """Give what a text has its reader type, or a cluster call, without comments and on one line each."""
    found = []
    for kind, code in BLOCK.findall(text):
        for line in (code.replace("\\\n", " ") if kind == "bash" else joined(code)).splitlines():
            command = " ".join(re.sub(r"(^|\s)#.*", "", line).split())
            if kind == "console":
                command = command.removeprefix("$ ") if line.startswith("$ ") else ""
            elif kind != "bash" and not command.startswith("leadboard "):
                command = ""
            found += [command] if command else []
    return found


def stated() -> dict[str, list[str]]:
    """Headings and single commands that test files say they type, by page."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body if "\nTYPES = {" in text else ():
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TYPES":
                for page, parts in ast.literal_eval(node.value).items():
                    found.setdefault(page, []).extend(parts)
    return found


def test_the_commands_that_no_test_types_are_listed_with_the_reason() -> None:
    untyped: set[str] = set()
    parts = stated()
    assert set(parts) <= set(PAGES)
    for page, text in PAGES.items():
        rest = Counter(told(text))
        for part in parts.get(page, []):
            typed = [part.removeprefix("$ ")] if part.startswith("$ ") else told(section(text, part))
            assert typed, f"{page}: nothing to type below '{part}'"
            assert set(typed) <= set(told(text)), part
            rest -= Counter(typed)
        untyped |= set(rest)
    listed = {command for commands in NOT_TYPED.values() for command in commands}
    assert untyped - listed == set(), "no test types these; type them, or say here why not"
    assert listed - untyped == set(), "these are typed, or on no page any more"


@pytest.mark.parametrize("page", PAGES)
def test_no_command_of_a_page_is_overlooked(page: str) -> None:
    """A console begins with a command, and a command stands nowhere else."""
    text = PAGES[page]
    consoles = blocks(text, "console")
    assert [code for code in consoles if not code.startswith("$ ")] == []
    in_consoles = sum(len(re.findall(r"^\$ ", code, re.MULTILINE)) for code in consoles)
    assert len(re.findall(r"^\s*\$ ", text, re.MULTILINE)) == in_consoles


def calls(text: str) -> list[str]:
    """Give the calls of `leadboard` in what is typed, and in what commands tell their user to type next."""
    lines = [*told(text), *(line.strip() for code in blocks(text, "console") for line in code.splitlines())]
    found = (re.search(r"(?:^|^[A-Z_]+=\S+ | -- )(leadboard [a-z][^#]*)$", line) for line in lines)
    return sorted({call[1].strip() for call in found if call})


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_of_a_page_exists(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for call in calls(PAGES[page]):
        with contextlib.suppress(ValidationError):  # a file that is not here is no matter of the page
            app.parse_args(shlex.split(call)[1:], exit_on_error=False, print_error=False)


@pytest.mark.parametrize("call", NOT_TYPED[MAKE])
def test_make_would_do_what_the_pages_say(call: str) -> None:
    words = shlex.split(call)
    told = subprocess.run(
        [*words, "--dry-run", "--always-make"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    if words[1] == "benchmark":
        data = words[-1].partition("=")[2] or "data/simulated"
        assert (f"leadboard simulate --out {data}" in told) == ("DATA" not in call)
        assert f"leadboard run --data {data} --out results/runs/" in told
    elif words[1] == "soak":
        option = words[2].removeprefix("ARGS=").replace("MINUTES=", "--minutes ")
        assert re.search(rf"-m tests\.soak .*{option}", told)
    else:
        assert "pip install" in told

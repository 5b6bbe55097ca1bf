"""Places for models to run in: an environment with another NumPy, and a program in Docker's place."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import venv
from pathlib import Path

import pytest

OLD_NUMPY = "1.26.4"

FAKE_ENGINE = """#!{python}
import os, signal, sys
log = {log!r}
with open(log, "a") as file:
    file.write("\\n".join(sys.argv[1:]) + "\\n\\n")
label = sys.argv[sys.argv.index("--name") + 1] if sys.argv[1] == "run" else sys.argv[2]
if sys.argv[1] == "kill":
    os.kill(int(open(log + label).read()), signal.SIGKILL)
elif "no-such-image" in sys.argv:
    print("docker: Error response from daemon: pull access denied.", file=sys.stderr)
    sys.exit(125)
else:
    print("== banner of the image ==", flush=True)
    container = os.fork()  # outside of the client's group, as a real container is
    if container == 0:
        os.setsid()
        image = sys.argv.index("some/image:1")
        os.execv({python!r}, [{python!r}, *sys.argv[image + 1:]])
    with open(log + label, "w") as file:
        file.write(str(container))
    signal.signal(signal.SIGUSR1, lambda number, _: os.kill(container, number))
    code = os.waitstatus_to_exitcode(os.waitpid(container, 0)[1])
    sys.exit(128 - code if code < 0 else code)
"""


@pytest.fixture(scope="session")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Python of an environment with another NumPy; nothing of the suite is in it."""
    folder = tmp_path_factory.mktemp("old") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    python = str(folder / "bin" / "python")
    install(python, f"numpy=={OLD_NUMPY}")
    return python


def install(python: str, *packages: str) -> None:
    """Install packages without what they need; where that is impossible, the test is skipped."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
    ]
    done = subprocess.run([*command, "--only-binary", ":all:", *packages], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{packages} could not be installed: {done.stderr.strip().splitlines()[-1]}")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in Docker's place that runs the container's command on this machine."""
    program = tmp_path / "docker"
    program.write_text(FAKE_ENGINE.format(python=sys.executable, log=str(tmp_path / "log")))
    program.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return program

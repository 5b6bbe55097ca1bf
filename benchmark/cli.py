"""The command line: parse, call, and answer every expected failure in one sentence."""

from __future__ import annotations

import os
import sys

from cyclopts import App, CycloptsError

from benchmark import __version__
from benchmark.commands import (
    agreement,
    checking,
    comparing,
    data,
    evaluation,
    scoring,
    submitting,
    tasks,
    training,
)
from benchmark.stopping import Terminated, end_on_sigterm
from cohorts.errors import LeadboardError, UsageError

app = App(
    name="leadboard",
    version=__version__,
    help="Does a 12-lead ECG model still work in another hospital?",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,  # main() says what is kept
)
for command in (
    data.cohorts,
    data.concepts,
    tasks.tasks,
    agreement.agreement,
    evaluation.models,
    data.download,
    data.simulate,
    data.prepare,
    data.overlap,
    training.pretrain,
    training.weights,
    training.train,
    checking.check,
    checking.new_model,
    evaluation.run,
    scoring.score,
    comparing.compare,
    evaluation.report,
    submitting.submit,
    submitting.verify,
):
    app.command(command)


def main() -> None:
    """Entry point of the ``leadboard`` command.

    Exits with 0, 1 (a cell failed), 2 (a wrong call), 130 (Ctrl-C) or 143 (SIGTERM).
    """
    end_on_sigterm()
    try:
        code = app(exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        _fail(" ".join(str(error).split()))
    except UsageError as error:
        _fail(str(error))
    except LeadboardError as error:
        print(f"leadboard: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt as stop:
        print("\nStopped. What was finished is kept; the same command goes on from there.", file=sys.stderr)
        sys.exit(143 if isinstance(stop, Terminated) else 130)
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(sentence: str) -> None:
    print(f"leadboard: {sentence}", file=sys.stderr)
    sys.exit(2)

"""The command line: parse, call, and answer every expected failure in one sentence."""

from __future__ import annotations

import gc
import sys
import traceback
from types import TracebackType

from cyclopts import App, CycloptsError, MissingArgumentError, UnusedCliTokensError, ValidationError

from benchmark import __version__
from benchmark.commands import (
    agreement,
    checking,
    comparing,
    data,
    doctor,
    evaluation,
    explaining,
    exporting,
    new_cohort,
    overlapping,
    predicting,
    reporting,
    scoring,
    serving,
    sizing,
    submitting,
    tasks,
    training,
)
from benchmark.files import give_home
from benchmark.terminal import set_up, tell, why_incomplete
from benchmark.text import unwrapped, visible
from cohorts.errors import LeadboardError, UsageError
from cohorts.interrupts import Terminated, end_on_sigterm

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
    overlapping.overlap,
    training.pretrain,
    training.weights,
    training.train,
    checking.check,
    checking.new_model,
    checking.new_labels,
    new_cohort.new_cohort,
    evaluation.run,
    predicting.predict,
    sizing.sample_size,
    scoring.score,
    comparing.compare,
    reporting.report,
    serving.serve,
    exporting.export,
    explaining.explain,
    submitting.submit,
    submitting.verify,
    doctor.doctor,
    explaining.feature_map,
):
    command.__doc__ = unwrapped(command.__doc__ or "")  # a terminal breaks lines where it ends
    app.command(command, name="map" if command is explaining.feature_map else None)


IMPORTED = 10_000
"""New objects after which garbage in circles is looked for: after 700, it takes a tenth of all imports."""


def main() -> None:
    """Entry point of the ``leadboard`` command.

    Exits with 0, 1 (a cell failed), 2 (a wrong call), 130 (Ctrl-C) or 143 (SIGTERM).
    """
    gc.set_threshold(IMPORTED)
    end_on_sigterm()
    set_up()
    give_home()
    sys.excepthook = _print_bug
    code = _call()
    incomplete = why_incomplete()
    if incomplete:
        tell(f"leadboard: {incomplete}", error=True)
    sys.exit(code or (1 if incomplete else 0))


def _call() -> int:
    try:
        code = app(sys.argv[1:], exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        _say(UsageError(_in_words(error)))
        return 2
    except UsageError as error:
        _say(error)
        return 2
    except LeadboardError as error:
        _say(error)
        return 1
    except KeyboardInterrupt as stop:
        stopped = "Stopped. What was finished is kept; the same command goes on from there."
        tell("", stopped, error=True)
        return 143 if isinstance(stop, Terminated) else 130
    return code if isinstance(code, int) else 0


def _in_words(error: CycloptsError) -> str:
    """Say what is wrong with a call; whose words for it are a library's get others."""
    call = " ".join(["leadboard", *(error.command_chain or ())])
    see = f"'{call} --help' says what it takes."
    if isinstance(error, UnusedCliTokensError):
        return f"{call} does not take {', '.join(error.unused_tokens or ())!r} here; {see}"
    if isinstance(error, MissingArgumentError) and error.argument and "Did you mean" not in str(error):
        name = error.argument.name
        if error.keyword or any(token.keyword for token in error.argument.tokens):
            return f"{call}: {error.keyword or name} needs a value; {see}"
        if error.argument.field_info.is_positional:
            name = name.lstrip("-").upper()
        return f"{call} needs {name}; {see}"
    if isinstance(error, ValidationError) and error.argument and isinstance(error.argument.value, tuple):
        error.value = ", ".join(map(str, error.argument.value))  # of an option that may be repeated
    return str(error)


def _say(error: Exception) -> None:
    tell("leadboard: " + " ".join(visible(str(error), " ").split()), error=True)


def _print_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    tell(*"".join(traceback.format_exception(kind, error, trace)).splitlines(), error=True)

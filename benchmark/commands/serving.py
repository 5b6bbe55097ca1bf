"""Command that shows the page of a run in a browser while the run goes on: serve."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from benchmark.commands.options import Folder
from benchmark.config import DEFAULT_RUN
from benchmark.terminal import tell
from cohorts.errors import UsageError

Port = Annotated[int, Parameter(validator=Number(gte=0, lte=65_535))]


def serve(run: Folder = DEFAULT_RUN, *, host: str = "127.0.0.1", port: Port = 8000) -> int:
    """Serve the leaderboard of a run to a browser on this machine; the page reloads when it has changed.

    Parameters
    ----------
    run
        Folder of the run, or of a board.
    host
        Address to listen on. Any other than 127.0.0.1 lets whoever reaches it read the report.
    port
        Port to listen on; 0 for any free one.
    """
    from benchmark.commands.report_server import LOOPBACK, PAGE, ReportServer
    from benchmark.records.run_file import RUN

    if not (run / PAGE).is_file() and not (run / RUN).is_file():
        raise UsageError(f"{run} has neither a {PAGE} nor a {RUN}; name the folder of a run or of a board.")
    try:
        server = ReportServer(run, host, port)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"Cannot listen on {host}, port {port} ({why}); choose others.") from None
    with server:
        if host not in LOOPBACK:
            tell(
                f"WARNING: listening on {host}: everyone who reaches this machine on port "
                f"{server.server_port} can read this report. There is no password and no encryption.",
                error=True,
            )
        tell(f"Serving {run} on http://{server.shown}:{server.server_port}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("Stopped.", error=True)
    return 0

"""`python -m steelyard`, and the console script `steelyard`.

SIGINT (Ctrl-C) and SIGTERM end it with 130 and 143 and one line, never a traceback, from the first
import on: the handlers stand before anything heavy is imported, and what is open is closed first.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SIGNALLED = 128
"""Exit code of a signal: this and its number."""
FEWEST_COLLECTED = 100_000
"""New objects before the next look for cycles: what a command imports stays, and looking through it
again and again is a tenth of its time.
"""
LINES = {
    signal.SIGINT: "Interrupted. No order exists; nothing was sent.",
    signal.SIGTERM: "Ended by SIGTERM. No order exists; nothing was sent.",
}


class Stopped(SystemExit):
    """A signal ended the program; raised wherever it was, so that files and workers are closed."""

    def __init__(self, number: int) -> None:
        super().__init__(SIGNALLED + number)
        self.number = signal.Signals(number)


def main() -> None:
    """Run the command line; exits with its code."""
    for number in LINES:
        signal.signal(number, _stop)
    sys.unraisablehook = _not_swallowed
    gc.set_threshold(FEWEST_COLLECTED)
    # no plug-in of a library may change what a strategy means, and looking for one takes long
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed: then nobody listens
            setattr(sys, name, io.StringIO())
    try:
        _run()
    except Stopped as stopped:
        _say(stopped)
        raise
    finally:
        # the result is out, or the line is: a signal now changes neither, and Python itself sets
        # every handler back at its end but this one
        for number in LINES:
            signal.signal(number, signal.SIG_IGN)


def _run() -> None:
    from steelyard.cli import app
    from steelyard.cli.logs import log_to_stderr

    log_to_stderr(os.environ)
    app(prog_name="steelyard")


def _stop(number: int, _: FrameType | None) -> NoReturn:
    """Handle the first signal; another one no longer waits for what is being closed."""
    for other in LINES:
        signal.signal(other, _end)
    raise Stopped(number)


def _end(number: int, _: FrameType | None) -> NoReturn:
    os._exit(SIGNALLED + number)


def _not_swallowed(unraisable: UnraisableHookArgs) -> None:
    """End it also where Python swallows exceptions: in destructors, in callbacks of imports."""
    if not isinstance(unraisable.exc_value, Stopped):
        sys.__unraisablehook__(unraisable)
        return
    _say(unraisable.exc_value)
    os._exit(SIGNALLED + unraisable.exc_value.number)


def _say(stopped: Stopped) -> None:
    with contextlib.suppress(OSError, ValueError):
        output = sys.modules.get("steelyard.cli.output")
        own: list[str] = getattr(output, "SIGNALLED", [])
        sys.stderr.write((own[0] if own else LINES[stopped.number]) + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()

"""Screens, pipes, files, messages and exit codes: everything a command does with its result.

What is printed is rendered whole and written at once. Text that an encoding cannot carry is spelled
out, a reader who leaves early (`| head`) is no error, and a failure is one message on stderr, never
a traceback.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

FAILED = 1
INTERRUPTED = 130
PIPE_WIDTH = 160
"""Columns of what is not a window: room for every column of every table."""
PATIENCE_SECONDS = 1.0
"""What takes longer shows that it is at work."""

SPELLED = {
    "\u2212": "-",
    "\u00a0": " ",
    "\u202f": " ",
    "→": "->",
    "·": "|",
    "▲": "^",
    "▼": "v",
    "█": "#",
    "░": ".",
    "▒": "+",
    "┃": "|",
}


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Our own signs as ASCII, anything else as an escape: a minus must never become a question
    mark.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return (
        "".join(
            SPELLED.get(sign) or sign.encode("ascii", "backslashreplace").decode("ascii")
            for sign in text
        ),
        error.end,
    )


codecs.register_error("steelyard.spell", _spell)


def write(text: str, stream: TextIO | None = None) -> None:
    """Write to stdout, or `stream`; a reader that has gone ends the command quietly."""
    stream = stream or sys.stdout
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="steelyard.spell")
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        # the interpreter flushes once more at its end: let that go nowhere
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            raise typer.Exit from error
        raise


def note(text: str) -> None:
    """One message on stderr, characters that a terminal would obey shown instead."""
    from steelyard.report import visible

    write("\n".join(map(visible, text.split("\n"))) + "\n", sys.stderr)


def screen(draw: Callable[[Console], None]) -> str:
    """What `draw` prints, for the window or the pipe that stdout is."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(
            highlight=False, markup=False, emoji=False, width=max(console.width, PIPE_WIDTH)
        )
    with console.capture() as capture:
        draw(console)
    return capture.get()


def save(path: Path, text: str, what: str, mend: str = "Name another file with --report.") -> None:
    """Write a file whole or not at all; raises InputError saying what did not happen, and how to
    `mend` it.
    """
    from steelyard.errors import InputError

    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"The {what} could not be written to {path}: {reason}. Nothing was written. {mend}"
        ) from error


def _umask() -> int:
    """The permissions that the user's new files do not get; asking means setting, so it is set back
    at once.
    """
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def guarded() -> Iterator[None]:
    """A failure inside becomes a message and an exit code; a bug of ours keeps its traceback."""
    from steelyard.errors import SteelyardError

    try:
        yield
    except SteelyardError as error:
        note(str(error))
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as error:
        note("Interrupted. No order exists; nothing was sent.")
        raise typer.Exit(INTERRUPTED) from error
    except OSError as error:
        note(f"The output could not be written: {error.strerror or error}. Nothing was sent.")
        raise typer.Exit(FAILED) from error


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Say on stderr what takes longer than a second, where stderr is a terminal; leaves no trace.

    The block gets a function that says something else from then on.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    status = Console(stderr=True, highlight=False).status(text)
    timer = threading.Timer(PATIENCE_SECONDS, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield status.update
    finally:
        timer.cancel()
        timer.join()
        status.stop()


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Notes how long the parts of a command took: pairs of what and seconds, in order."""

    taken: list[tuple[str, float]] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Note how long the block took."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.taken.append((what, time.perf_counter() - start))

    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.started

"""Screens, pipes, files, messages and exit codes: everything a command does with its result.

What is printed is rendered whole and written at once. What an encoding cannot carry is spelled out,
a reader who leaves early is no error, and a failure is one message on stderr, never a traceback.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import select
import shutil
import stat
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.errors import Fault, InputError, SteelyardError

FAILED = 1
STORE_FAILED = 70
"""The database is locked, damaged, read-only, full or of a later version."""
ERROR_FORM = "steelyard.error/1"
"""Form of the document of a failure; docs/error-schema.json is its schema."""
OTHER_REPORT = "Name another file with --report."
UNWRITTEN = "Nothing was written."
REPORT = "report"
PAGE = b"<!doctype html>"
KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "a link to another file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
"""What stands at a path -> how a message calls it."""
PIPE_WIDTH = 160
"""Columns of what is not a window: room for every column of every table."""
LEAST_WIDTH = 20
"""Columns of a window under which its lines are not broken any shorter."""
SIGNALLED: list[str] = []
"""What a signal says, where it is not the usual line; read by `__main__`."""
ALERTED: list[str] = []
"""Alerts of this command, which then ends with 1 whatever came of it."""
PATIENCE_SECONDS = 1.0
"""What takes longer shows that it is at work."""

SPELLED = {
    "\u2212": "-", "\u00a0": " ", "\u202f": " ", "→": "->", "·": "|",
    "▲": "^", "▼": "v", "█": "#", "░": ".", "▒": "+", "┃": "|",
}  # fmt: skip


def _spell(error: UnicodeError) -> tuple[str, int]:
    """Our own signs as ASCII, others as escapes: a minus must never become a question mark."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    signs = error.object[error.start : error.end]
    spelled = (SPELLED.get(sign) or ascii(sign)[1:-1] for sign in signs)
    return "".join(spelled), error.end


codecs.register_error("steelyard.spell", _spell)


def write(text: str, stream: TextIO | None = None) -> bool:
    """Write to stdout, or `stream`; to a reader that has gone, nothing: the exit code stands.

    False: the reader has gone just now.
    """
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
        if not isinstance(error, BrokenPipeError):
            raise
        return False
    return True


def if_signalled(text: str) -> None:
    """What a signal says from now on, in place of the usual line; "" = that."""
    SIGNALLED[:] = [text] if text else []


def gone(seconds: float) -> bool:
    """Wait; has the reader of stdout gone meanwhile? Where nobody can tell, no."""
    try:
        poller = select.poll()
        poller.register(sys.stdout.fileno(), 0)
    except (AttributeError, OSError, ValueError):  # no such call on Windows, no file in a test
        time.sleep(seconds)
        return False
    return bool(poller.poll(1000 * seconds))


def write_json(document: object) -> None:
    """Write one JSON document to stdout; what a terminal would obey is an escape of JSON."""
    from steelyard.report import visible

    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
    write("\n".join(map(visible, text.split("\n"))) + "\n")


def write_error(faults: Sequence[Fault], first: Fault | None = None) -> None:
    """Write what failed as one JSON document to stdout: the whole, and each thing that is wrong."""
    whole = first or faults[0]
    errors = [asdict(fault) for fault in faults]
    write_json({"schema": ERROR_FORM, "error": asdict(whole), "errors": errors})


def note(text: str) -> None:
    """One message on stderr, characters that a terminal would obey shown instead.

    On a terminal lines break between words; what is longer than a line stays whole, to be copied.
    """
    from steelyard.report import visible

    lines: Iterable[str] = map(visible, text.split("\n"))
    if sys.stderr.isatty():
        width = max(LEAST_WIDTH, shutil.get_terminal_size().columns)
        lines = chain.from_iterable(map(partial(_broken, width), lines))
    write("\n".join(lines) + "\n", sys.stderr)


def _broken(width: int, line: str) -> list[str]:
    return textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]


def screen(draw: Callable[[Console], None]) -> str:
    """What `draw` prints, for the window or the pipe that stdout is."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = max(console.width, PIPE_WIDTH)
    with console.capture() as capture:
        draw(console)
    return capture.get()


def writable(path: Path, what: str, mend: str, *, done: str = "Nothing was planned.") -> None:
    """Raise InputError unless a path is free or a regular file: nothing else may be replaced."""
    from steelyard.errors import InputError

    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        if path.parent.is_dir():
            return
        raise InputError(
            f"The {what} could not be written to {path}: there is no folder {path.parent}. {done} "
            f"{mend}",
            code="no_folder",
            place=str(path),
            value=str(path.parent),
            hint=mend,
        ) from None
    except (OSError, ValueError) as error:
        raise _unwritten(path, what, error, done, mend) from error
    if not stat.S_ISREG(mode):
        kind = next((kind for is_kind, kind in KINDS if is_kind(mode)), "no regular file")
        rule = "only a new file or a regular one is written"
        raise InputError(
            f"The {what} is not written to {path}: it is {kind}, and {rule}. {done} {mend}",
            code="not_a_regular_file",
            place=str(path),
            value=kind,
            limit=rule,
            hint=mend,
        )
    if what == REPORT and not _is_page(path):
        raise InputError(
            f"The {what} is not written to {path}: that file is no report, and would be lost. "
            f"{done} {mend}",
            code="not_a_report",
            place=str(path),
            hint=mend,
        )


def _is_page(path: Path) -> bool:
    """Is it empty, or HTML? Somebody's holdings must not become a page."""
    with path.open("rb") as file:
        begins = file.read(len(PAGE)).lower()
    return not begins or begins == PAGE


def save(path: Path, text: str, what: str, mend: str = OTHER_REPORT) -> None:
    """Write a file whole or not at all; raises InputError, which says how to `mend` it."""
    writable(path, what, mend, done=UNWRITTEN)
    part = path.with_name(f".{path.name[:100]}.{os.urandom(8).hex()}")
    try:
        # x: a file of that name is not ours to write to
        with part.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        part.replace(path)
    except (OSError, ValueError) as error:
        raise _unwritten(path, what, error, UNWRITTEN, mend) from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            part.unlink(missing_ok=True)


def _unwritten(path: Path, what: str, error: Exception, done: str, mend: str) -> InputError:
    from steelyard.errors import InputError

    reason = getattr(error, "strerror", None) or str(error)
    return InputError(
        f"The {what} could not be written to {path}: {reason}. {done} {mend}",
        code="unwritable",
        place=str(path),
        value=reason,
        hint=mend,
    )


@contextmanager
def guarded(nothing: str = "") -> Iterator[None]:
    """A failure inside becomes a message and an exit code; a bug of ours keeps its traceback.

    nothing   what the command has not done, said for `Nothing was planned.`
    """
    from steelyard.errors import SteelyardError

    ALERTED.clear()
    try:
        yield
    except SteelyardError as error:
        meant = _of_another(error, nothing) if nothing else error
        note(str(meant))
        raise typer.Exit(exit_code(error)) from meant
    except OSError as error:
        note(f"The output could not be written: {error.strerror or error}. Nothing was sent.")
        raise typer.Exit(FAILED) from error
    if ALERTED:
        raise typer.Exit(FAILED)


def exit_code(error: SteelyardError) -> int:
    """With what a command ends that fails by it."""
    from steelyard.errors import StoreError

    return STORE_FAILED if isinstance(error, StoreError) else FAILED


def _of_another(error: SteelyardError, nothing: str) -> SteelyardError:
    """The error of a command that does not plan: every sentence says what that has not done."""
    from steelyard.errors import SteelyardError
    from steelyard.importers.values import NOTHING

    # a sentence may go on after it: "Nothing was planned: save it as UTF-8."
    old, new = NOTHING.removesuffix("."), nothing.removesuffix(".")

    def meant(fault: Fault) -> Fault:
        within = f"{old[:1].lower()}{old[1:]}", f"{new[:1].lower()}{new[1:]}"
        message = fault.message.replace(old, new).replace(*within)
        message = message.replace("and plan again.", "and try again.")
        return replace(fault, message=message)

    whole = meant(error.fault)
    faults = [meant(fault) for fault in error.faults]
    other = SteelyardError(whole.message, code=error.fault.code, faults=faults)
    other.fault = whole
    return other


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Say on a terminal what takes over a second; the block gets a function to say otherwise."""
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

    parts: list[tuple[str, float]] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Note how long the block took."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.parts.append((what, time.perf_counter() - start))

    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self.started

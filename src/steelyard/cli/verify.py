"""`steelyard verify PLAN`: the accounts, limits and sums of a saved plan, derived anew."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from steelyard.cli.output import FAILED, guarded, note, screen, write
from steelyard.cli.saved import is_id, saved

if TYPE_CHECKING:
    from steelyard.plans.verify import Report

MAX_BYTES = 64 * 1024 * 1024
STDIN = Path("-")
SHOWN = 20
"""Figures that disagree, told one by one; --json tells all."""


def verify(
    plan: Annotated[
        str,
        Argument(
            help="A plan that was saved with --json, or a stored one by its id; - reads stdin.",
            metavar="ID|PLAN.json",
            show_default=False,
        ),
    ],
    *,
    as_json: Annotated[
        bool, Option("--json", help="Print the findings as one JSON document.")
    ] = False,
) -> None:
    """Check a saved plan: derive its accounts, limits and sums anew.

    Exits with 1 when a figure disagrees.
    """
    with guarded():
        from steelyard.plans import verify as second

        text = saved(plan).text if is_id(plan) else read(Path(plan))
        document = second.load(text)
        report = second.check(document)
        if as_json:
            write(json.dumps(findings(document, report), indent=2, ensure_ascii=False) + "\n")
        else:
            write(_shown(plan, report))
        if not report.ok:
            note(f"{second.summary(report)}. Do not trade on this plan: plan again.")
            raise typer.Exit(FAILED)


def read(path: Path) -> str:
    """The text of a file, `-` of stdin; raises InputError for what is no text, no regular file or
    too large.
    """
    from steelyard.errors import InputError

    try:
        if path == STDIN:
            # one byte too many is told by the reader of plans
            return sys.stdin.buffer.read(MAX_BYTES + 1).decode("utf-8-sig")
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InputError(
                f"The plan {path} is not a file. Nothing was checked.",
                code="plan_unreadable",
                place=str(path),
            )
        if status.st_size > MAX_BYTES:
            size = f"{status.st_size:,} bytes; at most {MAX_BYTES:,} are read"
            raise InputError(
                f"The plan {path} has {size}. Nothing was checked.",
                code="plan_too_large",
                place=str(path),
                value=status.st_size,
                limit=MAX_BYTES,
            )
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not text in UTF-8: byte {error.start:,}"
        raise InputError(
            f"The plan {path} {what}. Nothing was checked.",
            code="plan_not_text",
            place=str(path),
            value=f"byte {error.start}",
            limit="UTF-8",
        ) from error
    except (OSError, ValueError) as error:
        what = f"could not be read: {getattr(error, 'strerror', None) or error}"
        raise InputError(
            f"The plan {path} {what}. Nothing was checked.", code="plan_unreadable", place=str(path)
        ) from error


def findings(document: dict[str, Any], report: Report) -> dict[str, Any]:
    """What was found, as plain JSON values."""
    from steelyard.plans.verify import not_read, summary

    return {
        "plan_id": document.get("plan_id"),
        "ok": report.ok,
        "edited": report.edited,
        "summary": summary(report),
        "checked": report.checked,
        "disagree": [
            {name: getattr(check, name) for name in ("name", "where", "expected", "found")}
            for check in report.failed
        ],
        "not_read": not_read(report),
        "unchecked_fields": [{"field": field, "why": why} for field, why in report.unchecked],
        "not_checked": [{"what": what, "why": why} for what, why in report.not_checked],
    }


def _shown(name: str, report: Report) -> str:
    from rich.console import Console

    from steelyard.plans.verify import left_out, not_read, summary
    from steelyard.plans.verify.unchecked import in_short
    from steelyard.report.terminal.columns import sentence

    def draw(console: Console) -> None:
        def say(text: str, indent: int = 0) -> None:
            for line in sentence(text, console.width, indent=indent):
                console.print(line, soft_wrap=True)

        say(f"{name}: {summary(report)}")
        if report.edited:
            say("The plan was changed after it was made: its content does not give its plan_id.")
        if unread := not_read(report):
            what = f"{len(unread)} field{'s' * (len(unread) > 1)} not read, of a later version or"
            say(f"{what} misspelt: {in_short(unread)}.")
        for check in report.failed[:SHOWN]:
            console.print()
            say(f"{check.where}: {check.name}")
            say(f"expected {check.expected or 'nothing'}, found {check.found or 'nothing'}", 2)
        if len(report.failed) > SHOWN:
            console.print()
            say(f"and {len(report.failed) - SHOWN:,d} more; --json tells all")
        console.print()
        say("Not checked:")
        for what, why in report.not_checked:
            say(f"{what}: {why}", 2)
        if left_out(report):
            say(f"Fields in which a change may go unseen; --json says why: {left_out(report)}.")

    return screen(draw)

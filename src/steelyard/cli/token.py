"""`steelyard token`: who may ask the services what: create, list, revoke, link."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typer import Argument, Option

from steelyard.cli import pages_address
from steelyard.cli.commands import Commands
from steelyard.cli.output import guarded, note, screen, write, write_json
from steelyard.environment import VARIABLE, command, home

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import Console

    from steelyard.services.security.book import Entry

token = Commands(help="Tokens of the services: create, list, revoke; links to the pages.")
AsJson = Annotated[bool, Option("--json", help="Print one JSON document.")]
DAYS, MOST_DAYS = 90, 3660
NOTHING = "Nothing was changed."
PATIENCE_S = 1.0


@token.command("create")
def create(
    *,
    role: Annotated[
        Literal["viewer", "planner", "operator", "admin"],
        Option("--role", help="What it may do; each may do what those before it may."),
    ],
    days: Annotated[
        int, Option("--days", help="After which it ends.", min=1, max=MOST_DAYS, metavar="N")
    ] = DAYS,
) -> None:
    """Create a token and print it, this once; only its hash is kept."""
    with guarded(NOTHING):
        from steelyard.services.security.book import create as created

        secret, entry = created(home(os.environ), role, days, _now())
        end = f"{entry.expires_at:%Y-%m-%d}"
        note(f"Token {entry.id}, {role}, until {end}. It is shown this once: keep it secret.")
        write(f"{secret}\n")


@token.command("list")
def list_(*, as_json: AsJson = False) -> None:
    """List the tokens: what each may do, until when, and how it ends."""
    with guarded():
        from steelyard.services.security.book import entries

        listed, now = entries(home(os.environ)), _now()
        if as_json:
            write_json([_entry(entry, now) for entry in listed])
        elif listed:
            write(screen(lambda console: _draw(listed, now, console)))
        else:
            note("There is no token. To create one: steelyard token create --role viewer")


@token.command("revoke")
def revoke(
    token_id: Annotated[str, Argument(help="As listed.", metavar="ID")], *, as_json: AsJson = False
) -> None:
    """End a token; running services refuse it from their next request on."""
    with guarded(NOTHING):
        from steelyard.services.security.book import revoke as revoked

        now = _now()
        entry = revoked(home(os.environ), token_id, now)
        if as_json:
            write_json(_entry(entry, now))
        else:
            write(f"Token {entry.id}, {entry.role}, ending in {entry.last4}, is revoked.\n")


@token.command("link")
def link(
    *,
    role: Annotated[
        Literal["viewer", "planner", "operator", "admin"],
        Option("--role", help="What who uses it may do."),
    ] = "admin",
    port: Annotated[
        int | None,
        Option("--port", help="Where the pages are served.", min=1, max=65535, metavar="N"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print a link that signs a browser in to the pages, once, within 15 minutes."""
    with guarded("No link was made."):
        from steelyard.cli.serve import check_installed

        check_installed()

        from steelyard.services.house import open_house
        from steelyard.services.reading.file import read
        from steelyard.services.running.ports import port_of_one
        from steelyard.store.sign_ins import LINK_LIVES
        from steelyard.web.signing import new_link

        pages_address.check_database(os.environ, "No link was made.")
        own = pages_address.kept_or(os.environ, "")
        usual = own or _local(port_of_one("ui", read(os.environ).topology, os.environ))
        base = usual if port is None else _local(port)
        with open_house(os.environ) as house:
            address = new_link(house.store(), role, base)
        minutes = int(LINK_LIVES.total_seconds() // 60)
        if as_json:
            write_json({"link": address, "role": role, "minutes": minutes})
            return
        note(f"It signs in once, as {role}, within {minutes} minutes. Keep it secret.")
        _tell_who_listens(base, own)
        write(f"{address}\n")


def _local(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _tell_who_listens(base: str, own: str) -> None:
    """What keeps a link from working; own: where pages of this home were shown last, or ""."""
    import socket
    from urllib.parse import urlsplit

    url = urlsplit(base)
    try:
        socket.create_connection((url.hostname or "", url.port or 443), PATIENCE_S).close()
    except OSError:
        serve = command(os.environ, "serve ui")
        note(f"Nothing listens at {url.netloc} now. To show the pages there: {serve}")
        return
    if base != own:
        note(
            f"The home {home(os.environ)} has not shown its pages at {url.netloc}: pages of "
            f"another home do not take this link. Those of another: {VARIABLE}=F steelyard token "
            "link"
        )


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _entry(entry: Entry, now: datetime) -> dict[str, Any]:
    return {
        "id": entry.id,
        "role": entry.role,
        "state": entry.state(now),
        "created_at": entry.created_at.isoformat(),
        "expires_at": entry.expires_at.isoformat(),
        "last4": entry.last4,
    }


def _draw(listed: tuple[Entry, ...], now: datetime, console: Console) -> None:
    from steelyard.report.terminal.columns import Column, Row, table

    columns = (
        Column("Token"),
        Column("Role"),
        Column("State"),
        Column("Until"),
        Column("Created", drop=1),
        Column("Ends in", drop=2),
    )
    rows = [
        Row(
            (
                entry.id,
                entry.role,
                entry.state(now),
                f"{entry.expires_at:%Y-%m-%d}",
                f"{entry.created_at:%Y-%m-%d}",
                entry.last4,
            )
        )
        for entry in listed
    ]
    table(console, columns, rows)

"""`steelyard serve`: the planner's services on this machine, all of them or one.

`all` starts a process for each instance and looks after them; one service runs in this process.
Where there are pages for people, a link is printed that signs in once.
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Argument, Option

from steelyard.cli import pages_address
from steelyard.cli.output import guarded, if_signalled, note, write
from steelyard.environment import home
from steelyard.report import visible

if TYPE_CHECKING:
    from steelyard.services.running.ports import Ports
    from steelyard.services.running.reach import Reach
    from steelyard.services.topology import Application, Topology

LOGGER = logging.getLogger("steelyard.serve")
What = Literal["all", "ui", "api", "opportunity", "generator", "evaluator", "coordinator"]
NOTHING = "Nothing was started."
NOT_INSTALLED = 'pip install "steelyard[server]"'
NEEDS = (
    "fastapi",
    "httpx2",
    "prometheus_client",
    "python_multipart",
    "stamina",
    "structlog",
    "uvicorn",
    "yaml",
)
"""What the extra brings."""
PAGES = ("coordinator", "ui")
"""What shows pages."""
ENDED = "The services have ended. Nothing was sent."
LAST_PORT = 65_535


def serve(
    what: Annotated[What, Argument(help="All, or which one.", show_default=True)] = "all",
    *,
    port: Annotated[
        int | None,
        Option("--port", help="Where one service listens.", min=1, max=LAST_PORT, metavar="N"),
    ] = None,
    base_port: Annotated[
        int | None,
        Option(
            "--base-port",
            help="Of all: the opportunity service's port; the others keep their distance.",
            min=0,
            max=LAST_PORT,
            metavar="N",
        ),
    ] = None,
    evaluators: Annotated[
        int | None,
        Option("--evaluators", help="Of all: how many.", min=1, max=64, metavar="N"),
    ] = None,
    expose: Annotated[
        bool,
        Option("--expose", help="Let other machines ask, over TLS; of all: the coordinator."),
    ] = False,
    cert: Annotated[
        Path | None, Option("--cert", help="Certificate with its chain, PEM.", metavar="F")
    ] = None,
    key: Annotated[Path | None, Option("--key", help="Its key, PEM.", metavar="F")] = None,
) -> None:
    """Serve plans to programs and pages to people on this machine, until Ctrl-C.

    Nothing here holds the keys of a broker.
    """
    _check_usage(what, port, base_port, evaluators)
    if_signalled(ENDED)
    with guarded(NOTHING):
        check_installed()
        _drop_keys()
        if what == "all":
            from steelyard.services.running.nursery import begin

            begin(os.environ)
        from steelyard.services.running.ports import port_of_one, ports_of

        topology = _topology()
        reach = _reach(topology, what, _Tls(expose, cert, key))
        if what == "all":
            _all(topology, reach, ports_of(topology, base_port, evaluators))
        else:
            _one(topology, reach, what, port or port_of_one(what, topology, os.environ))


@dataclass(frozen=True, slots=True)
class _Tls:
    """What the options say of other machines."""

    expose: bool
    cert: Path | None
    key: Path | None


def _check_usage(what: What, port: int | None, base_port: int | None, many: int | None) -> None:
    if what == "all" and port is not None:
        instead = "--base-port moves all of them"
        raise typer.BadParameter(f"it is for one service; {instead}.", param_hint="--port")
    for option, value in (("--base-port", base_port), ("--evaluators", many)):
        if what != "all" and value is not None:
            raise typer.BadParameter("it is for serve all.", param_hint=option)


def check_installed() -> None:
    """Raise InputError where the extra is missing; looks, and imports nothing."""
    from importlib.util import find_spec

    from steelyard.errors import InputError

    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise InputError(
            f"Serving needs {', '.join(missing)}, not installed here. {NOTHING} Install it: "
            f"{NOT_INSTALLED}",
            code="no_server",
            place="serve",
            value=missing[0],
            hint=NOT_INSTALLED,
        )


def _drop_keys() -> None:
    """Keys of brokers are not in the environment of a service."""
    from steelyard.services.running.nursery import without_keys

    for name in os.environ.keys() - without_keys(os.environ).keys():
        del os.environ[name]


def _topology() -> Topology:
    from steelyard.services.reading.file import read

    reading = read(os.environ)
    for key in reading.ignored:
        note(f"{key} has no effect: retries and questions of health go by deadlines.")
    return reading.topology


def _reach(topology: Topology, what: What, tls: _Tls) -> Reach:
    """From where it is asked; a usage error for --expose without a certificate."""
    from steelyard.services.running.certificates import certificate_of
    from steelyard.services.running.reach import LOCAL, exposed, own_names, usual

    if not tls.expose:
        if tls.cert or tls.key:
            raise typer.BadParameter("it is for --expose.", param_hint="--cert")
        return LOCAL if what == "all" else usual(topology, os.environ, own_names())
    cert, key = tls.cert or topology.tls.cert, tls.key or topology.tls.key
    if cert is None or key is None:
        files = "--cert F and --key F, or cert and key in [services.tls] of services.toml"
        raise typer.BadParameter(
            f"other machines are answered over TLS only: it needs {files}. {NOTHING}",
            param_hint="--expose",
        )
    return exposed(certificate_of(cert, key), (*topology.tls.names, *own_names()))


def _all(topology: Topology, reach: Reach, ports: Ports) -> None:
    from steelyard.services.running.serving import Household

    count = sum(map(len, ports.values()))
    note(f"Starting {count} services. Their addresses follow when all are well.")
    with Household(ports, topology, os.environ, reach) as household:
        rows = [_Row(each.name, each.port, each.pid) for each in household.members]
        _announce(reach, rows)

        from steelyard.telemetry import structured

        structured.log_to(sys.stderr, "serve")  # from here on it is one log, with the times
        household.watch(LOGGER.warning)


def _one(topology: Topology, reach: Reach, what: Application, port: int) -> None:
    from steelyard.services.running.orders import Order
    from steelyard.services.running.sockets import bound

    sockets = bound(reach.addresses, port)  # before what takes long to import

    from steelyard.services.running.process import run

    order = Order(what, topology, os.environ, reach)
    run(order, sockets, lambda: _announce(reach, [_Row(what, port, os.getpid())]))


@dataclass(frozen=True, slots=True)
class _Row:
    """A process that is announced."""

    name: Application
    port: int
    pid: int


def _announce(reach: Reach, rows: Sequence[_Row]) -> None:
    """Say who listens where at once, and then, last, how a person signs in."""
    write(_announced(reach, rows))
    last = rows[-1]
    lines = _signing_in(last, _url(last, reach, alone=len(rows) == 1))
    write("".join(f"{visible(line)}\n" for line in lines))


def _announced(reach: Reach, rows: Sequence[_Row]) -> str:
    """A line for each process, where the token is, and what to try."""
    from steelyard.services.security.tokens import FILE, VARIABLE

    urls = {row: _url(row, reach, alone=len(rows) == 1) for row in rows}
    width = max(map(len, urls.values()))
    lines = [f"{row.name:<11}  {url:<{width}}  pid {row.pid}" for row, url in urls.items()]
    if os.environ.get(VARIABLE):
        secret, where = f"${VARIABLE}", f"is that of {VARIABLE}"
    else:
        path = str(home(os.environ) / FILE)
        secret, where = f"$(cat {shlex.quote(path)})", f"lies in {path}"
    last = rows[-1]
    shown = "/presets" if last.name in {"coordinator", "api", "ui"} else "/openapi.json"
    lines.append(f"The token {where}. To try it:")
    secure = urls[last].startswith("https:") and reach.certificate
    trust = f"--cacert {shlex.quote(str(secure.cert))} " if secure else ""
    lines.append(f'  curl -s {trust}-H "Authorization: Bearer {secret}" {urls[last]}{shown}')
    return "".join(f"{visible(line)}\n" for line in lines)


def _signing_in(row: _Row, url: str) -> list[str]:
    """The link to the pages, where this process or one of its children shows them."""
    if row.name not in PAGES:
        return []
    from steelyard.services.house import House
    from steelyard.web.signing import new_link

    house = House(os.environ)
    try:
        link = new_link(house.store(), "admin", url)
    finally:
        house.close()
    pages_address.keep(os.environ, url)
    return ["Pages for people; this link signs in once, within 15 minutes:", f"  {link}"]


def _url(row: _Row, reach: Reach, *, alone: bool) -> str:
    if reach.certificate is None or not (alone or row.name == "coordinator"):
        return f"http://127.0.0.1:{row.port}"
    return f"https://{reach.names[0]}:{row.port}"

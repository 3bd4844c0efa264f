"""The pages on the bundled portfolio: a home of its own, a core and a satellite, a first plan.

Everything is kept in build/demo-ui, so that the next start goes on with it; `--fresh` begins anew.
A runner with the paper broker stands by: what is approved is traded on paper. Ctrl-C ends all.

    python scripts/demo_ui.py [--port N] [--fresh] [--home F]
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

from steelyard import importers, samples
from steelyard.runs.listed_plans import listed
from steelyard.runs.settings import New, create
from steelyard.runs.stored import load
from steelyard.samples import sample
from steelyard.services.api.keeping import planned
from steelyard.services.house import open_house
from steelyard.store.buckets import buckets
from steelyard.store.store import Store

ROOT = Path(__file__).parents[1]
QUOTES = Path(samples.__file__).parent / "quotes" / "prices.csv.gz"
STEELYARD = (sys.executable, "-m", "steelyard")
PORT = 8011
PORTS = 20
"""So many are tried."""
SATELLITE = "factors"
OWNED = "symbol,quantity,acquired\nMTUM,24,2019-05-02\nVLUE,30,2020-04-01\nCASH:USD,1800,\n"
AIMS = "symbol,weight\nMTUM,0.40\nVLUE,0.30\nUSMV,0.15\n"
PATIENCE_S = 10.0
STOPPED = {0, 130, 143, -signal.SIGINT, -signal.SIGTERM}


def main() -> None:
    """Seed the home where it is empty, and serve it until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=None)
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    parser.add_argument("--home", type=Path, default=ROOT / "build" / "demo-ui")
    options = parser.parse_args()
    home: Path = options.home.absolute()
    if options.fresh:
        shutil.rmtree(home, ignore_errors=True)
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        seeded(home)
        served(home, options.port or free_port())
    except KeyboardInterrupt:
        say("\nAll has ended. What was made stays in " + str(home))


def seeded(home: Path) -> None:
    """A core and a satellite; nothing where they are there already."""
    with open_house(surroundings(home)) as house:
        store = house.store()
        if buckets(store):
            say(f"Going on with {home}; --fresh begins anew.")
            return
        say(f"Making a home of its own: {home}")
        core(store)
        satellite(store, home)


def first_plans(home: Path) -> None:
    """A plan of each bucket that has none yet."""
    begun = time.monotonic()
    with open_house(surroundings(home)) as house:
        there = {entry.row.bucket for entry in listed(house.store())}
        for name in ("core", SATELLITE):
            if name not in there:
                plan = planned(house, name, 0).plan
                say(f"  {name}: {plan.verdict.action}, orders: {len(plan.steps)}")
    if not there:
        say(f"The first plans took {time.monotonic() - begun:.1f} s.")


def core(store: Store) -> None:
    """The bundled portfolio."""
    files = sample("growth")
    read = importers.read(
        files.holdings,
        prices=files.prices,
        targets=files.targets,
        securities=files.securities,
        index=files.index,
    )
    load(store, "core", importers.assemble(read, base_currency=files.base_currency), ())


def satellite(store: Store, home: Path) -> None:
    """A few funds beside it, of the same prices."""
    folder = home / "files"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "holdings.csv").write_text(OWNED)
    (folder / "targets.csv").write_text(AIMS)
    read = importers.read(folder / "holdings.csv", targets=folder / "targets.csv", prices=QUOTES)
    day: date = importers.assemble(read).snapshot.as_of
    create(store, New(SATELLITE, "satellite", "active", 0.08, ()), preset="momentum_hunter")
    load(store, SATELLITE, importers.assemble(read, as_of=day), ())


def served(home: Path, port: int) -> None:
    """The pages and the runner, until one of them ends or Ctrl-C."""
    environment = surroundings(home)
    pages = subprocess.Popen(
        [*STEELYARD, "serve", "ui", "--port", str(port)],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    with ended(pages):
        runner = subprocess.Popen(
            [*STEELYARD, "runner"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with ended(runner):
            first_plans(home)
            say(f"At http://127.0.0.1:{port} until Ctrl-C; the link that signs in stands here:")
            code = pages.wait()
    if code not in STOPPED:
        sys.exit(f"The pages ended with {code}. To see why: steelyard serve ui --port {port}")


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process at the end, gently first."""
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        process.kill()


def surroundings(home: Path) -> Mapping[str, str]:
    """This environment with another home, and without keys of a broker."""
    others = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("APCA_", "STEELYARD_"))
    }
    return {**others, "STEELYARD_HOME": str(home)}


def free_port() -> int:
    """The usual port, or the next that nobody listens at."""
    for port in range(PORT, PORT + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    sys.exit(f"Ports {PORT} to {PORT + PORTS - 1} are all in use. Name another: --port N")


def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main()

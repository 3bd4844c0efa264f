"""The pages on the bundled portfolio: a home of its own, a core and a satellite, a first plan.

Everything is kept in build/demo-ui, so that the next start goes on with it; `--fresh` begins anew.
A runner with the paper broker stands by: what is approved is traded on paper. Ctrl-C ends all.

    python scripts/demo_ui.py [--port N] [--fresh] [--home F]
"""

from __future__ import annotations

import argparse
import os
import shlex
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
from steelyard.environment import VARIABLE
from steelyard.runs.listed_plans import listed
from steelyard.runs.settings import New, create
from steelyard.runs.stored import load
from steelyard.samples import sample
from steelyard.services.api.keeping import planned
from steelyard.services.house import open_house
from steelyard.store.buckets import buckets
from steelyard.store.store import Store
from steelyard.web.signing import new_link

ROOT = Path(__file__).parents[1]
QUOTES = Path(samples.__file__).parent / "quotes" / "prices.csv.gz"
STEELYARD = (sys.executable, "-m", "steelyard")
PORT = 8011
PORTS = 20
"""So many are tried."""
SATELLITE = "factors"
OWNED = "symbol,quantity,acquired\nMTUM,24,2019-05-02\nVLUE,30,2020-04-01\nCASH:USD,1800,\n"
AIMS = "symbol,weight\nMTUM,0.40\nVLUE,0.30\nUSMV,0.15\n"
PATIENCE_S = 5.0
LOOKS_EVERY_S = 0.25
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
    # of a job in the background a shell lets SIGINT be ignored, and children would inherit that
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
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
        say(f"Making a home of its own, which takes some seconds: {home}")
        core(store)
        satellite(store, home)


def first_plans(home: Path) -> None:
    """A plan of each bucket that has none yet."""
    begun = time.monotonic()
    with open_house(surroundings(home)) as house:
        there = {entry.row.bucket for entry in listed(house.store())}
        for name in ("core", SATELLITE):
            if name not in there:
                say(f"Planning {name} ...")
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
    url = f"http://127.0.0.1:{port}"
    with (
        ended(started(home, "serve", "ui", "--port", str(port))) as pages,
        ended(started(home, "runner")) as runner,
    ):
        first_plans(home)
        say(f"Starting the pages at {url} ...")
        if listens(pages, port):
            sign_in(home, url)
        while pages.poll() is None and runner.poll() is None:
            time.sleep(LOOKS_EVERY_S)
    if pages.returncode not in STOPPED or runner.returncode not in STOPPED:
        sys.exit(
            f"The pages ended with {pages.returncode}, the runner with {runner.returncode}. To see "
            f"why: {of_home(home)} steelyard serve ui --port {port}"
        )


def started(home: Path, *command: str) -> subprocess.Popen[bytes]:
    """A command of Steelyard beside this; what it says would stand among what is said here."""
    return subprocess.Popen(
        [*STEELYARD, *command],
        env=surroundings(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until something listens at a port; False where the process ended before."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(LOOKS_EVERY_S)
    return False


def sign_in(home: Path, url: str) -> None:
    """The link, after everything else."""
    with open_house(surroundings(home)) as house:
        link = new_link(house.store(), "admin", url)
    say(f"For commands beside these pages: export {of_home(home)}")
    say("Ctrl-C ends all. Open this in a browser; it signs in once, within 15 minutes:")
    say(f"  {link}")


def of_home(home: Path) -> str:
    """What a shell puts before a command that is to act on a home."""
    return f"{VARIABLE}={shlex.quote(str(home))}"


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End a process at the end, gently first."""
    try:
        yield process
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        process.kill()
        process.wait()


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

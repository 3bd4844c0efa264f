"""Execute a plan, kill the process half way, resume, reconcile: the bundled portfolios, on paper.

Each portfolio becomes the bucket core of a home of its own, in a temporary folder that goes again.
Every rail is on. What was promised is looked up in the broker's own file; exit 1 where it is not
so.

    python scripts/demo_execute.py            growth and euro
    python scripts/demo_execute.py growth     one of them
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from steelyard import samples

SAMPLES = Path(samples.__file__).parent
QUOTES = SAMPLES / "quotes"
MORE: Mapping[str, Sequence[str]] = {
    "growth": (),
    "euro": ("--fx", str(QUOTES / "fx.csv.gz"), "--base", "EUR"),
}
STEELYARD = (sys.executable, "-m", "steelyard")
SLOWLY, AT_ONCE = "0.02", "0"
"""Real seconds for each of the paper broker's: slowly enough to be killed half way."""
PATIENCE_S = 120.0


class Home:
    """A portfolio in a home of its own, and the commands that are typed there."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder

    def start(self, *words: str, pace: str = AT_ONCE) -> subprocess.Popen[str]:
        """A command, on its way."""
        shown = " ".join(Path(word).name if word.startswith("/") else word for word in words)
        say(f"\n$ steelyard {shown}")
        environment = {name: text for name, text in os.environ.items() if name[:5] != "APCA_"}
        environment |= {"STEELYARD_HOME": str(self.folder), "STEELYARD_PAPER_PACE": pace}
        environment.pop("STEELYARD_DATABASE", None)
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*STEELYARD, *words], env=environment, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *words: str) -> str:
        """What a command says; exits where it fails."""
        process = self.start(*words)
        text, words = process.communicate()
        say(words.rstrip())
        if process.returncode:
            sys.exit(f"{text}\nexit code {process.returncode}")
        return text

    def rows(self, file: str, query: str) -> list[Any]:
        """Of a database here; none before there is one."""
        place = self.folder / file
        if not place.exists():
            return []
        store = sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=5)
        try:
            return store.execute(query).fetchall()
        except sqlite3.OperationalError:
            return []  # it is just being made
        finally:
            store.close()


def main() -> None:
    """Each portfolio that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", nargs="?", choices=[*MORE])
    chosen = parser.parse_args().name
    for name in MORE if chosen is None else [chosen]:
        with tempfile.TemporaryDirectory(prefix="steelyard-") as folder:
            show(Home(name, Path(folder)))


def show(home: Home) -> None:
    """The whole story of one portfolio."""
    say(f"\n=== {home.name}: its bucket is loaded and planned")
    files = SAMPLES / home.name
    home.run(
        "bucket", "load", "core", "--holdings", str(files / "holdings.csv"),
        "--targets", str(files / "targets.csv"), "--securities", str(SAMPLES / "securities.csv"),
        "--prices", str(QUOTES / "prices.csv.gz"), *MORE[home.name],
    )  # fmt: skip
    plan = json.loads(home.run("plan", "--bucket", "core", "--json", "--save"))
    for step in plan["steps"]:
        say(f"  {step['side']:4} {step['quantity']:>6} {step['symbol']}")
    killed(home, plan["plan_id"])
    say("\n=== another process goes on: what was in doubt is asked of the broker first")
    say(home.run("resume"))
    books = json.loads(home.run("reconcile", "--json"))
    bucket = json.loads(home.run("bucket", "show", "core", "--json"))
    following = json.loads(home.run("plan", "--bucket", "core", "--no-save", "--json"))
    promised(home, plan, books, bucket)
    say(f"The next plan: {following['verdict']['action']}, {len(following['steps'])} orders.")


def killed(home: Home, plan_id: str) -> None:
    """Execute, and kill -9 as soon as something has been filled."""
    say("\n=== it is traded, and its process is killed half way")
    process = home.start("execute", plan_id, "--broker", "paper", "--yes", pace=SLOWLY)
    deadline = time.monotonic() + PATIENCE_S
    while not home.rows("journal.db", "SELECT 1 FROM fill LIMIT 1"):
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{process.communicate()}\nIt ended before anything was filled.")
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ((state,),) = home.rows("journal.db", "SELECT state FROM run")
    (filled,) = home.rows("journal.db", "SELECT COUNT(*) FROM fill")
    (out,) = home.rows("journal.db", "SELECT COUNT(*) FROM leg WHERE sent_utc IS NOT NULL")
    say(f"kill -9 while it was {state}; orders sent: {out[0]}, executions booked: {filled[0]}.")


def promised(
    home: Home, plan: Mapping[str, Any], books: Mapping[str, Any], bucket: Mapping[str, Any]
) -> None:
    """No order twice, nothing lost, and books, broker and bucket of one mind; else exit 1."""
    orders = [name for (name,) in home.rows("paper.db", "SELECT client_order_id FROM orders")]
    shares: dict[tuple[str, str], Decimal] = {}
    query = "SELECT symbol, side, quantity FROM executions"
    for symbol, side, quantity in home.rows("paper.db", query):
        shares[symbol, side] = shares.get((symbol, side), Decimal(0)) + Decimal(quantity)
    most = {(step["symbol"], step["side"]): Decimal(step["quantity"]) for step in plan["steps"]}
    broker = {name: Decimal(text) for name, text in books["cash"].items() if Decimal(text)}
    owns = {name: Decimal(text) for name, text in bucket["cash"].items() if Decimal(text)}
    ((outcome,),) = home.rows("journal.db", "SELECT outcome FROM run")
    facts = {
        f"the run ended: {outcome}": outcome in {"done", "done_with_skips", "partial"},
        f"{len(orders)} orders, none of them twice": len(orders) == len(set(orders)),
        "no more was traded than was approved": all(
            shares[key] <= most.get(key, Decimal(0)) for key in shares
        ),
        "books and broker agree": books["clean"] is True,
        f"the bucket has the broker's cash: {_money(broker)}": owns == broker,
    }
    for text, holds in facts.items():
        say(f"  {'yes' if holds else 'NO '}  {text}")
    if not all(facts.values()):
        sys.exit(1)


def _money(cash: Mapping[str, Decimal]) -> str:
    return " and ".join(f"{name} {cash[name]:,f}" for name in sorted(cash))


def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main()

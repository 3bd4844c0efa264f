"""Every bad input of the corpus is refused with its one message, and hostile text passes through
untouched.

A folder of `tests/corpus` has the files of one bad input, `expect.txt`, a regular expression that
the message matches, and where the case needs them `args.txt`, arguments of the command line, and
`refused_by.txt`: "planner" where the files are readable and the plan is refused later.
`tests/corpus_hostile` is a good portfolio whose every text is an attack.
"""

import argparse
import re
from datetime import date
from pathlib import Path

from builders.paths import TESTS
from steelyard.errors import InputError, PlanRefused
from steelyard.importers import Inputs, assemble, parse_cash, read
from steelyard.strategies import load

CORPUS = sorted(path for path in (TESTS / "hostile" / "corpus").iterdir() if path.is_dir())
HOSTILE = TESTS / "hostile" / "corpus_hostile"
FORMS = ("prices", "targets", "securities", "fx", "index")


def refused_by(folder: Path) -> str:
    marker = folder / "refused_by.txt"
    return marker.read_text(encoding="utf-8").strip() if marker.exists() else "importers"


def inputs_of(folder: Path) -> Inputs:
    parser = argparse.ArgumentParser()
    parser.add_argument("--as-of", type=date.fromisoformat)
    parser.add_argument("--base")
    parser.add_argument("--cash", action="append", default=[])
    parser.add_argument("--exclude", action="append", default=[])
    parser.add_argument("--accept-price", action="append", default=[])
    text = folder / "args.txt"
    args = parser.parse_args(text.read_text(encoding="utf-8").split() if text.exists() else [])
    others = {form: folder / f"{form}.csv" for form in FORMS if (folder / f"{form}.csv").exists()}
    files = read(folder / "holdings.csv", **others)
    return assemble(
        files, cash=parse_cash(args.cash), base_currency=args.base, as_of=args.as_of,
        exclude=args.exclude, accept_price=args.accept_price, today=date(2026, 11, 28),
    )  # fmt: skip


def wrong(folder: Path) -> str:
    """What is wrong with how a folder is refused, or empty."""
    expected = (folder / "expect.txt").read_text(encoding="utf-8").strip()
    try:
        inputs_of(folder)
    except (InputError, PlanRefused) as refused:
        message = str(refused)
    else:
        return f"{folder.name} was not refused"
    rules = (
        re.search(expected, message),
        "othing was planned" in message,
        all(line.isprintable() for line in message.split("\n")),
    )
    return "" if all(rules) else f"{folder.name}: {message}"


def test_a_bad_input_is_refused_with_one_message_that_says_what_and_where():
    cases = [folder for folder in CORPUS if refused_by(folder) == "importers"]

    assert [message for folder in cases if (message := wrong(folder))] == []


def test_what_only_the_planner_can_judge_is_read():
    for folder in CORPUS:
        if refused_by(folder) == "planner":
            assert inputs_of(folder).snapshot.holdings, folder.name


def test_the_corpus_is_walked():
    assert len(CORPUS) > 100
    assert {refused_by(folder) for folder in CORPUS} == {"importers", "planner"}
    assert all((folder / "expect.txt").exists() for folder in CORPUS)


def test_hostile_text_in_names_is_good_input_and_stays_as_it_is():
    inputs = inputs_of(HOSTILE)

    names = [security.name for security in inputs.snapshot.securities]
    assert "</script><script>alert(1)</script>" in names
    assert '=HYPERLINK("http://x","Gamma")' in names
    assert any("\x1b[31m" in name for name in names)
    assert any("\u202e" in name for name in names)
    assert inputs.snapshot.bucket == "</script>[bold]core\x1b[0m"
    assert all(notice.message.isprintable() for notice in inputs.warnings)


def test_hostile_text_in_a_strategy_stays_as_it_is():
    strategy = load(HOSTILE / "strategy.toml")

    assert strategy.name == "</script><b>[red]strategy[/red]"
    assert strategy.description.startswith("\x1b[31m")

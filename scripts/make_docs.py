"""Write the references under docs/ from what the code says of itself.

    python scripts/make_docs.py            write them
    python scripts/make_docs.py --check    write nothing; exit 1 and name each file that differs

    modules.md         registry and parameter models
    configuration.md   settings, and a strategy file with every default
    cli.md             --help of every command
    plan.md            records of plans/
    plan-schema.json   their JSON Schema; a copy goes into the package, for `steelyard verify`
    events.md          typed events of telemetry/events.py
    errors.md          every place that makes an error: its code and sentence
    rails.md           what is asked before an order is sent: execution/rails
    http.md            routes of services/api, their roles and fields
    error-schema.json  JSON Schema of a failure under --json

Words that no model carries come from scripts/meanings.toml. The output depends on the code alone:
no date, no width of a window, no order of a folder.
"""

import argparse
import ast
import dataclasses
import inspect
import json
import re
import sys
import tomllib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer.main
from pydantic import BaseModel
from typer.testing import CliRunner

from steelyard import errors
from steelyard.cli import app
from steelyard.cli.output import ERROR_FORM
from steelyard.engine import EngineSettings, variable
from steelyard.environment import HEALTH_FILE, VARIABLES
from steelyard.execution.configuration import BUILT_IN, FILE, PREFIX
from steelyard.execution.rails import RAILS, Rail
from steelyard.execution.settings import Limits
from steelyard.modules.registry import PACKAGES, Kind, Module, modules
from steelyard.plans import plan as plans
from steelyard.plans.columnar import ROWS
from steelyard.plans.verify.unchecked import BEYOND, LOOSE
from steelyard.rebalance import Thresholds
from steelyard.services.api import ROUTERS
from steelyard.services.security.roles import Needs
from steelyard.settings import PROFILES, Section
from steelyard.strategies import PRESETS, Strategy, preset
from steelyard.strategies.files.problems import allowed
from steelyard.strategies.files.reading import MAX_BYTES, MAX_NESTING, MAX_PARTS
from steelyard.strategies.files.spellings import (
    ENABLED_LISTS,
    EVALUATION,
    LEVELS,
    PARAM_TABLES,
    Agrees,
    Alias,
    Refused,
    Spelling,
    Switches,
    Unused,
    rows,
)
from steelyard.strategies.planned import WAITING, WAITS
from steelyard.strategies.rules import OR
from steelyard.strategies.scope import DEPTH
from steelyard.strategies.strategy import DEFAULT_NAME, SECTIONS
from steelyard.strategies.thresholds import FOLLOWING
from steelyard.strategies.writing import settings
from steelyard.telemetry.events import EVENTS, Event, PlannerEvent

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PACKAGED = ROOT / "src/steelyard/plans/plan-schema.json"
HELP_COLUMNS = 100
COMMENT_COLUMN = 36
"""Where comments of the example strategy begin, where the setting leaves room."""

SAID: Mapping[str, Any] = tomllib.loads(
    (ROOT / "scripts" / "meanings.toml").read_text(encoding="utf-8")
)

KINDS: Mapping[Kind, tuple[str, str]] = {
    Kind.OPPORTUNITY: (
        "Opportunity calculators",
        "Which changes of weight may be worth trading, one reason each.",
    ),
    Kind.PATTERN: (
        "Pattern generators",
        "Seed sequences with one intent each, drawn from the best candidates.",
    ),
    Kind.SEQUENCE: ("Sequence generators", "Many sequences from the best candidates."),
    Kind.FILTER: ("Filters", "What may not be traded, or not together."),
    Kind.TERM: (
        "Score terms",
        "What an end state is worth; [scoring](scoring.md) has formulas, scales and evidence.",
    ),
}
FORMS = {
    "mask": "which orders may be traded",
    "pairs": "which two may not go together",
    "rows": "which sequences may be a plan",
    "rank": "which proposals stay",
    "sequences": "which orders to try together",
    "what_if": "what would be without a rule, or with part of the plan; a report, never a plan",
}
NEEDS = {
    "target_weights": "target weights",
    "no_target_weights": "no target weights",
    "market_regime": "a known market regime",
    "wash_sale_days": "`lots.wash_sale_days`",
    "tax_rate": "a tax rate",
}


class DocsError(Exception):
    """The references cannot be written; the message says which word is missing or too much."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the generated references under docs/.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if a file differs from what would be written",
    )
    options = parser.parse_args(arguments)
    try:
        files = pages()
    except DocsError as error:
        print(f"make_docs: {error}\nNothing was written.", file=sys.stderr)
        return 1
    packaged = {PACKAGED.name: files[PACKAGED.name]}
    if options.check:
        return check(files, DOCS) | check(packaged, PACKAGED.parent, "plans")
    for folder, texts in ((DOCS, files), (PACKAGED.parent, packaged)):
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"make_docs: wrote {', '.join(f'docs/{name}' for name in files)}")
    return 0


def check(made: Mapping[str, str], folder: Path, shown: str = "docs") -> int:
    """Say which files of a folder differ; 0 if none does."""
    old = stale(made, folder)
    for name in old:
        print(
            f"make_docs: {shown}/{name} is not what the code says. Repair it with: make docs",
            file=sys.stderr,
        )
    return 1 if old else 0


def stale(made: Mapping[str, str], folder: Path) -> list[str]:
    """Names of the files of a folder that are missing or differ."""

    def current(name: str) -> str | None:
        path = folder / name
        return path.read_bytes().decode("utf-8", "replace") if path.is_file() else None

    return [name for name, text in made.items() if current(name) != text]


def pages() -> dict[str, str]:
    """Every generated file of docs/: name -> text."""
    writers: dict[str, Callable[[], Iterable[str]]] = {
        "modules.md": modules_page,
        "configuration.md": configuration_page,
        "cli.md": cli_page,
        "plan.md": plan_page,
        "events.md": events_page,
        "errors.md": errors_page,
        "rails.md": rails_page,
        "http.md": http_page,
        "error-schema.json": lambda: [json.dumps(error_schema(), indent=1)],
        "plan-schema.json": lambda: [json.dumps(plans.json_schema(), indent=1, ensure_ascii=False)],
    }
    made = {name: "\n".join(write()) + "\n" for name, write in writers.items()}
    WORDS.check()
    return made


# words


class Words:
    """The meanings of meanings.toml; notes which were used and what is wrong, so that all of it is
    told at once.
    """

    def __init__(self, said: Mapping[str, Any]) -> None:
        self.said = said
        self.used: set[tuple[str, str, str]] = set()
        self.problems: list[str] = []

    def of(self, kind: Literal["settings", "plan"], owner: str, name: str, own: str | None) -> str:
        """What a field means: in the words of its model, else in ours."""
        told = self.said[kind].get(owner, {}).get(name)
        self.used.add((kind, owner, name))
        if own and told:
            self.problems.append(
                f"{owner}.{name} has a meaning of its own; take it out of [{kind}.{owner}]."
            )
        if not (own or told):
            self.problems.append(f"{owner}.{name} has no meaning; add one under [{kind}.{owner}].")
        return own or str(told)

    def check(self) -> None:
        """Raise DocsError for fields without a meaning, with two, and for meanings of no field."""
        known = {
            (kind, owner, name)
            for kind in ("settings", "plan")
            for owner, names in self.said[kind].items()
            for name in names
        }
        unused = [
            f"{owner}.{name} under [{kind}] is no field of any model; take it out."
            for kind, owner, name in sorted(known - self.used)
        ]
        if self.problems or unused:
            raise DocsError(
                "\n  ".join(
                    [
                        "scripts/meanings.toml does not fit the code:",
                        *dict.fromkeys([*self.problems, *unused]),
                    ]
                )
            )


WORDS = Words(SAID)


def meaning(
    kind: Literal["settings", "plan"], owner: str, name: str, own: str | None = None
) -> str:
    """What a field means; a missing meaning is told when all pages are made."""
    return WORDS.of(kind, owner, name, own)


def cell(text: str) -> str:
    """Text that fits into a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(map(cell, row)) + " |"


def generated(title: str, source: str) -> Iterator[str]:
    yield (
        f"<!-- Generated by scripts/make_docs.py from {source}. Do not edit: `make docs` writes "
        "it. -->"
    )
    yield ""
    yield f"# {title}"
    yield ""


# settings and parameters


class Field(typing.NamedTuple):
    """One key of a table: `default` as TOML, None when absent means off."""

    name: str
    default: str | None
    takes: str
    meaning: str


def toml(value: object) -> str:
    """A default as a TOML value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else repr(value)


def fields(model: type[Section], path: str, section: Section) -> Iterator[Field]:
    """The keys of a table that are values; `path` is its name in the file, `section` has the
    defaults.
    """
    schema = model.model_json_schema(by_alias=True)
    for name, info in model.model_fields.items():
        key = info.alias or name
        value = getattr(section, name)
        if isinstance(value, Section | Mapping):
            continue
        absent = value is None
        takes = allowed(schema["properties"][key], schema).replace("'", "`")
        said = meaning("settings", path, key, info.description)
        yield Field(key, None if absent else toml(value), takes, said)


def tables(model: type[Section], path: str) -> Iterator[tuple[str, type[Section], Section]]:
    """(name, model, defaults) of a section and of the tables inside it."""

    def inside(path: str, section: Section) -> Iterator[tuple[str, type[Section], Section]]:
        yield path, type(section), section
        for name in type(section).model_fields:
            value = getattr(section, name)
            if isinstance(value, Section):
                yield from inside(f"{path}.{name}", value)

    yield from inside(path, model())


def parameter_table(found: Sequence[Field]) -> Iterator[str]:
    rows = [
        (f"`{f.name}`", f"`{f.default}`" if f.default is not None else "off", f.takes, f.meaning)
        for f in found
    ]
    yield from table(("key", "default", "takes", "meaning"), rows)


# modules.md


def built_in(kind: Kind) -> list[Module]:
    """The modules of the package itself: a test or a plugin may have registered more."""
    return [
        module
        for module in modules(kind).values()
        if module.call.__module__.startswith(PACKAGES[kind] + ".")
    ]


def modules_page() -> Iterator[str]:
    yield from generated("Modules", "the registry")
    yield from MODULES_INTRODUCTION.strip().splitlines()
    for kind, (title, says) in KINDS.items():
        found = built_in(kind)
        yield from ("", f"## {title}", "", says, "")
        yield from table(
            ("module", "version", "says"),
            [(f"[`{m.name}`](#{kind.value}{m.name})", m.version, m.summary) for m in found],
        )
        for module in found:
            yield from _module(module)
    yield from preset_tables()


MODULES_INTRODUCTION = """
Every algorithm that takes part in a plan, in the order of [the pipeline](pipeline.md). Each is one
file with one function, and is switched and set in a [strategy](configuration.md) under the name of
its kind. `steelyard modules --strategy F.toml` shows what a strategy makes of them. Weights are
fractions of portfolio value.
"""


def _module(module: Module) -> Iterator[str]:
    path = Path(inspect.getfile(module.call)).relative_to(ROOT / "src").as_posix()
    yield from (
        "",
        f'<a id="{module.kind.value}{module.name}"></a>',
        "",
        f"### {module.name}",
        "",
        module.summary,
        "",
    )
    facts = [
        f"`[{module.kind.value}.{module.name}]`",
        f"version {module.version}",
        f"by {module.author}",
    ]
    facts += [f"tags {', '.join(f'`{tag}`' for tag in module.tags)}"] if module.tags else []
    facts += [f"says {FORMS[module.form]} (`{module.form}`)"] if module.form else []
    facts += (
        [f"runs only with {', '.join(NEEDS[need] for need in module.needs)}"]
        if module.needs
        else []
    )
    facts += [] if module.on else ["off until a strategy switches it on"]
    facts += [f"Python {module.requires_python}"]
    yield f"{' · '.join(facts)} · [source](../src/{path})"
    if module.dependencies:
        yield from (
            "",
            (
                "Finds nothing without "
                f"{' and without '.join(map(_alternatives, module.dependencies))}."
            ),
        )
    found = list(fields(module.params, module.qualified, module.params()))
    if found:
        yield from ("", _paragraph(module.params), "")
        yield from parameter_table(found)
    else:
        yield from ("", "No parameters of its own.")


def _alternatives(dependency: str) -> str:
    """`a|b` as links with "or" between them."""
    return " or ".join(_link(one) for one in dependency.split(OR))


def _link(qualified: str) -> str:
    """A module as a link to its section, a kind in words."""
    kind, _, name = qualified.partition(".")
    return f"[`{name}`](#{kind}{name})" if name else f"any of `[{kind}]`"


def preset_tables() -> Iterator[str]:
    """Which modules each preset runs, and every parameter that some preset sets to another value
    than the default.
    """
    yield from ("", "## What each preset runs", "", PRESET_SWITCHES, "")
    found = {name: preset(name) for name in PRESETS}
    rows = [
        (
            f"[`{module.name}`](#{kind.value}{module.name})",
            *("on" if one.choice(kind, module.name).enabled else "" for one in found.values()),
        )
        for kind in Kind
        for module in built_in(kind)
    ]
    yield from table(("module", *(f"`{name}`" for name in PRESETS)), rows)
    yield from (
        "",
        (
            "Parameters that differ from the default in some preset; nothing where it is as in "
            "`default`, a dash where the module is off:"
        ),
        "",
    )
    yield from table(("parameter", *(f"`{name}`" for name in PRESETS)), _differing(found))


PRESET_SWITCHES = """
A preset is a strategy to begin with: `steelyard strategy new mine.toml --preset NAME`. Its sections
are in [configuration](configuration.md#presets).
""".strip()


def _differing(found: Mapping[str, Strategy]) -> Iterator[tuple[str, ...]]:
    for kind in Kind:
        for module in built_in(kind):
            params = [
                strategy.choice(kind, module.name).params.model_dump(by_alias=True)
                for strategy in found.values()
            ]
            runs = [strategy.choice(kind, module.name).enabled for strategy in found.values()]
            for key, usual in module.params().model_dump(by_alias=True).items():
                told = [_told(one[key], usual, on) for one, on in zip(params, runs, strict=True)]
                if set(told) - {"", OFF}:
                    yield (f"`{module.name}.{key}`", _told(usual, ..., on=True), *told[1:])


OFF = "–"


def _told(value: object, usual: object, on: bool) -> str:
    """A value that is not the usual one."""
    return (
        OFF if not on else "" if value == usual else "off" if value is None else f"`{toml(value)}`"
    )


def _paragraph(model: type[BaseModel]) -> str:
    """The docstring of a model."""
    return inspect.getdoc(model) or ""


# configuration.md


def configuration_page() -> Iterator[str]:
    yield from generated("Configuration", "the settings and the parameters of the modules")
    yield from CONFIGURATION_INTRODUCTION.strip().splitlines()
    for name, model in SECTIONS.items():
        for path, part, section in tables(model, name):
            yield from _section(path, part, section)
        if name in SAID["notes"]:
            yield from ("", SAID["notes"][name])
    yield from presets_section()
    yield from ("", "## Modules", "")
    yield from MODULE_SWITCHES.strip().splitlines()
    yield ""
    for kind, (title, _) in KINDS.items():
        names = ", ".join(f"[`{m.name}`](modules.md#{kind.value}{m.name})" for m in built_in(kind))
        yield f"* **`[{kind.value}]`** ({title.lower()}): {names}"
    yield from spellings_section()
    yield from rebalancing_section()
    yield from ("", "## A complete file", "")
    yield (
        "Every key with its default: this file makes the same plans as no file. What begins with `#"
        " name =` is off, or, where a number stands there, is decided for each plan: by the number"
        " of names, or whether a depth binds it. Without the `#` the number is yours, and stays."
    )
    yield from ("", "```toml", *example(), "```")
    yield from execution_section()


REBALANCING: Mapping[str, tuple[str, str, str]] = {
    "drift_band_weight": (
        "`rebalance.drift_band_weight`; `band` of a targets file",
        "`min_trade_threshold` 0.01",
        "the band itself trades, in exact decimals: floats miss 18 of the 99 whole percents",
    ),
    "min_order_base": (
        "`limits.min_trade_base` where it is over 0, at least 1",
        "none",
        "whether to trade is the band's to say; how small an order may be is another question",
    ),
    "quantity_step": (
        "`lot_size` of the securities file, 1 there",
        "`position_precision` 6",
        "of each security; rounded down, where half-even may sell more than is held",
    ),
    "cash_reserve_weight": (
        "`limits.cash_reserve_weight`",
        "`cash_reserve_ratio` 0.05",
        "once, of the whole: a share taken off each order is no reserve",
    ),
    "cash_tolerance_base": (
        "none; 0 in a plan",
        "none",
        "a cent that is missing by rounding makes no buy smaller",
    ),
    "dust_base": (
        "none",
        "none",
        "what a broker leaves of an exit is not sold for ever",
    ),
    "allow_empty_target": (
        "none; true in a plan, whose targets come from a file",
        "true",
        "a list that came out empty by mistake may not sell everything",
    ),
}
"""Threshold of exact rebalancing -> where it is set, the documents' default, why ours differs."""
ENGINE_SAYS = {
    "active": ("`USE_NEW_PORTFOLIO_REBALANCER` false", "the planner is what this package is for"),
    "shadow": ("`ENABLE_REBALANCER_COMPARISON` true", "the same"),
    "on_divergence": (
        "`ENABLE_REBALANCER_MONITORING` true", "of an alarm somebody hears, a log is read later"
    ),
}  # fmt: skip
"""Setting of the engines -> the documents' default, and why ours is as it is."""


def rebalancing_section() -> Iterator[str]:
    """Thresholds of exact rebalancing and the choice of engine, each beside the documents'."""
    yield from ("", "## Exact rebalancing", "")
    yield (
        "`steelyard rebalance` obeys the strategy; `rebalance.Thresholds` has the same for who"
        " calls it. The documents' defaults are those of the rebalancer plan."
    )
    yield ""
    head = ("Threshold", "Documents", "Ours", "Set by", "Why")
    usual = Thresholds()
    yield from table(
        head,
        (
            (f"`{name}`", documents, f"`{toml(_plain(getattr(usual, name)))}`", where, why)
            for name, (where, documents, why) in REBALANCING.items()
        ),
    )
    yield from ("", "## [engine]", "")
    yield (
        "Not of a strategy: a table of `execution.toml` in `$STEELYARD_HOME`. Over it stand the"
        " documents' three variables, over these our own. [Exact rebalancing](rebalance.md) says"
        " more."
    )
    yield ""
    fields = EngineSettings.model_fields
    yield from table(
        ("Key", "Documents", "Ours", "Variable", "Meaning", "Why"),
        (
            (
                f"`{name}`", ENGINE_SAYS[name][0], f"`{toml(field.default)}`",
                f"`{variable(name)}`", field.description or "", ENGINE_SAYS[name][1],
            )
            for name, field in fields.items()
        ),
    )  # fmt: skip


def _plain(value: object) -> object:
    """A decimal as the number that it is."""
    return float(value) if isinstance(value, Decimal) else value


CONFIGURATION_INTRODUCTION = f"""
A strategy is a preset or a TOML file: `steelyard plan --strategy aggressive`, `steelyard plan
--strategy careful.toml`. It holds everything that shapes a plan besides the inputs.

* `steelyard strategy new careful.toml --preset conservative` writes a commented file, `strategy
  validate` says all that is wrong with one, `strategy show` prints every value and who set it.
* `preset = "conservative"` names what a file inherits; without it that is `default`. A module that
  a file does not name runs if it runs in the preset, never otherwise. A slider or a file wins over
  the preset, the preset over the default.
* What neither names keeps the default below. An unknown key, a value out of range, NaN and infinity
  are errors, all told at once with their lines.
* Weights are fractions of portfolio value (.02 is 2 %), `_base` is money in the base currency,
  `_bps` is 1/10,000.
* `name` and `description` are texts for people; without `name` the strategy is called after its
  file.
* The file is UTF-8, at most {MAX_BYTES // 1024} KiB, nested at most {MAX_NESTING} brackets deep,
  its keys of at most {MAX_PARTS} parts.
  Nothing is read from the environment.
* Editors with TOML support complete and check a file whose first line is `#:schema
  ./strategy.schema.json`, once the schema lies beside it: `steelyard strategy schema >
  strategy.schema.json`.
* `steelyard modules --strategy F.toml` shows what a file makes of the modules. The plan shows the
  hash of all that acts.
"""

MODULE_SWITCHES = """
Under the section of its kind a module is either a switch or a table; naming it in a table without
`enabled` switches it on. Parameters may stand in a table `params` of their own.
[Modules](modules.md) lists them, and which preset runs which module. A module that the file itself
switches on while nothing that it draws from is on is an error; one that a preset or the default has
on is a warning.

```toml
[opportunity_calculators]
opportunity_buys = false            # a switch

[opportunity_calculators.weight_based]
enabled = true                      # a table: the switch and parameters
min_gap_threshold = 0.01

[filters.recently_traded]
on_failure = "block"                # while it fails, trade nothing that it guards; or "allow"
```

A filter that may forbid orders and does not work (it fails, is out of service, or its plugin cannot
be loaded) lets nothing through on the sides that its tags name, `buy` and `sell`, both where they
name none. The plan says so first. `on_failure = "allow"` plans without it.
"""


def presets_section() -> Iterator[str]:
    """What the presets are for, and every setting of theirs that is not at its default."""
    yield from ("", "## Presets", "", PRESETS_SAY, "")
    found = {name: preset(name) for name in PRESETS}
    yield from table(
        ("preset", "is for"), [(f"`{name}`", one.description) for name, one in found.items()]
    )
    yield from (
        "",
        (
            "Settings that differ from the default in some preset; nothing where it is as in "
            "`default`:"
        ),
        "",
    )
    values = {
        name: {f"{one.table}.{one.key}": one.value for one in settings(strategy)}
        for name, strategy in found.items()
    }
    usual = values[DEFAULT_NAME]
    keys = [
        key
        for key in usual
        if key.partition(".")[0] in SECTIONS
        and any(one[key] != usual[key] for one in values.values())
    ]
    changed = [
        [
            _told(one[key], usual[key], on=True)
            for name, one in values.items()
            if name != DEFAULT_NAME
        ]
        for key in keys
    ]
    head = ("setting", *(f"`{name}`" for name in PRESETS))
    yield from table(
        head,
        [
            (f"`{key}`", _told(usual[key], ..., on=True), *told)
            for key, told in zip(keys, changed, strict=True)
        ],
    )


PRESETS_SAY = """
All are in `src/steelyard/strategies/presets/`, each with the reason of every number. Those that
follow the planners of the older documents plan from proposals, so that patterns, priorities and
sliders decide; `default` searches order lists in whole lots, of any size and any number of orders.
""".strip()


def spellings_section() -> Iterator[str]:
    """Every accepted spelling that is not ours, and the rules of precedence."""
    yield from ("", "## Other spellings", "", *SPELLINGS_SAY.strip().splitlines(), "")
    yield from (f"{number}. {place}" for number, place in enumerate(LEVELS.values(), start=1))
    yield from ("", SPELLINGS_AGREE, "")
    yield from table(
        ("written", "where", "means"),
        [(f"`{key}`", _where(where, key), _means(spelling)) for where, key, spelling in rows()],
    )
    yield ""
    yield from table(("written at the top", "means"), _lists())


SPELLINGS_SAY = """
The older documents write many settings in other places and under other names. All of them are read.
Where a setting may stand, the strongest place first:
"""
SPELLINGS_AGREE = """
A setting that stands in two places with two values is an error that names both; with one value it
is fine. `name`, `description` and `preset` may stand in `[planner]` and `[core]` too; `title` is
the description where there is none, `preset_name` the preset. Of several `enable_` switches of an
evaluation that are on the one that `evaluation.mode` names counts, else the first of `monte_carlo`,
`stochastic`, `multi_objective`, `multi_timeframe`; a warning says which others change nothing.
""".strip()


def _where(where: str, key: str) -> str:
    if not where:
        inside = ", `[evaluation]`" if key in EVALUATION else ""
        return f"top, `[planner]`, `[core]`{inside}"
    return f"`[{where}]`" if "*" not in where else f"every module of `[{where.partition('.')[0]}]`"


def _means(spelling: Spelling) -> str:
    match spelling:
        case Alias(key, converted):
            says = converted.says if converted else ""
            return f"`{'.'.join(key)}`{f', {says}' if says else ''}"
        case Agrees(key):
            return f"must be what `{'.'.join(key)}` is"
        case Unused(says, _):
            return f"accepted with a warning; {says}"
        case Switches(mode):
            return f'`true` is `evaluation.mode = "{mode}"`'
        case Refused(says, nothing):
            harmless = " or ".join(f"`{toml(one)}`" for one in nothing)
            return (
                f"accepted as {harmless}, otherwise refused: {says}"
                if nothing
                else f"refused: {says}"
            )


def _lists() -> Iterator[tuple[str, str]]:
    for name, kind in ENABLED_LISTS.items():
        yield f"`{name} = [...]`", f"exactly these modules of `[{kind.value}]` run"
    for name, kind in PARAM_TABLES.items():
        yield f"`[{name}.NAME]`", f"parameters of `[{kind.value}.NAME]`; switches nothing on"


EXECUTION_INTRODUCTION = f"""
## Execution

What no strategy holds: how far orders may go and how they are worked. It stands in
`$STEELYARD_HOME/{FILE}`, and every key can be set by a variable too, which wins over the file:
`{PREFIX}LIMITS__PAPER__MAX_ORDER_WEIGHT=0.5` sets `max_order_weight` of `[limits.paper]`.

* A key that nothing reads, a value out of range, NaN and infinity are errors, all told at once, and
  nothing is sent. The caps on size and depth are those of a strategy.
* `_base` is money in the base currency, `_weight` a fraction of the value of what is traded, `_s`
  are seconds.
* `[limits.paper]` and `[limits.live]` are what the [rails](rails.md) obey. A limit that lets more
  through than the built-in one is an event of every run (`LimitLoosened`).
* [`[engine]`](#engine), above, is a table of the same file with variables of its own.
* Symbols that are never traded stand in `$STEELYARD_HOME/restricted.txt`, one a line; a list that
  cannot be read blocks every order.
"""

DOCUMENTS_INTRODUCTION = """
### What the documents set

What `RebalancingConfig` and the other documents of the first rebalancer set of execution: their
default, where the same is set here, and why ours is another. Thresholds of rebalancing itself
stand under [exact rebalancing](#exact-rebalancing).
"""


def execution_section() -> Iterator[str]:
    """Settings of execution.toml, and beside the documents' defaults ours."""
    yield from ("", *EXECUTION_INTRODUCTION.strip().splitlines())
    for path, section in execution_tables(BUILT_IN, ""):
        model = type(section)
        found = list(fields(model, path, section))
        heading = _paragraph(model)
        if path == "limits.live":
            usual = set(fields(Limits, "limits.paper", BUILT_IN.limits.paper))
            found = [field for field in found if field not in usual]
            heading = f"{heading} All keys of `[limits.paper]`, with other defaults for these:"
        if found:
            yield from ("", f"### `[{path}]`", "", heading, "")
            yield from parameter_table(found)
    yield from ("", *DOCUMENTS_INTRODUCTION.strip().splitlines(), "")
    rows = [
        (one["name"], one["theirs"], *_ours(one["ours"]), one["why"] or "the same")
        for one in SAID["documents"]
    ]
    yield from table(("documents", "their default", "here", "ours", "why"), rows)


def execution_tables(section: BaseModel, path: str) -> Iterator[tuple[str, Any]]:
    """(name, section) of every table of execution.toml."""
    if path:
        yield path, section
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel) and not isinstance(value, EngineSettings):
            yield from execution_tables(value, f"{path}.{name}".removeprefix("."))


def _ours(place: str) -> tuple[str, str]:
    """(key, default) of a setting; a text that is no setting stands for itself."""
    if " " in place or "." not in place:
        return "", place
    section: Any = BUILT_IN
    for name in place.split("."):
        section = getattr(section, name)
    return f"`{place}`", f"`{toml(section)}`"


# rails.md

RAILS_INTRODUCTION = """
Before a run begins, and again before each of its orders is sent, every rail below is asked. Each is
one pure function of what is known: it answers *pass*, with the figure that says so, or *block*,
with a code and a reason. One that blocks is enough. No setting switches a rail off.

* What is not known blocks (`NAME_unknown`), a number that is none blocks (`NAME_not_finite`), and a
  rail that fails blocks (`NAME_failed`).
* *run* rails are asked before a run begins and before each order, *order* rails before each order.
* Time, session and quotes are the broker's. What a simulated market cannot have passes on paper,
  saying `not simulated`, and blocks live.
* The limits are built in; [configuration](configuration.md#execution) says how to set others.
* `steelyard execute PLAN --dry-run` shows the orders as the rails would let them through or stop
  them, and sends none.
"""

RAIL_THEMES: Mapping[str, str] = {
    "account": "The account and who may trade it",
    "machine": "The machine",
    "plan": "The plan",
    "market": "The market",
    "order": "The order",
    "day": "The run and the day",
}


def rails_page() -> Iterator[str]:
    """What is asked before anything is sent."""
    yield from generated("Rails", "execution/rails")
    yield from RAILS_INTRODUCTION.strip().splitlines()
    for theme, title in RAIL_THEMES.items():
        yield from ("", f"## {title}", "")
        rows = [
            _rail_row(rail) for rail in RAILS if rail.judge.__module__.rpartition(".")[2] == theme
        ]
        head = ("rail", "asked", "asks", "paper", "live", "settings", "codes")
        yield from table(head, rows)


def _rail_row(rail: Rail) -> tuple[str, ...]:
    names = [name.rpartition(".")[2] for name in rail.settings]
    limits = [name for name in rail.settings if name.startswith("limits.")]
    paper, live = (
        ", ".join(_limit(getattr(mode, name.removeprefix("limits."))) for name in limits)
        for mode in (BUILT_IN.limits.paper, BUILT_IN.limits.live)
    )
    codes = ", ".join(f"`{code}`" for code in rail.codes)
    settings = ", ".join(f"`{name}`" for name in names)
    return f"`{rail.name}`", rail.scope, rail.asks, paper, live, settings, codes


def _limit(value: object) -> str:
    return "off" if value is None else f"{value}"


def _section(path: str, model: type[Section], section: Section) -> Iterator[str]:
    yield from ("", f"{'##' if '.' not in path else '###'} [{path}]", "", _paragraph(model), "")
    found = list(fields(model, path, section))
    if found:
        yield from parameter_table(found)
    maps = {
        name: info.description
        for name, info in model.model_fields.items()
        if isinstance(getattr(section, name), Mapping)
    }
    if maps:
        yield ""
        rows = [
            (
                f"`[{path}.{m}]`",
                "none",
                "a number from 0 to 1 for each name",
                meaning("settings", path, m, own),
            )
            for m, own in maps.items()
        ]
        yield from table(("table", "default", "takes", "meaning"), rows)
    if path == "score":
        yield from _score_extras(model, section)


def _score_extras(model: type[Section], section: Section) -> Iterator[str]:
    nested = {
        name: info.description
        for name, info in model.model_fields.items()
        if isinstance(getattr(section, name), Section)
    }
    inside = "; ".join(
        f"`[score.{name}]`, {meaning('settings', 'score', name, own)}"
        for name, own in nested.items()
    )
    yield from (
        "",
        f"Tables inside: {inside}. [Scoring](scoring.md) has formulas and evidence.",
        "",
    )
    yield from (
        "Shares of the terms in each profile, before target fit or cash takes its part:",
        "",
    )
    shares = {profile: weights.normalised() for profile, weights in PROFILES.items()}
    names = list(next(iter(shares.values())))
    yield from table(
        ("profile", *(f"`{name}`" for name in names)),
        [(f"`{p}`", *(f"{w[n]:g}" for n in names)) for p, w in shares.items()],
    )


DECIDED = (*FOLLOWING, DEPTH, *(f"{Kind.FILTER.value}.{WAITING}.{name}" for name in WAITS))
"""Keys whose defaults bind less than the same numbers in a file."""


def example() -> Iterator[str]:
    """A strategy file with every key and its default; what a plan decides itself in comments."""
    yield 'name = "default"'
    yield f'description = "{preset(DEFAULT_NAME).description}"'
    for name, model in SECTIONS.items():
        for path, part, section in tables(model, name):
            found = list(fields(part, path, section))
            if found:
                yield from _example_table(path, found)
            for key, info in part.model_fields.items():
                if isinstance(getattr(section, key), Mapping):
                    hint = Field(
                        '"NAME"', None, "", meaning("settings", path, key, info.description)
                    )
                    yield from ("", f"[{path}.{key}]", *_line(hint))
    for kind in Kind:
        for module in built_in(kind):
            switch = Field("enabled", str(module.on).lower(), "", module.summary.rstrip("."))
            failing = Field("on_failure", '"block"', "", "while it fails; or allow")
            beside = [switch, failing] if module.protects else [switch]
            yield from _example_table(
                module.qualified,
                [*beside, *fields(module.params, module.qualified, module.params())],
            )


def _example_table(path: str, found: Sequence[Field]) -> Iterator[str]:
    yield from ("", f"[{path}]")
    for field in found:
        yield from _line(field, decided=f"{path}.{field.name}" in DECIDED)


def _line(field: Field, *, decided: bool = False) -> Iterator[str]:
    setting = f"{field.name} ={'' if field.default is None else f' {field.default}'}"
    if decided or field.default is None:
        setting = f"# {setting}"
    choices = f"; {field.takes.replace('`', '')}" if field.takes.startswith("one of") else ""
    yield f"{setting:<{COMMENT_COLUMN}}  # {' '.join(field.meaning.split())}{choices}"


# cli.md


def cli_page() -> Iterator[str]:
    yield from generated("Command line", "the commands' own --help")
    yield from CLI_INTRODUCTION.strip().splitlines()
    yield from ("", "## steelyard", "", *_help([]))
    for name, command in _commands().items():
        yield from ("", f"## steelyard {name}", "", *_help([name]))
        for inner in getattr(command, "commands", ()):
            yield from ("", f"### steelyard {name} {inner}", "", *_help([name, inner]))
    yield from (
        "",
        "## Environment variables",
        "",
        *ENVIRONMENT_INTRODUCTION.strip().splitlines(),
        "",
    )
    yield from table(
        ("variable", "sets", "default"),
        [(f"`{one.name}`", one.meaning, one.default) for one in VARIABLES],
    )
    yield from (
        "",
        "Where the failures of modules are kept while `STEELYARD_HOME` is unset. Beside them is",
        "looked for `import.toml`, the columns and aliases that `--mapping` takes:",
        "",
    )
    yield from table(
        ("platform", "file"), [(platform, where) for platform, where in HEALTH_FILE.items()]
    )


CLI_INTRODUCTION = """
The [tutorial](tutorial.md) shows the commands at work, [configuration](configuration.md) what
`--strategy` takes, and [the plan document](plan.md) what `--json` prints. `NO_COLOR` and pipes are
respected: into a pipe goes plain text.

| exit code | meaning |
|---|---|
| 0 | done; a plan that says hold is done |
| 1 | refused or failed: one message on stderr says what, where and what to do |
| 2 | the command was not understood |
| 130 | interrupted (SIGINT, Ctrl-C): one line on stderr, nothing is left half-written |
| 143 | ended by SIGTERM: likewise |
"""

ENVIRONMENT_INTRODUCTION = """
None shapes a plan, but what a module that is out of service would have done to it. An empty
variable is as good as none.
"""


def _commands() -> Mapping[str, Any]:
    return typer.main.get_group(app).commands


def _help(arguments: list[str]) -> Iterator[str]:
    """What `--help` prints, whatever the window and the colours of who runs this."""
    result = CliRunner().invoke(
        app, [*arguments, "--help"], prog_name="steelyard", terminal_width=HELP_COLUMNS, color=False
    )
    if result.exit_code:
        raise DocsError(f"steelyard {' '.join(arguments)} --help ended with {result.exit_code}.")
    yield "```text"
    yield from (line.rstrip() for line in result.output.strip().splitlines())
    yield "```"


# plan.md


def plan_page() -> Iterator[str]:
    yield from generated("The plan document", "plans/")
    yield from _summary(plans.__doc__ or "")
    yield from ("", *PLAN_INTRODUCTION.format(rows=ROWS).strip().splitlines())
    for record in records(plans.Plan):
        first = (inspect.getdoc(record) or "").partition("\n\n")[0]
        yield from ("", f"## {record.__name__}", "", *_summary(first), "")
        yield from table(
            ("field", "type", "meaning"), [_field(record, name) for name in record.model_fields]
        )
    yield from ("", *VERIFIED.strip().splitlines(), "")
    yield from table(
        ("field", "why a change of it may go unseen"),
        [(f"`{name}`", why) for name, why in LOOSE.items()],
    )
    yield from ("", "Beside fields, these are not checked:", "")
    yield from (f"* {what}: {why}" for what, why in BEYOND.items())


VERIFIED = """
## What `steelyard verify` checks

It shares no code with the planner. It reads the document by the packaged copy of the JSON Schema
(kinds, ranges, fields that are missing), and then derives anew, in decimals:

* the id, the hash of the strategy, and every rule of the plan from the strategy's settings; which
  modules ran; what the certificate covers;
* holdings, lots, weights, rates, cash, reserve, the ladder of cash; that no price is of later;
* every candidate and step: amounts, costs, lots, limits, dates, and where each candidate ends;
* sums and differences of the score, its charges, drift, turnover, the alternatives that the scope
  must have; what a step is worth in money, and in drift where the others stay as they are;
* the certificate: bound, gap in points, money and share, status; that each neighbour that is said
  to be feasible keeps every limit that the document holds, and that none is better;
* every sentence: rendered again from its template and facts and compared whole. The templates and
  facts of the verdict and of the steps are derived too; those of a reason are its module's own.

A document of today's form with any one value changed, id made anew or not, fails; except in the
fields below, which the seal of every plan and `steelyard verify --json` list where the plan has
them. A field that this version does not know is listed too, never refused.
"""
PLAN_INTRODUCTION = """
`steelyard plan --json` prints it. [`plan-schema.json`](plan-schema.json) is the same as JSON
Schema, with its `$id` and its `version`. Every field is always there.

## Versions

Within `steelyard.plan/1` fields are only added: none is taken away, renamed or given another
meaning, and each that is added raises the second number of the schema's `version`. A change that
is more than that is another form, `steelyard.plan/2`. So a reader asks for the `schema` that it
knows, refuses others, and passes over fields that it does not know. Steelyard reads in the same
way: `Plan.from_json`, `steelyard why` and `steelyard verify` take documents of last year, where a
field that came later means what it meant before there was one, and of next year; `verify` names the
fields that it did not read. The schema closes no record.

## Long lists

A list of more than {rows} records is written as columns, so that a plan of 5,000 securities and
thousands of orders stays under 5 MB; each field of the plan is then one line of text. The key
`columnar` holds the path of each such list, as `["alternatives", 3, "steps"]`; a shorter plan has
neither. In the place of the list stands `{{"rows": N, "columns": {{name: column}}}}`. A column of N
values is one of

| column | values |
|---|---|
| `[v, …]` | as they are |
| `{{"all": v}}` | the same everywhere |
| `{{"values": […], "index": […]}}` | each distinct value once, and which of them |
| `{{"words": "a b c"}}` | texts without blanks, a blank between them |
| `{{"same": "facts.symbol"}}` | those of an earlier column of the list |
| `{{"sentence": "template"}}` | that template with `facts`; `"cased": true`: capital, full stop |
| `{{"columns": {{…}}}}` | records that all have the same keys |
| `{{"keys": [[…]], "index": C, "columns": {{…}}}}` | records of several sets of keys |
| `{{"lengths": C, "items": C}}` | lists: how long each is, and all of theirs in a row |
| `{{"absent": […], "others": C}}` | null in these rows, counted from 0 |

A column of records of several sets of keys has a value for each of them that has its key. Nothing
is lost: `steelyard.plans.columnar.unfold` gives the same document back, and `plan_id` is
that of the lists. Every command that reads a plan reads both forms.
"""


def _summary(text: str) -> Iterator[str]:
    yield from inspect.cleandoc(text).splitlines()


def _field(record: type[BaseModel], name: str) -> tuple[str, str, str]:
    info = record.model_fields[name]
    key = info.alias or name
    owner = next(base for base in record.__mro__ if name in inspect.get_annotations(base))
    return f"`{key}`", told(info.annotation), meaning("plan", owner.__name__, key, info.description)


def records(root: type[BaseModel]) -> list[type[BaseModel]]:
    """The record and every record inside it, in the order of first use."""
    found = [root]
    for record in found:
        for info in record.model_fields.values():
            found += [inner for inner in _models(info.annotation) if inner not in found]
    return found


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, plans.Record):
        return [annotation]
    return list(
        dict.fromkeys(model for argument in get_args(annotation) for model in _models(argument))
    )


def told(annotation: Any) -> str:
    """A type in words; a record as a link to its section."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return told(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{json.dumps(value)}`" for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(told(argument) for argument in arguments)
    if origin is tuple and Ellipsis in arguments:
        return f"list of {told(arguments[0])}"
    if origin is tuple:
        return f"list of {len(arguments)}: " + ", ".join(map(told, arguments))
    if origin is dict:
        return f"map of text to {told(arguments[1])}"
    return _name(annotation)


NAMES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Decimal: "decimal string",
    date: "date",
    type(None): "null",
    Any: "any value",
}


def _name(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        path = next(name for name, model in SECTIONS.items() if model is annotation)
        return f"[the settings `{path}`](configuration.md#{path})"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f"`{json.dumps(str(member))}`" for member in annotation)
    return NAMES[annotation]


# events.md


def events_page() -> Iterator[str]:
    """Every typed event: when, by whom, and its fields."""
    yield from generated("Events", "the classes of `telemetry/events.py`")
    yield from (
        "An event says what happened, once. Planning tells its events to `plan(…, observe=…)`;",
        "what is stored tells them once the write is done. They are stored as records with five",
        "fields, which `steelyard events --json` prints:",
        "",
    )
    record = event_fields(PlannerEvent)
    yield from table(("field", "meaning"), [(f"`{name}`", record[name]) for name in record])
    for teller in dict.fromkeys(event.told_by for event in EVENTS):
        yield from ("", f"## Told by {teller}", "")
        yield from (
            "| event | when | data |",
            "|---|---|---|",
        )
        for event in EVENTS:
            if event.told_by == teller:
                yield _event_row(event)


def _event_row(event: type[Event]) -> str:
    when = paragraphs(event)[0]
    data = "<br>".join(f"`{name}`: {text}" for name, text in event_fields(event).items())
    return f"| `{event.__name__}` | {cell(when)} | {cell(data)} |"


def paragraphs(record: type) -> list[str]:
    """What a docstring says, in paragraphs."""
    return inspect.getdoc(record).split("\n\n")  # type: ignore[union-attr]


def event_fields(record: type) -> dict[str, str]:
    """Field -> meaning, from the second paragraph of its docstring; DocsError where they differ."""
    meanings: dict[str, str] = {}
    for line in "".join(paragraphs(record)[1:2]).splitlines():
        name, _, meaning = line.partition(" ")
        if name:
            meanings[name] = meaning.strip()
        else:
            meanings[list(meanings)[-1]] += f" {line.strip()}"
    names = [field.name for field in dataclasses.fields(record)]
    if list(meanings) != names:
        raise DocsError(
            f"{record.__name__} has the fields {names}, its docstring {list(meanings)}."
        )
    return meanings


# errors


@dataclass(frozen=True, slots=True)
class Raised:
    """One place of the package that makes an error: its code, class, sentence and keywords;
    `coded` = it names a code of its own or its class has one.
    """

    code: str
    kind: str
    sentence: str
    where: str
    words: frozenset[str]
    coded: bool


GENERAL = {"SteelyardError", "InputError", "SettingsError", "PlanRefused", "ModuleError"}
"""Kinds of errors whose own code says too little."""
KINDS_OF_ERRORS = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.SteelyardError)
}
LONGEST_SENTENCE = 150


ROW, ROW_REASON, ROW_CODE = "RejectedRow", 2, 3
"""A line of a file that is rejected, and the places of its reason and its code."""


def raised(package: Path) -> list[Raised]:
    """Every place that makes an error of ours, in the order of the files."""
    return [
        site
        for path in sorted(package.rglob("*.py"))
        for site in _raised_in(path, path.relative_to(package))
    ]


def rejected(package: Path) -> list[Raised]:
    """Every place that rejects a line of a file without a `BadCell`, in the order of the files."""
    return [
        Raised(code, ROW, sentence, f"{path.relative_to(package)}:{line}", frozenset(), coded=True)
        for path in sorted(package.rglob("*.py"))
        for code, sentence, line in _rejected_in(ast.parse(path.read_text(encoding="utf-8")))
    ]


def _rejected_in(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Code, sentence and line of each; of a function that makes them, for each of its calls."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in calls:
        if _called(node) != ROW or len(node.args) <= ROW_CODE:
            continue
        code, reason = node.args[ROW_CODE], node.args[ROW_REASON]
        if isinstance(code, ast.Constant):
            yield str(code.value), _sentence(node, _around(node, tree), ROW_REASON), node.lineno
        if not (isinstance(code, ast.Name) and isinstance(reason, ast.Name)):
            continue
        maker = max(
            (f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)),
            key=lambda f: f.lineno,
        )
        names = [parameter.arg for parameter in maker.args.args if parameter.arg != "self"]
        for call in (call for call in calls if _called(call) == maker.name):
            word = call.args[names.index(code.id)]
            if isinstance(word, ast.Constant):
                sentence = _sentence(call, _around(call, tree), names.index(reason.id))
                yield str(word.value), sentence, call.lineno


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def _around(node: ast.AST, tree: ast.Module) -> list[ast.AST]:
    """The file and the functions around a call."""
    line = getattr(node, "lineno", 0)
    functions = (part for part in ast.walk(tree) if isinstance(part, ast.FunctionDef))
    return [tree, *(f for f in functions if f.lineno <= line <= (f.end_lineno or 0))]


def _raised_in(path: Path, shown: Path) -> Iterator[Raised]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    for node in ast.walk(tree):
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if name not in {*KINDS_OF_ERRORS, "BadCell"}:
            continue
        around = [f for f in functions if f.lineno <= node.lineno <= (f.end_lineno or 0)]
        kind = KINDS_OF_ERRORS.get(name)
        own = kind.code if kind else "bad_cell"
        word = next((word.value for word in node.keywords if word.arg == "code"), None)
        if isinstance(word, ast.Attribute):  # that of the error it was made of
            continue
        codes = _codes(word, tree, around)
        for code in codes or [own]:
            yield Raised(
                code=code,
                kind=name,
                sentence=_sentence(node, [tree, *around]),
                where=f"{shown}:{node.lineno}",
                words=frozenset(word.arg for word in node.keywords if word.arg),
                coded=bool(codes) or (kind is not None and name not in GENERAL),
            )


def _codes(code: ast.expr | None, tree: ast.Module, around: Sequence[ast.FunctionDef]) -> list[str]:
    """The codes of an error: the one it is made with, or those that its function is called with."""
    if isinstance(code, ast.Constant):
        return [str(code.value)]
    if isinstance(code, ast.IfExp):
        return [*_codes(code.body, tree, around), *_codes(code.orelse, tree, around)]
    if not isinstance(code, ast.Name):
        return []
    constants = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == code.id
    ]
    if constants or not around:
        return [str(value.value) for value in constants if isinstance(value, ast.Constant)]
    function = around[-1]
    names = [parameter.arg for parameter in function.args.args]
    place = names.index(code.id) - (names[0] == "self") if code.id in names else -1
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    values = [
        next((word.value for word in node.keywords if word.arg == code.id), None)
        or (node.args[place] if 0 <= place < len(node.args) else None)
        for node in calls
        if getattr(node.func, "id", getattr(node.func, "attr", "")) == function.name
    ]
    return sorted({str(value.value) for value in values if isinstance(value, ast.Constant)})


def _sentence(call: ast.Call, around: Sequence[ast.AST], at: int = 0) -> str:
    """The message of an error as the code has it, with … for what differs; `at` its argument."""
    texts = {
        target.id: node.value
        for scope in around
        for node in (scope.body if isinstance(scope, ast.Module) else ast.walk(scope))
        if isinstance(node, ast.Assign) and node.lineno <= call.lineno
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    text = re.sub(r"(…\s?)+", "… ", _literal(call.args[at], texts, 3) if call.args else "…")
    text = re.sub(r"… ([.,:;)])", r"…\1", " ".join(text.split())).removesuffix(". …")
    if text == "…" and isinstance(call.func, ast.Name):
        text = (inspect.getdoc(KINDS_OF_ERRORS.get(call.func.id)) or "…").partition("\n")[0]
    return text if len(text) <= LONGEST_SENTENCE else text[: LONGEST_SENTENCE - 1] + "…"


def _literal(node: ast.AST, texts: Mapping[str, ast.expr], depth: int) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part, texts, depth) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _literal(node.value, texts, depth)
    if (
        isinstance(node, ast.Name)
        and depth
        and isinstance(texts.get(node.id), ast.Constant | ast.JoinedStr)
    ):
        return _literal(texts[node.id], texts, depth - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _literal(node.left, texts, depth) + _literal(node.right, texts, depth)
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.List):
        return f"{_literal(node.args[0].elts[0], texts, depth)} …"  # "\n".join([refusal, *all])
    return "…"


def errors_page() -> Iterator[str]:
    """Every code with its class and sentence."""
    yield from generated("Errors", "the places that raise them")
    yield from (
        "Every error has a code, and where they mean something a place, the value, the limit that",
        "it met and a hint: `error.fault` in Python, and `error.faults` for each thing that is",
        "wrong where they are several. With `--json` a command that fails prints them as one",
        "document, after the schema in [error-schema.json](error-schema.json):",
        "",
        "```text",
        json.dumps({"schema": ERROR_FORM, "error": {"code": "…"}, "errors": [{"code": "…"}]}),
        "```",
        "",
        "The sentence is on stderr too. The exit code is 1; it is 2 for the code `usage`, an",
        "argument that cannot be: then the place is the option. Codes are stable, sentences are",
        "not. `BadCell` and `RejectedRow` are a line of a file, told with all others of it in a",
        "`RowsRejected`.",
        "",
    )
    sites: dict[str, Raised] = {}
    package = ROOT / "src" / "steelyard"
    for site in (*raised(package), *rejected(package)):
        sites.setdefault(site.code, site)
    rows = [(f"`{code}`", f"`{site.kind}`", site.sentence) for code, site in sorted(sites.items())]
    yield from table(("code", "error", "sentence"), rows)


# http.md


HTTP_INTRODUCTION = """
What commands do with strategies, buckets and plans, over HTTP: `steelyard serve api`, or the
coordinator of `steelyard serve all`, at port 8011. Only JSON goes in, by models that refuse a
field that they do not have; `/openapi.json` has them all. Nothing is traded here: no route arms,
sends or stops an order, and no key of a broker is in the process. `POST /coordinator/create-plan`
and the four services are on a page of their own: [whole requests](services-requests.md).

* **Who asks.** `Authorization: Bearer TOKEN`, always; each role may do what those before it may:
  viewer, planner, operator, admin.
* **What is refused** is `application/problem+json` ([RFC
  9457](https://www.rfc-editor.org/rfc/rfc9457)): `detail` says it, `errors` has each thing that is
  wrong with the [code](errors.md), place, value, limit and hint that a command prints. 404: it is
  not there. 409 and 412: another changed it. 422: it is not usable. 503: too busy, or the database
  is not usable. What was refused wrote nothing.
* **Pages.** A list has at most `limit` entries, 100 unless asked for others, never more than 500;
  `next` is what `after` of the next page says, null at the end. What comes meanwhile shifts
  nothing.
* **Changes that meet.** A configuration's name, and what a bucket plans by, have an `ETag`. A
  change with `If-Match: ETAG` is made only to that state, else it is 412; `If-None-Match: *` saves
  only a name that is new. `parent_version_id` says which version a configuration was made from:
  409 if another was saved since. Reads with `If-None-Match: ETAG` are 304 where nothing is new.
* **Plugins** are code, and are enabled in a file on the machine that runs them: a configuration
  with a table `[plugins]` is refused.
* **Numbers.** Money, prices and quantities are decimal strings, weights and scores numbers, times
  RFC 3339. An id is a whole number from 1; a version counts within its name.

`config_toml` is what a strategy file has ([configuration](configuration.md)). How to hand on what
happens: [integrations](integrations.md). What a token is: [security](security.md).
"""


def http_page() -> Iterator[str]:
    """Every route of the management API: who may ask it, what it takes, what it answers."""
    yield from generated("HTTP", "services/api")
    yield from HTTP_INTRODUCTION.strip().splitlines()
    routes = sorted(
        (route for router in ROUTERS for route in router.routes), key=lambda route: route.path
    )
    rows = [(f"[`{_address(r)}`](#{_anchor(r)})", _role(r), r.summary) for r in routes]
    yield from ("", "| route | role | what |", "|---|---|---|")
    yield from (f"| {' | '.join(row)} |" for row in rows)
    for route in routes:
        yield from _route(route)


def _address(route: Any) -> str:
    return f"{min(route.methods)} {route.path}"


def _anchor(route: Any) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _address(route).lower()).strip("-")


def _role(route: Any) -> str:
    calls = [dependant.call for dependant in route.dependant.dependencies]
    return next(call.role for call in calls if isinstance(call, Needs))


def _route(route: Any) -> Iterator[str]:
    """One route with what it takes and answers."""
    yield from ("", f'<a id="{_anchor(route)}"></a>', "", f"### {_address(route)}", "")
    yield f"{inspect.cleandoc(route.description)}".replace("\n\n", "\n").replace("\n", " ")
    parts = [route.dependant, *route.dependant.dependencies]
    bodies = [("body", param) for part in parts for param in part.body_params]
    queries = [("query", param) for part in parts for param in part.query_params]
    asked = [(where, param.field_info.annotation) for where, param in (*bodies, *queries)]
    rows = [row for where, model in asked for row in _fields_of(where, model)]
    if rows:
        yield from ("", *table(("field", "in", "takes", "default", "meaning"), rows))
    answer = route.response_model
    if isinstance(answer, type) and issubclass(answer, BaseModel):
        yield from ("", _answered(route, answer))
    else:
        yield from ("", f"Answers {route.status_code or 200}: `{route.response_class.media_type}`.")


def _fields_of(where: str, model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """Rows of a request's fields; those of a page are told once for all."""
    schema = model.model_json_schema(by_alias=True)
    for name, described in schema["properties"].items():
        if where == "query" and name in ("limit", "after") and model.__name__ != "Filters":
            continue
        form = next(p for p in described.get("anyOf", [described]) if p.get("type") != "null")
        default = described.get("default")
        written = "must be there" if name in schema.get("required", []) else json.dumps(default)
        yield f"`{name}`", where, _takes(form, schema), written, described.get("description", "")


def _takes(form: dict[str, Any], schema: dict[str, Any]) -> str:
    """What a field takes; an id has no end that anybody meets."""
    if form.get("maximum", 0) > MOST_TOLD:
        return f"{allowed({'type': form['type']}, schema)}, {form['minimum']} or more"
    longest = form.get("maxLength")
    return allowed(form, schema) + (f", at most {longest:,} characters" if longest else "")


MOST_TOLD = 2**31
"""A larger end of a range is not told."""


def _answered(route: Any, answer: type[BaseModel]) -> str:
    """Status and fields of an answer, and of what stands in it."""
    status = route.status_code or 200
    if answer is plans.Plan:
        return f"Answers {status}: [the plan document](plan.md)."
    inner = [model for model in _inside(answer) if model.__module__.startswith(SERVICES)]
    parts = [f"`{model.__name__}` is {_names_of(model)}." for model in inner]
    return " ".join([f"Answers {status}: {_names_of(answer)}.", *parts])


SERVICES = "steelyard.services"


def _inside(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The models of its fields."""
    for info in model.model_fields.values():
        for part in (info.annotation, *get_args(info.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield part


def _names_of(model: type[BaseModel]) -> str:
    fields = model.model_fields.items()
    return ", ".join(f"`{info.alias or name}`{_of(info.annotation)}" for name, info in fields)


def _of(annotation: Any) -> str:
    """` (of ListedPlan)` behind a field that has such."""
    parts = (annotation, *get_args(annotation))
    names = [p.__name__ for p in parts if isinstance(p, type) and issubclass(p, BaseModel)]
    return f" (of `{names[0]}`)" if names else ""


def error_schema() -> dict[str, Any]:
    """JSON Schema of the document of a failure."""
    maybe = {"type": ["string", "null"]}
    fields = {
        field.name: maybe if "None" in str(field.type) else {"type": "string"}
        for field in dataclasses.fields(errors.Fault)
    }
    fault = {
        "type": "object",
        "properties": fields | {"code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}},
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:steelyard:error:1",
        "title": "What a command prints under --json when it fails",
        "type": "object",
        "properties": {
            "schema": {"const": ERROR_FORM},
            "error": {"$ref": "#/$defs/fault"},
            "errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/fault"}},
        },
        "required": ["schema", "error", "errors"],
        "additionalProperties": False,
        "$defs": {"fault": fault},
    }


if __name__ == "__main__":
    sys.exit(main())

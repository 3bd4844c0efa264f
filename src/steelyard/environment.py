"""What the machine says: the variables that commands obey, and where Steelyard keeps its files.

That is `$STEELYARD_HOME`, by default the user's data folder of the platform.

Linux: `~/.local/share/steelyard`, or under `$XDG_DATA_HOME`. macOS: `~/Library/Application
Support/steelyard`.
Windows: `%LOCALAPPDATA%\\steelyard`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import platformdirs

from steelyard.errors import SettingsError

VARIABLE = "STEELYARD_HOME"
DATABASE = "STEELYARD_DATABASE"
DATABASE_FILE = "steelyard.db"
COMMAND = "steelyard "
TYPED = re.compile(r"(?<=[\s:`'(])steelyard (?=[a-z])|^steelyard (?=[a-z])")
"""The beginning of a command of ours in a sentence."""
BROKER_KEYS = ("APCA_",)
"""How every variable begins that holds keys of a broker."""


def home(environment: Mapping[str, str]) -> Path:
    """The folder; nothing is made and nothing is looked at. An empty variable is as good as none.

    Raises SettingsError for `~` and the name of somebody who has no home.
    """
    chosen = environment.get(VARIABLE)
    if not chosen:
        return platformdirs.user_data_path("steelyard", appauthor=False)
    return _whole(VARIABLE, chosen)


def command(environment: Mapping[str, str], words: str) -> str:
    """A command of ours as it is typed to act on this home and database, where they are others.

    words   what comes after `steelyard`
    A password is not written out: PASSWORD stands in its place.

    >>> command({}, "resume")
    'steelyard resume'
    >>> command({"STEELYARD_HOME": "/srv/my home"}, "resume")
    "STEELYARD_HOME='/srv/my home' steelyard resume"
    """
    chosen, database = home(environment), environment.get(DATABASE)
    folder = "" if chosen == home({}) else f"{VARIABLE}={shlex.quote(str(chosen))} "
    server = f"{DATABASE}={shlex.quote(_without_password(database))} " if database else ""
    return f"{folder}{server}{COMMAND}{words}"


def _without_password(address: str) -> str:
    """
    >>> _without_password("postgresql://me:secret@db.example/own?sslmode=require")
    'postgresql://me:PASSWORD@db.example/own?sslmode=require'
    >>> _without_password("postgresql:///own?password=secret")
    'postgresql:///own?password=PASSWORD'
    """
    shown = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:PASSWORD@", address)
    return re.sub(r"(password=)[^&]*", r"\1PASSWORD", shown)


def with_home(environment: Mapping[str, str], text: str) -> str:
    """A text whose commands of ours act on this home; the prefix of `command` stands before each.

    >>> with_home({"STEELYARD_HOME": "/srv/own"}, "Nothing was sent. Start it: steelyard runner")
    'Nothing was sent. Start it: STEELYARD_HOME=/srv/own steelyard runner'
    """
    prefix = command(environment, "")
    if prefix == COMMAND or prefix in text:
        return text
    return TYPED.sub(lambda _: prefix, text)


def _whole(variable: str, chosen: str) -> Path:
    """A path of a variable, with the home that `~` stands for."""
    try:
        return Path(chosen).expanduser().absolute()
    except RuntimeError as error:
        raise SettingsError(
            f"{variable} is {chosen!r}, and nobody of that name has a home. Nothing was planned. "
            "Name a whole path, or unset it.",
            code="no_such_home",
            place=variable,
            value=chosen,
            hint="name a whole path, or unset it",
        ) from error


def database(environment: Mapping[str, str]) -> str:
    """Where strategies, buckets and plans are kept: a path, or a URL; nothing is looked at.

    Raises SettingsError as `home`.
    """
    chosen = environment.get(DATABASE)
    if chosen:
        return chosen if "://" in chosen else str(_whole(DATABASE, chosen))
    return str(home(environment) / DATABASE_FILE)


class Variable(NamedTuple):
    """One variable: what it sets, and what holds where it is unset or empty."""

    name: str
    meaning: str
    default: str


VARIABLES = (
    Variable(
        "STEELYARD_HOME",
        "the folder where Steelyard keeps its files; `~` is the user's home",
        "the data folder of the user, below",
    ),
    Variable(
        "STEELYARD_DATABASE",
        "the database: the path of a SQLite file, or `postgresql://USER:PASSWORD@HOST/NAME`, which "
        "needs the extra `postgres`",
        "`steelyard.db` in the folder above",
    ),
    Variable(
        "STEELYARD_LOG",
        "from which level on the log goes to stderr: `debug`, `info`, `warning` or `error`",
        "no log",
    ),
    Variable(
        "STEELYARD_LOG_FORMAT",
        "how its lines are written: `text`, or `json` for one JSON object a line",
        "text",
    ),
    Variable(
        "STEELYARD_FAILURE_THRESHOLD",
        "failures in a row that put a module out of service: 1 to 1,000",
        "3",
    ),
    Variable(
        "STEELYARD_OPEN_SECONDS",
        "seconds that a module is out of service before one plan tries it: over 0, at most 86,400",
        "300",
    ),
    Variable(
        "STEELYARD_MAX_FILE_BYTES",
        "the largest file that is read whole, which is every file but prices; plain or unpacked",
        "67,108,864",
    ),
    Variable(
        "STEELYARD_MAX_PRICE_BYTES",
        "the largest file of prices, plain or unpacked",
        "1,073,741,824",
    ),
    Variable("STEELYARD_MAX_FILE_ROWS", "the most rows of a file that is read whole", "1,000,000"),
    Variable(
        "STEELYARD_MAX_PRICE_CELLS",
        "the most closes of the symbols in use that a file of prices may give",
        "50,000,000",
    ),
    Variable(
        "STEELYARD_CALCULATION_SECONDS",
        "seconds that a calculation may be used again by later plans of a process: 0 to 86,400; 0 "
        "keeps none",
        "300",
    ),
    Variable(
        "STEELYARD_CALCULATION_BYTES",
        "bytes of the calculations that a process keeps for later plans; 0 keeps none",
        "67,108,864",
    ),
    Variable(
        "STEELYARD_PAPER_PACE",
        "seconds that really pass in a second of the paper market; 0 lets it run",
        "0.02",
    ),
    Variable(
        "STEELYARD_ENGINE_ACTIVE",
        "which engine makes plans: `fast` or `reference`",
        "`[engine]` of `execution.toml`, or `fast`",
    ),
    Variable(
        "STEELYARD_ENGINE_SHADOW",
        "does the other engine calculate beside it: `on` or `none`",
        "`[engine]` of `execution.toml`, or `on`",
    ),
    Variable(
        "STEELYARD_ENGINE_ON_DIVERGENCE",
        "what is done where the engines differ: `log`, `alert` or `block`",
        "`[engine]` of `execution.toml`, or `alert`",
    ),
    Variable(
        "STEELYARD_TOKEN",
        "the token of this machine, at least 32 signs, in place of that of the file",
        "`token` in the folder above, made at the first start",
    ),
    Variable(
        "SERVICES_CONFIG_PATH",
        "the file that says which service listens where: `[services]` in TOML, or `services.yaml`",
        "`services.toml` in the folder above, or all on this machine",
    ),
    Variable("EVALUATOR_PORT", "where `serve evaluator` listens", "8010"),
    Variable(
        "COORDINATOR_TIMEOUT",
        "seconds that making a plan through services may take: over 0, at most 86,400",
        "300",
    ),
    Variable(
        "STEELYARD_EXECUTION__SECTION__KEY",
        "a setting of execution: `…__LIMITS__PAPER__MAX_REJECTS=3` is one of `[limits.paper]`",
        "`execution.toml` in the folder above, or what is built in",
    ),
)


HEALTH_FILE: Mapping[str, str] = {
    "Linux": "`~/.local/share/steelyard/health.json`; under `$XDG_DATA_HOME` where that is set",
    "macOS": "`~/Library/Application Support/steelyard/health.json`",
    "Windows": r"`%LOCALAPPDATA%\steelyard\health.json`",
}
"""Platform -> where the failures of modules are kept while `STEELYARD_HOME` is unset."""

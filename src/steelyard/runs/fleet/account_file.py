"""`account.toml` of an account of a fleet:

name = "Ada Smith"           # else the name of its folder
strategy = "conservative"    # a preset, a stored name, a TOML file beside it; else the common one
[cash]
USD = "1200.50"              # as --cash USD=1200.50 of plan, and as a CASH:USD row of holdings
"""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from steelyard.errors import InputError, did_you_mean, one_line
from steelyard.importers.values import NOTHING

FILE: Final = "account.toml"
KEYS: Final = ("name", "cash", "strategy")
LONGEST: Final = 200
"""Characters of a name."""
SHOWN: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What the file says. cash: CUR=AMOUNT as of the command line; strategy: "" = it names none."""

    name: str = ""
    strategy: str = ""
    cash: tuple[str, ...] = ()


NONE: Final = AccountSettings()


def settings_of(content: bytes) -> AccountSettings:
    """The settings of a file; raises InputError for anything in it that is not understood."""
    try:
        values = tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise _unusable(f"is not TOML: {one_line(str(error), LONGEST)}", None) from error
    for key in values:
        if key not in KEYS:
            near = did_you_mean(key, KEYS)
            near = f" ({near.strip()})" if near else ""
            shown = one_line(key, SHOWN)
            raise _unusable(f"has {shown!r}; it may have {', '.join(KEYS)}{near}", shown)
    return AccountSettings(
        name=_text(values, "name"), strategy=_text(values, "strategy"), cash=_cash(values)
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    text = values.get(key, "")
    if not isinstance(text, str) or len(text) > LONGEST:
        shown = one_line(str(text), SHOWN)
        raise _unusable(f"gives {key} no text of at most {LONGEST} characters but {shown}", shown)
    text = " ".join(text.split())
    if any(unicodedata.category(letter) == "Cc" for letter in text):  # no file or table takes them
        shown = one_line(text, SHOWN)
        raise _unusable(f"gives {key} a text with control characters, {shown}", shown)
    return text


def _cash(values: Mapping[str, Any]) -> tuple[str, ...]:
    table = values.get("cash", {})
    if not isinstance(table, Mapping):
        shown = one_line(str(table), SHOWN)
        raise _unusable(f'gives cash no table but {shown}; write [cash] and USD = "1200"', shown)
    for currency, amount in table.items():
        if isinstance(amount, bool) or not isinstance(amount, str | int | Decimal):
            shown = one_line(str(amount), SHOWN)
            raise _unusable(f'gives cash.{currency} no amount but {shown}; write "1200.50"', shown)
    return tuple(f"{currency}={amount}" for currency, amount in sorted(table.items()))


def _unusable(reason: str, value: str | None) -> InputError:
    return InputError(
        f"{FILE} {reason.rstrip('.')}. {NOTHING} Correct it.",
        code="account_file",
        place=FILE,
        value=value,
        limit=", ".join(KEYS),
        hint="correct it",
    )

"""Bundled portfolios and quotes, as paths; nothing is parsed here and nothing of steelyard is
imported.

What comes out: `sample(name)`, the files of one portfolio. All are read by the importers like any
user's own files.

    growth   USD account, 14 holdings with costs and dates, targets, 6 % cash: the portfolio of
             `steelyard demo`
    euro     the same securities, quoted in USD, in an account that counts and keeps its cash in
             EUR: every trade converts
    broken   must be refused: a stale price, a holding and a target nobody knows, target weights
             that sum to 1.2

To add one: a folder here with holdings.csv, targets.csv and securities.csv, its name in PORTFOLIOS
and in `scripts/make_data.py`, a paragraph in PROVENANCE.md, which also says where the quotes come
from and what they are not.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The wheel is always unpacked (no zip import), so the folder of this file is the data's;
# importlib.resources would say the same.
_FOLDER: Final = Path(__file__).resolve().parent
_QUOTES: Final = _FOLDER / "quotes"
_BASE_CURRENCIES: Final = {"growth": "USD", "euro": "EUR", "broken": "USD"}

PORTFOLIOS: Final = ("growth", "euro", "broken")
SECURITIES: Final = _FOLDER / "securities.csv"
"""Names, sectors and countries of all 25 securities that have prices; a portfolio's own file lists
fewer.
"""
SOURCE: Final[str] = json.loads((_QUOTES / "source.json").read_text(encoding="ascii"))["source"]
"""Where the installed quotes come from: "skfolio" (real, adjusted) or "generated" (a seeded random
walk).
"""


@dataclass(frozen=True)
class Sample:
    """The files of one bundled portfolio.

    base_currency   the currency in which the account counts
    prices          adjusted closes in USD, wide, daily
    fx              units of base per unit of currency, daily; None where nothing converts
    index           S&P 500, daily, for comparison; not tradable
    """

    name: str
    base_currency: str
    holdings: Path
    targets: Path
    securities: Path
    prices: Path
    fx: Path | None
    index: Path


def sample(name: str) -> Sample:
    """The bundled portfolio of that name.

    Raises ValueError naming the known ones.
    """
    if name not in PORTFOLIOS:
        raise ValueError(
            f"there is no sample portfolio {name!r}; known are {', '.join(PORTFOLIOS)}"
        )
    folder = _FOLDER / name
    own_prices = folder / "prices.csv"
    return Sample(
        name=name,
        base_currency=_BASE_CURRENCIES[name],
        holdings=folder / "holdings.csv",
        targets=folder / "targets.csv",
        securities=folder / "securities.csv",
        prices=own_prices if own_prices.is_file() else _QUOTES / "prices.csv.gz",
        fx=_QUOTES / "fx.csv.gz" if _BASE_CURRENCIES[name] == "EUR" else None,
        index=_QUOTES / "index.csv.gz",
    )

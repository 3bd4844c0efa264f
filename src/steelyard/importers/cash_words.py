"""What brokers call cash: words, currency codes, and funds of the money market at a price of 1."""

from __future__ import annotations

import re
from decimal import Decimal

CASH = "CASH"
PREFIX = "CASH:"
WORDS = frozenset(
    {
        *("CASH", "CASH BALANCE", "CASH & CASH INVESTMENTS", "CASH AND CASH INVESTMENTS"),
        *("CASH & CASH EQUIVALENTS", "CASH AND CASH EQUIVALENTS", "CASH & EQUIVALENTS"),
        *("CASH AND EQUIVALENTS", "CASH & MONEY MARKET", "CASH AND MONEY MARKET", "CORE CASH"),
        *("SETTLED CASH", "AVAILABLE CASH", "UNINVESTED CASH", "SETTLEMENT FUND"),
        *("CASH & SWEEP FUNDS", "CASH SWEEP", "BANK SWEEP", "MONEY MARKET", "LIQUIDITY"),
        *("GELD", "BARGELD", "GUTHABEN", "KONTO", "KASSE", "LIQUIDITÄT", "ESPÈCES", "LIQUIDITÉS"),
        *("EFECTIVO", "CONTANTI", "LIQUIDITÀ"),
    }
)
FUND_OF_CASH = "CASH & CASH FUND"
"""DEGIRO's cash: this, sometimes more words, and the currency in brackets."""
CURRENCIES = frozenset(
    {
        *("AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF"),
        *("IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN"),
        *("RON", "SEK", "SGD", "THB", "TRY", "USD", "ZAR"),
    }
)
"""Codes that stand for cash of that currency where a symbol is asked for."""
OF_CURRENCY = re.compile(r"CASH \(?([A-Z]{3})\)?|([A-Z]{3}) CASH")
"""Cash and its currency in words: Cash USD, Cash (EUR), CHF cash."""
MONEY_MARKET = re.compile(r"[A-Z]{3}XX|[A-Z]+\*\*")
"""US funds of the money market have five letters ending in XX; Fidelity marks its cash by **."""


def is_cash(name: str, price: Decimal | None) -> bool:
    """Is a row of this name cash? A price other than 1 says that it is something else.

    >>> is_cash("Cash & Cash Investments", None), is_cash("SPAXX**", Decimal(1))
    (True, True)
    >>> is_cash("USD", Decimal("65.2")), is_cash("AAPL", Decimal(1))
    (False, False)
    """
    return is_cash_name(name) and (price is None or price == 1)


def is_plain_cash(name: str) -> bool:
    """Is it a word of cash or a currency? Nothing had to be decided to read it so.

    >>> is_plain_cash("CASH & CASH FUND & FTX CASH (EUR)"), is_plain_cash("CASHLESS INC")
    (True, False)
    """
    upper = " ".join(name.upper().split())
    plain = upper in WORDS or upper.startswith((FUND_OF_CASH, PREFIX))
    return plain or bool(currency_of(upper))


def is_cash_name(name: str) -> bool:
    """Is it a cash word, a currency, or a fund of the money market?"""
    return is_plain_cash(name) or bool(MONEY_MARKET.fullmatch(name.upper().strip()))


def currency_of(name: str) -> str:
    """The currency that a name of cash says, else an empty text.

    >>> currency_of("usd"), currency_of("Cash (EUR)"), currency_of("Cash Cow")
    ('USD', 'EUR', '')
    """
    bare = " ".join(name.upper().split()).rstrip("*")
    words = OF_CURRENCY.fullmatch(bare)
    code = (words[1] or words[2]) if words else bare
    return code if code in CURRENCIES else ""

"""Where a bucket's dividends go: credited first, then kept, set aside, or handed to the core."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from steelyard.buckets.satellite import DividendHandling
from steelyard.errors import InputError
from steelyard.money import ZERO
from steelyard.portfolio import Snapshot


class Credit(NamedTuple):
    """What dividends made of a bucket: no state lies between credit and transfer.

    snapshot     of the bucket, with the cash that stays in it
    transfers    currency -> money for the core, credited here and taken out again
    set_aside    symbol -> money for more of what paid it: `BucketState.dividends` of the next plan
    """

    snapshot: Snapshot
    transfers: Mapping[str, Decimal]
    set_aside: Mapping[str, Decimal]


def apply_dividends(
    snapshot: Snapshot,
    dividends: Mapping[str, Decimal],
    handling: DividendHandling,
    waiting: Mapping[str, Decimal] = MappingProxyType({}),
) -> Credit:
    """Credit dividends to a bucket and do with them as it says.

    dividends   symbol -> money in the security's currency, not in the snapshot's cash yet
    waiting     symbol -> money set aside earlier that bought nothing yet, in that cash already
    Raises InputError for a symbol that is no security of the bucket, and for an amount not above 0.
    """
    received: dict[str, Decimal] = {}
    for symbol, amount in dividends.items():
        security = snapshot.security(symbol)
        if security is None:
            raise InputError(
                f"The dividend of {symbol} is not of a security of bucket {snapshot.bucket}. "
                "Nothing was credited.",
                code="dividend_of_stranger",
                place=symbol,
            )
        if not (amount.is_finite() and amount > 0):
            raise InputError(
                f"The dividend of {symbol} is {amount}; it must be above 0. Nothing was credited.",
                code="dividend_not_positive",
                place=symbol,
                value=amount,
                limit="above 0",
            )
        received[security.currency] = received.get(security.currency, ZERO) + amount
    if handling == "send_to_core":
        return Credit(snapshot, MappingProxyType(received), MappingProxyType({}))
    set_aside = _together(waiting, dividends) if handling == "reinvest_same" else {}
    return Credit(
        snapshot=replace(snapshot, cash=MappingProxyType(_together(snapshot.cash, received))),
        transfers=MappingProxyType({}),
        set_aside=MappingProxyType(set_aside),
    )


def _together(before: Mapping[str, Decimal], fresh: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {**before, **{key: before.get(key, ZERO) + more for key, more in fresh.items()}}

"""Deterministic ids: the same run and the same order have the same id whenever they are made.

Nothing in them is random or from a clock, so an order that may have been sent is asked for by the
id that it was sent with.
"""

from __future__ import annotations

import base64
import hashlib
from decimal import Decimal

from steelyard.canonical import plain
from steelyard.orders import Side

PREFIX = "p1"
"""Every client order id of ours begins so."""
RUN_SIGNS, ORDER_SIGNS = 20, 30
SEPARATOR = "\x1f"


def run_id(account: str, mode: str, plan_id: str, key: str) -> str:
    """Of one execution of a plan in an account; `key` tells two that are meant apart."""
    return f"r-{_digest((account, mode, plan_id, key))[:RUN_SIGNS]}"


def client_order_id(run: str, step: int, attempt: int) -> str:
    """Of one attempt at one step: 32 letters and digits, which every broker takes."""
    return f"{PREFIX}{_digest((run, str(step), str(attempt)))[:ORDER_SIGNS]}"


def params_hash(symbol: str, side: Side, quantity: Decimal, limit_price: Decimal) -> str:
    """Of what an order says; the same id with other parameters is an error, and halts."""
    parts = (symbol, side.value, plain(quantity), "limit", plain(limit_price), "day")
    return hashlib.sha256(SEPARATOR.join(parts).encode()).hexdigest()


def _digest(parts: tuple[str, ...]) -> str:
    digest = hashlib.sha256(SEPARATOR.join(parts).encode()).digest()
    return base64.b32encode(digest).decode("ascii").lower().rstrip("=")

"""What a plan was made from, as bytes: the same content gives the same bytes in any process.

    steelyard 1 market 9f86d0…\\n      format, part, SHA-256 of what follows once inflated
    deflated JSON text                 the records of `store.records`, keys sorted

Two parts, because many portfolios share a market and a portfolio lasts over many days' prices. No
code is in them: what is read can only become the records named here.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from steelyard.errors import SteelyardError, StoreError
from steelyard.importers import Inputs
from steelyard.importers.as_of import AsOfFrom
from steelyard.market import Market
from steelyard.notices import Notice
from steelyard.portfolio import Snapshot
from steelyard.store.records import code_of
from steelyard.targets import Targets

FORMAT = 1
"""Raised whenever bytes of before would be read as something else."""
HEAD = re.compile(rb"steelyard (\d{1,6}) (portfolio|market) ([0-9a-f]{64})\n")
LONGEST_REASON = 200
UNREADABLE = (SteelyardError, zlib.error, ArithmeticError, LookupError, TypeError, ValueError)
"""What reading raises for bytes that are not what they say."""
RESTORE = "Restore a backup with: steelyard db restore F"

Part = Literal["portfolio", "market"]


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What is owned and wanted."""

    snapshot: Snapshot
    targets: Targets | None
    warnings: tuple[Notice, ...]
    as_of_from: AsOfFrom


@dataclass(frozen=True, slots=True)
class Packed:
    """Both parts of the inputs of a plan, each with the hash of its content."""

    portfolio: bytes
    market: bytes
    portfolio_sha256: str
    market_sha256: str


def pack(inputs: Inputs, market_sha256: str | None = None) -> Packed:
    """Inputs as bytes; without those of a market that is known to be stored under its hash."""
    owned = Portfolio(inputs.snapshot, inputs.targets, inputs.warnings, inputs.as_of_from)
    portfolio, portfolio_sha256 = _pack("portfolio", code_of(Portfolio).write(owned))
    market = b""
    if market_sha256 is None:
        market, market_sha256 = _pack("market", code_of(Market).write(inputs.market))
    return Packed(portfolio, market, portfolio_sha256, market_sha256)


def unpack_portfolio(body: bytes) -> Portfolio:
    """What is owned and wanted alone; raises StoreError as `unpack`."""
    owned: Portfolio = _unpack("portfolio", body, Portfolio)
    return owned


def unpack(portfolio: bytes, market: bytes) -> Inputs:
    """The inputs of both parts; raises StoreError for one that is damaged or of a later format."""
    owned = unpack_portfolio(portfolio)
    prices: Market = _unpack("market", market, Market)
    return Inputs(
        snapshot=owned.snapshot,
        market=prices,
        targets=owned.targets,
        warnings=owned.warnings,
        as_of_from=owned.as_of_from,
    )


def _pack(part: Part, values: Mapping[str, Any]) -> tuple[bytes, str]:
    """(bytes, hash of the content): the hash depends on no compressor."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)
    content = text.encode("ascii")
    sha256 = hashlib.sha256(b"%d %s\n%s" % (FORMAT, part.encode(), content)).hexdigest()
    return _head(part, sha256) + zlib.compress(content), sha256


def _head(part: Part, sha256: str) -> bytes:
    return f"steelyard {FORMAT} {part} {sha256}\n".encode("ascii")


def _unpack(part: Part, body: bytes, kind: type) -> Any:
    head = HEAD.match(body)
    if head is None:
        raise _damaged(part, f"it does not begin as one, but with {body[:20]!r}")
    version, written, sha256 = int(head[1]), head[2].decode(), head[3].decode()
    if version > FORMAT:
        raise _later(part, version)
    if written != part:
        raise _damaged(part, f"it is of a {written}")
    try:
        content = zlib.decompress(body[head.end() :])
        actual = hashlib.sha256(b"%d %s\n%s" % (version, part.encode(), content)).hexdigest()
        if actual != sha256:
            raise _damaged(part, f"its hash is {actual[:12]}, and {sha256[:12]} was written")
        return code_of(kind).read(json.loads(content))
    except StoreError:
        raise
    except UNREADABLE as error:
        raise _damaged(part, f"{type(error).__name__}: {error}"[:LONGEST_REASON]) from error


def _damaged(part: Part, reason: str) -> StoreError:
    return StoreError(
        f"A stored {part} is damaged: {reason}. Nothing was read. {RESTORE}",
        code="snapshot_damaged",
        place=part,
        value=reason,
        hint=RESTORE,
    )


def _later(part: Part, version: int) -> StoreError:
    mend = "Update Steelyard, or plan again from files."
    return StoreError(
        f"A stored {part} is of format {version}, and this version of Steelyard reads up to "
        f"{FORMAT}. Nothing was read. {mend}",
        code="snapshot_newer",
        place=part,
        value=version,
        limit=FORMAT,
        hint=mend,
    )

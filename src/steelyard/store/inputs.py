"""What plans were made from, once each by hash: what is owned with its targets, and the prices."""

from __future__ import annotations

from sqlalchemy import Connection, select

from steelyard.errors import NotStored
from steelyard.importers import Inputs
from steelyard.store.schema import snapshot
from steelyard.store.snapshots import Packed, Portfolio, unpack, unpack_portfolio
from steelyard.store.store import Store, Transaction


def keep(transaction: Transaction, packed: Packed) -> None:
    """Write both parts, each unless it is there."""
    _keep(transaction, "portfolio", packed.portfolio_sha256, packed.portfolio)
    _keep(transaction, "market", packed.market_sha256, packed.market)


def load(store: Store, portfolio: str, market: str) -> Inputs:
    """The inputs of two hashes; raises NotStored, and StoreError for a damaged body."""
    with store.reading() as connection:
        bodies = [_body(connection, key) for key in (portfolio, market)]
    return unpack(*bodies)


def portfolio_of(store: Store, sha256: str) -> Portfolio:
    """What is owned and wanted, without prices; raises as `load`."""
    with store.reading() as connection:
        body = _body(connection, sha256)
    return unpack_portfolio(body)


def _keep(transaction: Transaction, kind: str, sha256: str, body: bytes) -> None:
    query = select(snapshot.c.sha256).where(snapshot.c.sha256 == sha256)
    if transaction.connection.scalar(query) is None:
        row = {"sha256": sha256, "kind": kind, "body": body, "created_at": transaction.stamp}
        transaction.connection.execute(snapshot.insert().values(**row))


def _body(connection: Connection, sha256: str) -> bytes:
    body = connection.scalar(select(snapshot.c.body).where(snapshot.c.sha256 == sha256))
    if body is None:
        raise NotStored(
            f"The inputs {sha256} are not in the database. Nothing was planned.",
            code="no_such_inputs",
            place="snapshot",
            value=sha256,
        )
    return bytes(body)

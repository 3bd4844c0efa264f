"""The file of all paper accounts: `orders`, `executions`, `positions`, `cash` and what they need.

Numbers are decimals as text, times are ISO 8601 in UTC with six digits, so they sort as text.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from steelyard.brokers.files import connection_to

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (account TEXT PRIMARY KEY, base_currency TEXT NOT NULL,
  zone TEXT NOT NULL, as_of TEXT NOT NULL, now TEXT NOT NULL, fixed TEXT NOT NULL,
  percent TEXT NOT NULL, fx_percent TEXT NOT NULL, script TEXT NOT NULL, connects INT NOT NULL,
  requests INT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS securities (account TEXT, symbol TEXT, price TEXT NOT NULL,
  currency TEXT NOT NULL, multiplier TEXT NOT NULL, lot_size TEXT NOT NULL,
  PRIMARY KEY (account, symbol)) STRICT;
CREATE TABLE IF NOT EXISTS rates (account TEXT, currency TEXT, rate TEXT NOT NULL,
  PRIMARY KEY (account, currency)) STRICT;
CREATE TABLE IF NOT EXISTS orders (account TEXT, number INT, client_order_id TEXT NOT NULL,
  broker_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL,
  limit_price TEXT NOT NULL, currency TEXT NOT NULL, state TEXT NOT NULL,
  filled_quantity TEXT NOT NULL, notional TEXT NOT NULL, value TEXT NOT NULL, fee TEXT NOT NULL,
  created_at TEXT NOT NULL, expires_at TEXT NOT NULL, seen_at TEXT NOT NULL, cancels_at TEXT,
  connect INT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (account, number)) STRICT;
CREATE INDEX IF NOT EXISTS orders_by_client ON orders (account, client_order_id);
CREATE TABLE IF NOT EXISTS due (account TEXT, number INT, part INT, at TEXT NOT NULL,
  quantity TEXT NOT NULL, ghost INT NOT NULL, PRIMARY KEY (account, number, part)) STRICT;
CREATE TABLE IF NOT EXISTS executions (account TEXT, exec_id TEXT, number INT NOT NULL,
  client_order_id TEXT NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL,
  price TEXT NOT NULL, fee TEXT NOT NULL, value TEXT NOT NULL, currency TEXT NOT NULL,
  at TEXT NOT NULL, settles TEXT NOT NULL, told_at TEXT NOT NULL, told_connect INT NOT NULL,
  PRIMARY KEY (account, exec_id)) STRICT;
CREATE TABLE IF NOT EXISTS positions (account TEXT, symbol TEXT, quantity TEXT NOT NULL,
  PRIMARY KEY (account, symbol)) STRICT;
CREATE TABLE IF NOT EXISTS cash (account TEXT, currency TEXT, amount TEXT NOT NULL,
  PRIMARY KEY (account, currency)) STRICT;
CREATE TABLE IF NOT EXISTS arriving (account TEXT, exec_id TEXT, currency TEXT NOT NULL,
  amount TEXT NOT NULL, spendable_at TEXT NOT NULL, settles_at TEXT NOT NULL,
  PRIMARY KEY (account, exec_id)) STRICT;
CREATE TABLE IF NOT EXISTS activities (account TEXT, activity_id TEXT, kind TEXT NOT NULL,
  at TEXT NOT NULL, cash TEXT NOT NULL, symbol TEXT NOT NULL, shares TEXT NOT NULL,
  PRIMARY KEY (account, activity_id)) STRICT;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the file, which is made where it is not there."""
    return connection_to(path, SCHEMA)

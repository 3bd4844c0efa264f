"""The tables of `journal.db`, and how far this version knows them.

Shares are INTEGER 1e-9, money INTEGER 1e-4 with its currency beside it, prices decimal TEXT. A fill
has the broker's total, never price × quantity.
"""

from __future__ import annotations

VERSION = 1
"""`PRAGMA user_version`: a journal of a later one is not opened."""

TABLES = (
    """CREATE TABLE run (run_id TEXT PRIMARY KEY, account TEXT NOT NULL,
      mode TEXT NOT NULL CHECK(mode IN('paper','live')), plan_hash TEXT NOT NULL,
      config_version INT NOT NULL, build TEXT NOT NULL, idem_key TEXT NOT NULL UNIQUE,
      req_hash TEXT NOT NULL, state TEXT NOT NULL, fence INT NOT NULL, created_utc TEXT NOT NULL,
      bucket TEXT NOT NULL, broker TEXT NOT NULL, outcome TEXT, reason TEXT NOT NULL DEFAULT '',
      ended_utc TEXT) STRICT""",
    """CREATE UNIQUE INDEX one_live_run ON run(account)
      WHERE state NOT IN ('DONE','ABORTED','DRAFT','PLANNED')""",
    """CREATE TABLE leg (run_id TEXT REFERENCES run, step INT, attempt INT,
      coid TEXT NOT NULL UNIQUE, venue_int_id INT UNIQUE, params_hash TEXT NOT NULL, symbol TEXT,
      side TEXT CHECK(side IN('buy','sell')), qty_e9 INT CHECK(qty_e9>0), limit_px TEXT NOT NULL,
      state TEXT NOT NULL, venue_id TEXT, reserved_cash_e4 INT NOT NULL,
      reason TEXT NOT NULL DEFAULT '', bid TEXT, ask TEXT, sent_utc TEXT,
      PRIMARY KEY(run_id,step,attempt)) STRICT""",
    """CREATE TABLE fill (account TEXT, exec_id TEXT, coid TEXT, qty_e9 INT CHECK(qty_e9>0),
      value_e4 INT, fee_e4 INT, ccy TEXT, venue_ts TEXT, symbol TEXT NOT NULL, side TEXT NOT NULL,
      price TEXT NOT NULL, settles TEXT, PRIMARY KEY(account, exec_id)) STRICT""",
    "CREATE INDEX fill_coid ON fill(coid)",
    "CREATE INDEX fill_at ON fill(account, venue_ts)",
    "CREATE TABLE posting (txn INT, account TEXT, commodity TEXT, amount INT) STRICT",
    "CREATE INDEX posting_txn ON posting(txn)",
    """CREATE TABLE event (seq INTEGER PRIMARY KEY, ts_utc TEXT, mono_ns INT, boot_id TEXT,
      run_id TEXT, kind TEXT, body TEXT, prev BLOB, hash BLOB) STRICT""",
    """CREATE INDEX event_of_run ON event(run_id, kind)
      WHERE kind IN ('RunStateChanged','AlertRaised')""",
    "CREATE INDEX halt_event ON event(seq) WHERE kind = 'HaltChanged'",
    """CREATE TABLE lease (account TEXT PRIMARY KEY, fence INT NOT NULL, boot_id TEXT, pid INT,
      expires_mono_ns INT) STRICT""",
    # what a run was begun with: resuming needs nothing else
    "CREATE TABLE request (run_id TEXT PRIMARY KEY REFERENCES run, body TEXT NOT NULL) STRICT",
    """CREATE TABLE opening (run_id TEXT REFERENCES run, commodity TEXT, kind TEXT,
      amount INT NOT NULL, PRIMARY KEY(run_id, kind, commodity)) STRICT""",
    """CREATE TABLE owner (run_id TEXT REFERENCES run, step INT, book TEXT, qty_e9 INT NOT NULL,
      PRIMARY KEY(run_id, step, book)) STRICT""",
    """CREATE TABLE strike (run_id TEXT REFERENCES run, step INT, attempt INT, state TEXT,
      count INT NOT NULL, PRIMARY KEY(run_id, step, attempt, state)) STRICT""",
    """CREATE TABLE arm (arm_id INTEGER PRIMARY KEY, plan_id TEXT NOT NULL, account TEXT NOT NULL,
      body TEXT NOT NULL, state TEXT NOT NULL, created_utc TEXT NOT NULL, expires_utc TEXT,
      run_id TEXT) STRICT""",
    """CREATE TABLE reconciliation (id INTEGER PRIMARY KEY, run_id TEXT, account TEXT NOT NULL,
      at_utc TEXT NOT NULL, clean INT NOT NULL, body TEXT NOT NULL) STRICT""",
    """CREATE TABLE freeze (id INTEGER PRIMARY KEY, account TEXT NOT NULL, since_utc TEXT NOT NULL,
      reason TEXT NOT NULL, lifted_utc TEXT, lifted_reason TEXT) STRICT""",
    "CREATE UNIQUE INDEX one_freeze ON freeze(account) WHERE lifted_utc IS NULL",
    """CREATE TABLE activity (account TEXT, activity_id TEXT, body TEXT NOT NULL,
      PRIMARY KEY(account, activity_id)) STRICT""",
)

"""Buckets with their cash and settings, the snapshots of inputs, plans."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables."""
    _snapshots()
    _buckets()
    _plans()


def _snapshots() -> None:
    op.create_table(
        "snapshot",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column(
            "kind", sa.Text, sa.CheckConstraint("kind IN ('portfolio', 'market')"), nullable=False
        ),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )


def _buckets() -> None:
    op.create_table(
        "bucket",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column(
            "kind", sa.Text, sa.CheckConstraint("kind IN ('core', 'satellite')"), nullable=False
        ),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("target_weight", sa.Float, nullable=False),
        sa.Column("universe", sa.Text, nullable=False, server_default="[]"),
        sa.Column("base_currency", sa.Text),
        sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("portfolio", sa.Text, sa.ForeignKey("snapshot.sha256")),
        sa.Column("market", sa.Text, sa.ForeignKey("snapshot.sha256")),
        sa.Column("files", sa.Text, nullable=False, server_default="[]"),
        sa.Column("loaded_at", sa.Text),
        sa.Column("as_of", sa.Text),
        sa.Column("value", sa.Text),
        sa.Column("units", sa.Text),
        sa.Column("high_water_mark", sa.Text),
    )
    op.create_table(
        "assignment",
        sa.Column("bucket", sa.Text, sa.ForeignKey("bucket.name"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("assigned_at", sa.Text, nullable=False),
        sa.Column("assigned_by", sa.Text, nullable=False),
    )
    op.create_index("followers", "assignment", ["name"])
    op.create_table(
        "bucket_settings",
        sa.Column("bucket", sa.Text, sa.ForeignKey("bucket.name"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_table(
        "bucket_cash",
        sa.Column("bucket", sa.Text, sa.ForeignKey("bucket.name"), primary_key=True),
        sa.Column("currency", sa.Text, primary_key=True),
        sa.Column("amount", sa.Text, nullable=False),
    )
    op.create_table(
        "cash_move",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("bucket", sa.Text, sa.ForeignKey("bucket.name"), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("amount", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("other", sa.Text),
        sqlite_autoincrement=True,
    )


def _plans() -> None:
    text, number = sa.Text, sa.Float
    op.create_table(
        "plan",
        sa.Column("plan_id", text, primary_key=True),
        sa.Column("bucket", text, nullable=False),
        sa.Column("as_of", text, nullable=False),
        sa.Column("saved_at", text, nullable=False),
        sa.Column("strategy", text, nullable=False),
        sa.Column("strategy_version", sa.Integer),
        sa.Column("strategy_sha256", text, nullable=False),
        sa.Column("action", text, nullable=False),
        sa.Column("orders", sa.Integer, nullable=False),
        sa.Column("score", number, nullable=False),
        sa.Column("improvement", number, nullable=False),
        sa.Column("turnover", number, nullable=False),
        sa.Column("cost", text, nullable=False),
        sa.Column("base_currency", text, nullable=False),
        sa.Column("sequences", sa.Integer, nullable=False),
        sa.Column("seconds", number, nullable=False),
        sa.Column("inputs_sha256", text, nullable=False),
        sa.Column("portfolio", text, sa.ForeignKey("snapshot.sha256"), nullable=False),
        sa.Column("market", text, sa.ForeignKey("snapshot.sha256"), nullable=False),
        sa.Column("files", text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
    op.create_index("plans_of_bucket", "plan", ["bucket", "saved_at"])
    op.create_index("plans_of_strategy", "plan", ["strategy", "strategy_version"])

"""Strategies and their versions, presets, events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "strategy_version",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column(
            "version", sa.Integer, sa.CheckConstraint("version > 0", name="from_1"), nullable=False
        ),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("description", sa.Text, nullable=False, server_default=""),
        sa.Column("toml", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("rules_sha256", sa.Text, nullable=False),
        sa.Column(
            "active",
            sa.Integer,
            sa.CheckConstraint("active IN (0, 1)", name="yes_no"),
            nullable=False,
        ),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("parent", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.UniqueConstraint("name", "version", name="one_number"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_active",
        "strategy_version",
        ["name"],
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active = 1"),
    )
    op.create_table(
        "preset",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("description", sa.Text, nullable=False, server_default=""),
        sa.Column("toml", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False, server_default=""),
        sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
        sa.Column("rating", sa.Float),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_table(
        "preset_use",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("uses", sa.Integer, nullable=False),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("timestamp", sa.Text, nullable=False),
        sa.Column("bucket_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("correlation_id", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_of_bucket", "event", ["bucket_id", "id"])

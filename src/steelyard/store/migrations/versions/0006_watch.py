"""Buckets that are planned when they are due: schedules, what came of each tick, who looks."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

REASONS = "reason IN ('calendar', 'one-time', 'missed', 'band')"
OUTCOMES = "outcome IN ('planned', 'refused', 'quiet', 'muted')"
STATES = "state IN ('free', 'claimed', 'done')"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "schedule",
        sa.Column("bucket", sa.Text, sa.ForeignKey("bucket.name"), primary_key=True),
        sa.Column("toml", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.Column("muted_until", sa.Text),
        sa.Column("looked_until", sa.Text, nullable=False),
        sa.Column("band_inputs", sa.Text, nullable=False, server_default=""),
        sa.Column("band_day", sa.Text, nullable=False, server_default=""),
        sa.Column("band_breaches", sa.Text, nullable=False, server_default="[]"),
    )
    op.create_table(
        "tick",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("due_at", sa.Text),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, sa.CheckConstraint(REASONS, name="why"), nullable=False),
        sa.Column("outcome", sa.Text, sa.CheckConstraint(OUTCOMES, name="what"), nullable=False),
        sa.Column("plan_id", sa.Text),
        sa.Column("missed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("missed_since", sa.Text),
        sa.Column("detail", sa.Text, nullable=False, server_default=""),
        sa.Column("breaches", sa.Text, nullable=False, server_default="[]"),
        sa.Column("deliveries", sa.Text, nullable=False, server_default="{}"),
        sa.Column("waiting", sa.Integer, sa.CheckConstraint("waiting IN (0, 1)"), nullable=False),
        sa.UniqueConstraint("bucket", "due_at", name="one_tick"),
        sqlite_autoincrement=True,
    )
    op.create_index("ticks_of_bucket", "tick", ["bucket", "id"])
    op.create_index("ticks_to_tell", "tick", ["waiting"])
    op.create_table(
        "scheduler",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, sa.CheckConstraint(STATES), nullable=False),
        sa.Column("lease_until", sa.Text),
        sa.Column("holder", sa.Text),
    )

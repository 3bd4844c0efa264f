"""Approvals of plans: who stood behind which one, until when, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

STATES = "state IN ('stored', 'handed_over', 'refused')"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "approval",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("plan_id", sa.Text, sa.ForeignKey("plan.plan_id"), nullable=False),
        sa.Column("approved_at", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sa.Column("broker", sa.Text, nullable=False),
        sa.Column("typed", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False, server_default="[]"),
        sa.Column("state", sa.Text, sa.CheckConstraint(STATES), nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("code", sa.Text, nullable=False, server_default=""),
        sa.Column("words", sa.Text, nullable=False, server_default=""),
        sa.UniqueConstraint("plan_id", "expires_at", name="one_approval"),
        sqlite_autoincrement=True,
    )

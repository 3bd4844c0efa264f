"""Plans of many accounts: runs over a folder, their slices, a row for each account."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

STATES = "state IN ('free', 'claimed', 'done')"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "fleet_run",
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("day", sa.Text, nullable=False),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.Column("because", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
    )
    op.create_index("fleets_of_folder", "fleet_run", ["folder", "created_at"])
    op.create_table(
        "fleet_slice",
        _of_run(),
        sa.Column("slice", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("accounts", sa.Text, nullable=False),
        sa.Column("state", sa.Text, sa.CheckConstraint(STATES), nullable=False),
        sa.Column("lease_until", sa.Text),
        sa.Column("holder", sa.Text),
        sa.Column("digest", sa.Text),
        sa.Column("finished_at", sa.Text),
    )
    op.create_table(
        "fleet_account",
        _of_run(),
        sa.Column("folder", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("plan_id", sa.Text),
        sa.Column("verdict", sa.Text),
        sa.Column("orders", sa.Integer),
        sa.Column("improvement", sa.Float),
        sa.Column("turnover", sa.Float),
        sa.Column("drift_before", sa.Float),
        sa.Column("drift_after", sa.Float),
        sa.Column("cost", sa.Text),
        sa.Column("value", sa.Text),
        sa.Column("base_currency", sa.Text),
        sa.Column("as_of", sa.Text),
        sa.Column("occasions", sa.Text, nullable=False, server_default="[]"),
        sa.Column("problems", sa.Integer, nullable=False, server_default="0"),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("error", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("seconds", sa.Float, nullable=False),
    )


def _of_run() -> sa.Column[str]:
    return sa.Column(
        "run_id", sa.Text, sa.ForeignKey("fleet_run.run_id", ondelete="CASCADE"), primary_key=True
    )

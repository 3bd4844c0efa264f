"""Plans that are made in slices: runs, their slices, and who is planning a bucket so."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

STATES = "state IN ('free', 'claimed', 'done')"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run_key", sa.Text, nullable=False, unique=True),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("parts", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("touched_at", sa.Text, nullable=False),
        sa.Column("evaluated", sa.Integer, nullable=False, server_default="0"),
        sa.Column("total", sa.Integer),
        sa.Column("errors", sa.Integer, nullable=False, server_default="0"),
        sa.Column("plan_id", sa.Text),
        sa.Column("final", sa.Integer, sa.CheckConstraint("final IN (0, 1)"), nullable=False),
        sa.Column("because", sa.Text, nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("runs_of_bucket", "run", ["bucket", "touched_at"])
    op.create_table(
        "run_slice",
        sa.Column(
            "run_id", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("slice", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("stop", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, sa.CheckConstraint(STATES), nullable=False),
        sa.Column("lease_until", sa.Text),
        sa.Column("holder", sa.Text),
        sa.Column("digest", sa.Text),
        sa.Column("finished_at", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.UniqueConstraint("run_id", "part", "start", name="one_range"),
    )
    op.create_table(
        "bucket_hold",
        sa.Column("bucket", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, sa.CheckConstraint(STATES), nullable=False),
        sa.Column("lease_until", sa.Text),
        sa.Column("holder", sa.Text),
    )

"""Sign-ins of the web pages: a link that is used once, and the session that it opens."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("link_sha256", sa.Text, nullable=False, unique=True),
        sa.Column("session_sha256", sa.Text, unique=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("link_until", sa.Text, nullable=False),
        sa.Column("used_at", sa.Text),
        sa.Column("until", sa.Text),
        sa.Column("revoked_at", sa.Text),
    )

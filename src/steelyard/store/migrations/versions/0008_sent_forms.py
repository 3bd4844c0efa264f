"""Forms of pages that were sent: each is acted upon once, a restart in between too."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sent_form",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("nonce", sa.Text, nullable=False),
        sa.Column("sent_at", sa.Text, nullable=False),
        sa.Column("address", sa.Text),
    )
    op.create_index("sent_form_of_nonce", "sent_form", ["nonce"])

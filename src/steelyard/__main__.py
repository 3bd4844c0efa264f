"""`python -m steelyard`, and the console script `steelyard`."""

from __future__ import annotations

import io
import sys


def main() -> None:
    """Run the command line; exits with its code."""
    from steelyard.cli import app

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed: then nobody listens
            setattr(sys, name, io.StringIO())
    app(prog_name="steelyard")


if __name__ == "__main__":
    main()

"""`python -m steelyard`, and the console script `steelyard`."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """Run the command line; exits with its code."""
    from steelyard.cli import app
    from steelyard.cli.logs import log_to_stderr

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with it closed: then nobody listens
            setattr(sys, name, io.StringIO())
    log_to_stderr(os.environ)
    app(prog_name="steelyard")


if __name__ == "__main__":
    main()

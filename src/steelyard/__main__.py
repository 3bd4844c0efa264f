"""`python -m steelyard`, and the console script `steelyard`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; exits with its code."""
    from steelyard.cli import app

    app(prog_name="steelyard")


if __name__ == "__main__":
    main()

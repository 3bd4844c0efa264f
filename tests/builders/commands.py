"""The command line in this process: what a test types, and what came of it."""

from __future__ import annotations

from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from steelyard.cli import app
from steelyard.samples import sample


def run(*arguments: object) -> Result:
    """The result of a command; an exception that is no exit code is raised, as a bug of ours."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def own_files(folder: Path) -> list[str]:
    """Options that name two small files: what most commands do is told by two securities."""
    (folder / "h.csv").write_text("symbol,quantity,price\nAAA,100,10\nBBB,10,20\nCASH:USD,300,\n")
    (folder / "t.csv").write_text("symbol,weight\nAAA,0.5\nBBB,0.4\n")
    return ["--holdings", "h.csv", "--targets", "t.csv"]


def of_sample(name: str) -> list[object]:
    """Options that name the files of a bundled portfolio, as if they were one's own."""
    files = sample(name)
    forms = ("holdings", "targets", "prices", "securities")
    return [part for form in forms for part in (f"--{form}", getattr(files, form))]

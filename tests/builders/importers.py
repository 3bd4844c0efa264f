"""Files of brokers for tests, opened, and packages with importers, installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from builders.paths import ROOT
from steelyard.importers.brokers import generic
from steelyard.importers.reading import open_source
from steelyard.importers.registry import BUILT_IN, Importer, forms
from steelyard.importers.statement import Source

FILES = ROOT / "tests" / "importers" / "brokers" / "files"
"""name of a form/a file of it."""
COLUMNS = {
    "symbol": "Ticker",
    "quantity": "Stück",
    "price": "Preis",
    "currency": "Währung",
    "acquired": "Gekauft",
    "cost_basis": "Einstand gesamt",
    "product_type": "Art",
    "account": "Depot",
}


MAPPED = Importer(
    name="generic",
    title="mapped table",
    recognises=lambda source: False,
    read=lambda source: generic.read(source, COLUMNS),
)
"""The form that reads any table, as if its user had mapped the columns of the file of it here."""


def importers() -> dict[str, Importer]:
    """Ours by their names, and that of a mapped table."""
    built_in = [form.importer for form in forms().by_name.values() if form.source == BUILT_IN]
    return {importer.name: importer for importer in (*built_in, MAPPED)}


def opened(path: Path, content: str | bytes) -> Source:
    """A file of this content, opened as for who reads it."""
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_source(path)


def files() -> dict[str, list[Path]]:
    """Every file of the fixtures, by the name of its form."""
    folders = sorted(folder for folder in FILES.iterdir() if folder.is_dir())
    return {
        folder.name.replace("_", "-"): sorted(path for path in folder.iterdir() if path.is_file())
        for folder in folders
    }


def install(
    site: Path, patch: pytest.MonkeyPatch, package: str, code: str, points: Mapping[str, str]
) -> None:
    """Install a package of one module of its name, with these importers: name -> attribute."""
    module = package.replace("-", "_")
    metadata = site / f"{module}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / f"{module}.py").write_text(code, encoding="utf-8")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {module}:{attribute}" for name, attribute in points.items()]
    text = "\n".join(["[steelyard.importers]", *lines])
    (metadata / "entry_points.txt").write_text(f"{text}\n")
    (metadata / "RECORD").write_text(f"{module}.py,,\n")
    patch.syspath_prepend(str(site))
    patch.delitem(sys.modules, module, raising=False)

"""scripts/make_data.py: made like the bundled set; pinned wheels are checked before it writes."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders.paths import ROOT
from steelyard.samples import PORTFOLIOS, SECURITIES

SCRIPT = ROOT / "scripts" / "make_data.py"
BUNDLED = SECURITIES.parent


def make_data(
    source: str, out: Path, packages: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--source", source, "--out", str(out)]
    environment = os.environ | ({"PYTHONPATH": str(packages)} if packages else {})
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def rows(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"))))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    result = make_data("generated", out)
    assert (result.returncode, result.stderr) == (0, "")
    return out


def install(folder: Path, version: str, content: bytes) -> None:
    """A distribution that shadows whatever is installed, with one data file."""
    metadata = folder / f"skfolio-{version}.dist-info" / "METADATA"
    data = folder / "skfolio" / "datasets" / "data" / "sp500_dataset.csv.gz"
    for path, text in (
        (metadata, f"Metadata-Version: 2.1\nName: skfolio\nVersion: {version}\n".encode()),
        (data, content),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(text)


@pytest.mark.parametrize("table", ["prices", "index", "fx"])
def test_generated_tables_have_the_columns_and_dates_of_the_bundled_ones(
    generated: Path, table: str
):
    made, bundled = (rows(folder / "quotes" / f"{table}.csv.gz") for folder in (generated, BUNDLED))

    assert list(made[0]) == list(bundled[0])
    assert [row["date"] for row in made] == [row["date"] for row in bundled]
    assert [[cell == "" for cell in row.values()] for row in made] == [
        [cell == "" for cell in row.values()] for row in bundled
    ]


def test_generated_prices_are_positive_and_end_near_the_bundled_ones(generated: Path):
    made, bundled = (rows(folder / "quotes" / "prices.csv.gz") for folder in (generated, BUNDLED))

    assert all(
        float(cell) > 0 for row in made for name, cell in row.items() if name != "date" and cell
    )
    assert all(
        0.9 < float(made[-1][name]) / float(bundled[-1][name]) < 1.1
        for name in made[0]
        if name != "date"
    )


def test_generated_prices_are_the_same_on_every_machine(generated: Path):
    record = json.loads((generated / "quotes" / "source.json").read_text())

    assert record["source"] == "generated"
    assert (
        record["sha256_of_text"]["prices.csv.gz"]
        == "03589c475080e56a01ccd378e708567f7fa282215350cbbda91a105d49ec314f"
    )
    assert (
        record["sha256_of_text"]["index.csv.gz"]
        == "35a37af56064bc8fb79bcd1d480188509da41e30491ff185f3a33ddc201266ce"
    )


def test_the_same_source_gives_the_same_bytes(generated: Path, tmp_path: Path):
    make_data("generated", tmp_path)

    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == 8
    assert all(
        (tmp_path / path).read_bytes() == (generated / path).read_bytes() for path in written
    )


@pytest.mark.parametrize("name", PORTFOLIOS)
def test_costs_follow_the_quotes_and_holdings_stay(generated: Path, name: str):
    closes = {row["date"]: row for row in rows(generated / "quotes" / "prices.csv.gz")}
    made, bundled = (rows(folder / name / "holdings.csv") for folder in (generated, BUNDLED))

    assert [row["symbol"] for row in made] == [row["symbol"] for row in bundled]
    assert [row["quantity"] for row in made[:-1]] == [row["quantity"] for row in bundled[:-1]]
    for row in made:
        if row["acquired"]:
            assert (
                abs(float(row["average_cost"]) - float(closes[row["acquired"]][row["symbol"]]))
                <= 0.0005 + 1e-9
            )


def test_a_file_with_another_hash_is_refused_and_nothing_is_written(tmp_path: Path):
    install(tmp_path / "packages", "1.12.2", gzip.compress(b"Date,AAPL\n2004-01-02,1\n"))

    result = make_data("skfolio", tmp_path / "out", tmp_path / "packages")

    assert result.returncode == 1
    assert "sp500_dataset.csv.gz has SHA-256" in result.stderr
    assert "Nothing was written." in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_another_version_is_refused_with_the_pinned_one(tmp_path: Path):
    install(tmp_path / "packages", "1.11.0", b"")

    result = make_data("skfolio", tmp_path / "out", tmp_path / "packages")

    assert result.returncode == 1
    assert "skfolio is version 1.11.0, but 1.12.2 is pinned" in result.stderr
    assert "pip install --no-deps" in result.stderr

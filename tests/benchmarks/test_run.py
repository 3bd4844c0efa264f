"""benchmarks/README.md is written by script: figures between markers, words around them stay."""

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import run

RECORDED = {
    "n": 20, "hold": 0.6, "net": 0.16, "orders": 5, "candidates": 42, "scope": "candidates",
    "status": "bounded", "gap": 0.002, "nodes": 1234, "first_seconds": [0.03, 0.02, 0.05],
    "searched_seconds": [0.04], "recorded_seconds": 0.016, "recorded_net": 0.17,
    "recorded_orders": 5, "recorded_off_lot": 1, "recorded_cash_after": 652.0,
    "recorded_cash_missing": 333.0, "original_hold": 0.562, "original_ours": 0.586,
    "original_recorded": 0.615,
}  # fmt: skip

SEARCHED = {
    "label": "small", "aim": 0.025, "proven": 3, "count": 4, "nodes": 12.0, "largest_gap": 0.01,
    "enumeration_median": 0.2, "enumeration_largest": 0.3, "greed_median": 0.4,
    "greed_largest": 0.5,
}  # fmt: skip


FACTORS = {"median": 1, "iqr": 0.1, "min": 1, "max": 2}


def measured(name: str, seconds: float, **facts: object) -> dict[str, object]:
    return {
        "name": name,
        "stats": {"rounds": 15, **{name: factor * seconds for name, factor in FACTORS.items()}},
        "extra_info": facts,
    }


ALL = {
    "benchmarks": [
        measured("test_growth", 0.02, **RECORDED),
        measured("test_process[plan]", 0.7),
        measured("test_process[help]", 0.1),
        measured("test_kernel[m=60-score]", 0.01, sequences=100_000, m=60, work="score"),
        measured("test_kernel_on_growth", 0.01, sequences=100_000, m=43, work="score"),
        measured("test_reference_on_growth", 0.0065, sequences=100, m=43, work="reference"),
        measured("test_recorded_input[20]", 0.045, **RECORDED),
        measured("test_search[small]", 0.03, **SEARCHED),
        measured("test_curve[n-50]", 0.02, varies="n", fixed="m = 60", x=50, proven=True),
        measured("test_curve[n-5]", 0.002, varies="n", fixed="m = 60", x=5, proven=False),
    ]
}


def page_of(figures: str) -> str:
    return f"by hand\n\n{run.START}\n\n{figures}\n\n{run.END}\n\nalso by hand\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(page_of("old figures"), encoding="utf-8")
    return path


@pytest.fixture
def source(page, monkeypatch, tmp_path: Path) -> str:
    """A file of measurements, whose page is the one above."""
    monkeypatch.setattr(run, "README", page)
    path = tmp_path / "measured.json"
    path.write_text(json.dumps(ALL), encoding="utf-8")
    return str(path)


def test_only_what_stands_between_the_markers_is_written(page):
    run.write(page, "new figures")

    assert page.read_text(encoding="utf-8") == page_of("new figures")


def test_a_page_without_its_markers_is_left_alone(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("by hand", encoding="utf-8")

    with pytest.raises(ValueError, match="Nothing was written"):
        run.write(path, "new figures")
    assert path.read_text(encoding="utf-8") == "by hand"


def test_tables_say_what_was_measured_and_draw_no_ratio_between_machines(page, source):
    assert run.main(["--from", source, "--date", "2026-01-31"]) == 0

    text = page.read_text(encoding="utf-8")
    assert "Measured on 2026-01-31" in text
    assert "| random table, m = 60, score | 10.0 million |  |" in text
    assert "650 × the reference" in text
    assert (
        "| 20 | 16 | 30, 20 | 40, 40 | 60 | 45.0 (4.5), 45.0 | 5 orders out of 42 candidates, scope"
        " candidates, bounded, gap 0.20 points" in text
    )
    assert "| small | 25 | 30, 30, 60 | 3 of 4 | 12 | 1.0 | 20.0, 30.0 | 40.0, 50.0 |" in text
    assert (
        "| 20 | 60.00 | +16.00 | +17.00 | 1 of 5 | 652, 333 short | 0.562 | 0.586 | 0.615 |" in text
    )


def test_the_picture_has_a_point_per_table_and_hollow_ones_where_a_proof_is_missing(
    source, tmp_path
):
    run.main(["--from", source])

    picture = ET.parse(tmp_path / run.PICTURE).getroot()
    kinds = [circle.get("class") for circle in picture.iter("{http://www.w3.org/2000/svg}circle")]
    assert kinds == ["open", "dot"]


def test_the_date_is_an_argument_and_the_machine_is_named():
    assert run.machine(date(2026, 1, 31), 0.25).startswith("Measured on 2026-01-31, ")
    assert run.machine(date(2026, 1, 31), 0.25).endswith("Load of the machine before: 0.2.")


def test_the_page_in_the_project_has_its_markers():
    text = run.README.read_text(encoding="utf-8")

    assert (text.count(run.START), text.count(run.END)) == (1, 1)

"""Findings are a record: appended to by every step, read by the document alone."""

import ast
from pathlib import Path

import steelyard.planning
from steelyard.notices import Coverage
from steelyard.planning.findings import Findings

LISTS = {"stops", "problems", "warnings", "coverage", "runs", "timings"}
WRITERS = {"write.py", "findings.py", "dry_run.py", "stated.py"}
"""Where findings are written down, of a dry run and of stated orders as the answer; `guard.py`
hands the timings on to the work done again.
"""


def reads(path: Path) -> list[str]:
    """Uses of a list of findings other than `.append(…)` and `.extend(…)`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    appended = {
        id(call.func.value)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in {"append", "extend"}
    }
    return [
        f"{path.name} findings.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in LISTS
        and id(node) not in appended
        and ast.unparse(node.value).rpartition(".")[2] == "findings"
    ]


def test_no_step_reads_what_another_reported():
    folder = Path(steelyard.planning.__file__).parent
    files = [path for path in folder.rglob("*.py") if path.name not in WRITERS]

    assert len(files) > 30
    assert [use for path in files for use in reads(path)] == ["guard.py findings.timings"]


def test_the_document_reads_them_all():
    folder = Path(steelyard.planning.__file__).parent
    uses = {use.rpartition(".")[2] for use in reads(folder / "document" / "write.py")}

    assert uses == LISTS


def test_a_metric_is_lacking_once():
    findings = Findings()

    findings.lacks(Coverage(symbol="A", metric="volatility", used=0.2))
    findings.lacks(Coverage(symbol="A", metric="volatility", used=None))

    assert [coverage.used for coverage in findings.coverage] == [0.2]

"""scripts/count_names.py counts what is bound locally, and fails where too much of it is vague."""

import ast
import runpy
import subprocess
import sys

from builders.paths import ROOT

SCRIPT = ROOT / "scripts" / "count_names.py"
SOURCE = """
found = 1
class Record:
    told: str
    held = 2
    def method(self, one, *made, left=0, **kept):
        taken = self.given = one
        for known, (rows, wanted) in made: pass
        with open(left) as said: pass
        return [given for given in kept], lambda told: told
EVERY = [held for held in ()]
"""


def names(source):
    return [name for _, name in runpy.run_path(str(SCRIPT))["bound"](ast.parse(source))]


def test_assignments_loops_comprehensions_with_and_parameters_are_counted_fields_are_not():
    method = [
        "self", "one", "left", "made", "kept", "taken", "known", "rows", "wanted", "said", "given",
        "told",
    ]  # fmt: skip

    assert sorted(names(SOURCE)) == sorted([*method, "held"])


def test_what_is_caught_matched_or_assigned_in_an_expression_is_counted():
    source = """
def work():
    try: pass
    except ValueError as error: pass
    match 1:
        case [first]: pass
    if (text := "a"): pass
    import os as kept
"""

    assert sorted(names(source)) == ["error", "first", "text"]


def counted(folder, *options):
    return subprocess.run(
        [sys.executable, SCRIPT, *options, folder], capture_output=True, text=True, check=False
    )


def test_a_folder_of_nouns_passes_and_one_vague_name_in_a_hundred_fails(tmp_path):
    def write(nouns):
        body = "\n".join(f"    row{k} = {k}" for k in range(nouns))
        (tmp_path / "module.py").write_text(f"def work():\n{body}\n    found = 1\n")

    write(100)
    passed = counted(tmp_path)
    write(99)
    failed = counted(tmp_path, "--places")

    assert passed.returncode == 0
    assert passed.stdout.startswith("names: 1 of 101 local names are vague, 0.99%")
    assert failed.returncode == 1
    assert f"{tmp_path / 'module.py'}:101: found" in failed.stdout


def test_a_folder_without_a_name_fails_since_nothing_was_counted(tmp_path):
    assert counted(tmp_path).returncode == 1

"""How many local names say nothing of what they hold: participles and pronouns.

A name that planning or a module binds (assigned, looped over, caught, a parameter) should be the
noun of what it is: `rows`, `order`, `ruling`, not `found`, `one`, `told`.

    python scripts/count_names.py             the share; exit 1 where it is 1 % or more
    python scripts/count_names.py --places    every such place as well
    python scripts/count_names.py FOLDER …    other folders than planning/ and modules/
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = [ROOT / "src" / "steelyard" / name for name in ("planning", "modules")]
VAGUE = frozenset(
    [
        "found",
        "one",
        "known",
        "told",
        "taken",
        "left",
        "kept",
        "said",
        "made",
        "wanted",
        "held",
        "given",
    ]
)
MOST = 0.01
"""Share of all local names that may be vague."""

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(node: ast.AST, local: bool = False) -> Iterator[tuple[int, str]]:
    """(line, name) of every local name bound in a tree: of a module or a class none is local."""
    match node:
        case ast.arg(arg=name):
            yield node.lineno, name
        case ast.Name(id=name, ctx=ast.Store()) if local:
            yield node.lineno, name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) if local:
            yield node.lineno, name
    if isinstance(node, ast.ClassDef):
        local = False
    elif isinstance(node, SCOPES + COMPREHENSIONS):
        local = True
    for child in ast.iter_child_nodes(node):
        yield from bound(child, local)


def count(folders: Sequence[Path]) -> tuple[int, list[str]]:
    """Number of local names, and where each vague one is bound."""
    total, places = 0, []
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        for line, name in bound(ast.parse(path.read_text(encoding="utf-8"))):
            total += 1
            if name in VAGUE:
                shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
                places.append(f"{shown}:{line}: {name}")
    return total, places


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--places", action="store_true", help="list every vague name")
    parser.add_argument("folders", nargs="*", type=Path, default=FOLDERS)
    asked = parser.parse_args(arguments)
    total, places = count(asked.folders)
    if total == 0:
        print("names: no local name was counted; is it the right folder?", file=sys.stderr)
        return 1
    share = len(places) / total
    if asked.places:
        print("\n".join(places))
    print(f"names: {len(places)} of {total:,} local names are vague, {share:.2%}", end="; ")
    print(f"under {MOST:.0%} is asked for")
    if share >= MOST:
        print("names: see each with: python scripts/count_names.py --places", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

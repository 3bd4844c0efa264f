"""Classes of a targets file that no security is in: a column that is missing, or a slip of a name.

Both are refused. Any other class without a member stays unbuyable cash, and the planner says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from steelyard.errors import InputError, nearest
from steelyard.importers.files import Files
from steelyard.importers.targets import TargetsFile
from steelyard.importers.values import NOTHING, shown
from steelyard.targets import class_column, class_key


def unknown_classes(files: Files) -> Iterator[InputError]:
    """Why classes with a target are refused."""
    file = files.targets
    if file is None or not file.classes:
        return
    rows = files.securities.securities if files.securities else ()
    names = {row.classes[file.dimension] for row in rows if file.dimension in row.classes}
    if not names:
        yield _no_column(files, file)
        return
    folded = {name.casefold(): name for name in sorted(names)}
    for name in sorted(set(file.classes) - names):
        near = folded.get(nearest(name.casefold(), list(folded)), "")
        if near:
            yield _slip(file, name, near)


def _no_column(files: Files, file: TargetsFile) -> InputError:
    """No security has a class of the dimension: nothing could be bought for any class."""
    column, line = class_column(file.dimension), min(file.class_lines.values())
    named = ", ".join(class_key(name, file.dimension) for name in file.classes)
    others = sorted(
        {
            class_column(dimension)
            for row in (files.securities.securities if files.securities else ())
            for dimension in row.classes
        }
    )
    where = "no securities file is there"
    if files.securities:
        where = f"the column {column} of {files.securities.file} has none"
    hint = f"Give --securities with a column {column}, the class of each security"
    if others:
        hint += f", or write the rows as {others[0]}:NAME, which it has"
    place = f"{file.file} line {line}"
    return InputError(
        f"{place}: which securities are in {named} no file says: {where}. {NOTHING} {hint}.",
        code="no_class_column",
        place=place,
        value=named,
        limit=column,
        hint=hint,
    )


def _slip(file: TargetsFile, name: str, near: str) -> InputError:
    """Refuse a class that is near another name."""
    place = f"{file.file} line {file.class_lines[name]}"
    key = class_key(name, file.dimension)
    hint = "Correct it there or in the securities file"
    return InputError(
        f"{place}: {shown(key)} has a target of {file.classes[name]:.4g}, and no security is in "
        f"it. Did you mean {near}? {NOTHING} {hint}.",
        code="unknown_class",
        place=place,
        value=name,
        limit=near,
        hint=f"Did you mean {near}? {hint}",
    )

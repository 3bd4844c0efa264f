"""The columnar form of a plan document: long lists of records written column by column.

    fold     a document -> the same with each list of more than `ROWS` records as columns
    unfold   back again: the very same document

The key `columnar` of a folded document holds the path of each such list, as ["alternatives", 3,
"steps"]; in its place stands {"rows": N, "columns": {name: column}}. A column of N values is one of

    [v, ...]                                as they are
    {"all": v}                              the same everywhere
    {"values": [...], "index": [...]}       each distinct value once, and which of them
    {"words": "a b c"}                      texts without blanks, a blank between them
    {"same": "facts.symbol"}                those of an earlier column of the list
    {"sentence": "template"}                rendered from that column and `facts`; with
                                            "cased": true a capital and a full stop
    {"columns": {...}}                      records that all have the same keys
    {"keys": [[...]], "index": C, "columns": {...}}    records with one of several sets of keys;
                                            a column has the values of the records with its key
    {"lengths": C, "items": C}              lists: how long each is, and all of theirs in a row
    {"absent": [...], "others": C}          null in these rows, counted from 0

A plan's id is that of the unfolded content: it does not depend on the form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NoReturn

from steelyard.errors import InputError
from steelyard.sentences import again, cased

ROWS = 200
"""Lists of at most so many records stay lists."""
COLUMNAR = "columnar"
MAX_VALUES = 20_000_000
"""Most values of all columns of a document that are read."""
FACTS = "facts"
SENTENCES = {"reason": "reason_template", "narrative": "template", "why": "template"}
"""A text of a record -> where its template stands, if there; else in `template`."""
PLAIN = "template"

TABLES: dict[str, Any] = {
    "description": "paths of the lists that are written as columns; only where there are some",
    "type": "array",
    "items": {
        "type": "array",
        "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
    },
}
TABLE: dict[str, Any] = {
    "description": (
        "A list of more than 200 records, column by column; the columns may be nested. A column is "
        "a list of the values, or says how to make it: all the same, distinct values and indices, "
        "texts with a blank between them, those of an earlier column, rendered from a template, "
        "records, lists with their lengths, others with the rows that are null."
    ),
    "type": "object",
    "properties": {
        "rows": {"type": "integer", "minimum": 0},
        "columns": {"type": "object"},
        "keys": {"type": "array"},
        "index": {},
    },
    "required": ["rows", "columns"],
    "additionalProperties": False,
}
"""JSON Schema of the key `columnar` and of a list in that form."""

Json = Any
Path = tuple[str | int, ...]


# to columns


def fold(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with its long lists as columns; one without any is returned as it is."""
    folded = dict(document)
    paths = [] if COLUMNAR in folded else [*_long(folded, ())]
    if not paths:
        return folded
    for path in paths:
        node: Any = folded
        for key in path[:-1]:
            # what is on the way is another document's too: it is copied before it changes
            node[key] = node[key].copy()
            node = node[key]
        node[path[-1]] = _table(node[path[-1]])
    first = next(iter(folded))
    return {first: folded.pop(first), COLUMNAR: [list(path) for path in paths], **folded}


def _long(node: Json, path: Path) -> Iterator[Path]:
    """Where the long lists of records are, outermost only."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _long(child, (*path, key))
    elif isinstance(node, list):
        if len(node) > ROWS and all(isinstance(row, dict) for row in node):
            yield path
            return
        for n, child in enumerate(node):
            if isinstance(child, dict | list):
                yield from _long(child, (*path, n))


def _table(rows: list[dict[str, Any]]) -> dict[str, Any]:
    packed = _Packer(len(rows)).records(rows, "")
    return {"rows": len(rows), **packed}


class _Packer:
    """Makes the columns of one list; knows the columns that it has made."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.made: dict[tuple[Any, ...], tuple[str, list[Json]]] = {}

    def records(self, rows: Sequence[dict[str, Any]], path: str | None) -> dict[str, Any]:
        """Records as columns, by their sets of keys where these differ."""
        forms = list(dict.fromkeys(map(tuple, rows)))
        if len(forms) == 1:
            return {"columns": self._columns(rows, forms[0], path)}
        place = {form: n for n, form in enumerate(forms)}
        index = [place[tuple(row)] for row in rows]
        names = list(dict.fromkeys(name for form in forms for name in form))
        columns = {}
        for name in names:
            values = [row[name] for row in rows if name in row]
            columns[name] = self.column(values, _join(path, name))
        return {"keys": [list(form) for form in forms], "index": _coded(index), "columns": columns}

    def _columns(
        self, rows: Sequence[dict[str, Any]], names: Sequence[str], path: str | None
    ) -> dict[str, Json]:
        columns: dict[str, Json] = {}
        for name in names:
            columns[name] = _sentence(rows, name) or self.column(
                [row[name] for row in rows], _join(path, name)
            )
        return columns

    def column(self, values: list[Json], path: str | None) -> Json:
        """One column in the shortest of its forms."""
        kinds = set(map(type, values))
        if kinds == {dict}:
            return self.records(values, path)
        if kinds == {list}:
            items = [item for value in values for item in value]
            lengths = _coded([len(value) for value in values])
            # what is inside has other rows: it can be the same as no column of these
            return {"lengths": lengths, "items": _Packer(len(items)).column(items, "")}
        if kinds & {dict, list}:
            return self._mixed(values, kinds)
        return self._repeated(values, path) or _coded(values)

    def _mixed(self, values: list[Json], kinds: set[type]) -> Json:
        others = kinds - {type(None)}
        if len(others) > 1:
            return values
        absent = [n for n, value in enumerate(values) if value is None]
        rest = [value for value in values if value is not None]
        return {"absent": absent, "others": _Packer(len(rest)).column(rest, "")}

    def _repeated(self, values: list[Json], path: str | None) -> Json:
        """Does an earlier column of as many rows hold the very same?"""
        if len(values) != self.rows or not path:
            return None
        key = (len(values), *values[:3], values[len(values) // 2])
        earlier = self.made.setdefault(key, (path, values))
        if earlier[1] is values or not _equal(earlier[1], values):
            return None
        return {"same": earlier[0]}


def _join(path: str | None, name: str) -> str | None:
    """Where a column is, to be named by another; None where that would be ambiguous."""
    if path is None or not name or "." in name:
        return None
    return f"{path}.{name}" if path else name


def _equal(a: list[Json], b: list[Json]) -> bool:
    """As JSON writes them: 1 is not 1.0, and 0.0 not -0.0."""
    return a == b and list(map(repr, a)) == list(map(repr, b))


def _sentence(rows: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    """How a column of texts can be rendered from their templates; None where it cannot."""
    if name not in SENTENCES or not isinstance(rows[0].get(FACTS), dict):
        return None
    template = SENTENCES[name] if SENTENCES[name] in rows[0] else PLAIN
    for capital in (False, True):
        if all(_renders(row, name, template, capital=capital) for row in rows):
            return {"sentence": template, **({"cased": True} if capital else {})}
    return None


def _renders(row: dict[str, Any], name: str, template: str, *, capital: bool) -> bool:
    try:
        text = again(row[template], row[FACTS])
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool((cased(text) if capital else text) == row[name])


def _coded(values: list[Json]) -> Json:
    """Values that hold no others, the same ones once."""
    names = list(map(repr, values))
    distinct = dict.fromkeys(names)
    if len(distinct) == 1 and values:
        return {"all": values[0]}
    if len(distinct) * 2 < len(values):
        where = {name: n for n, name in enumerate(distinct)}
        first = dict(zip(reversed(names), reversed(values), strict=True))
        return {"values": [first[name] for name in distinct], "index": [where[n] for n in names]}
    if values and all(type(v) is str and v and v.isprintable() and " " not in v for v in values):
        return {"words": " ".join(values)}
    return values


# from columns


def unfold(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as lists; one that is not folded is returned as it is.

    Raises InputError where the columns are not those of a list.
    """
    if COLUMNAR not in document:
        return dict(document)
    whole = {key: value for key, value in document.items() if key != COLUMNAR}
    budget = [MAX_VALUES]
    try:
        for path in document[COLUMNAR]:
            node: Any = whole
            for key in path[:-1]:
                node[key] = node[key].copy()
                node = node[key]
            table = node[path[-1]]
            node[path[-1]] = _Reader(_count(table["rows"]), budget).rows(table)
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration) as error:
        _refuse(f"{type(error).__name__}: {error}", error)
    except RecursionError as error:
        _refuse("nested far deeper than any plan", error)
    return whole


def _refuse(what: str, error: Exception | None = None) -> NoReturn:
    raise InputError(
        f"The columns of the plan are not those of its lists ({what}). Nothing was read. Plan "
        "again.",
        code="plan_columns",
        place=COLUMNAR,
        value=what,
        hint="plan again",
    ) from error


def _count(number: object) -> int:
    if type(number) is not int or not 0 <= number <= MAX_VALUES:
        raise ValueError(f"{number!r} is no number of rows up to {MAX_VALUES:,}")
    return number


class _Reader:
    """Reads the columns of one list of so many rows; knows those that it has read."""

    def __init__(self, rows: int, budget: list[int]) -> None:
        self.read: dict[str, list[Json]] = {}
        self.count, self.budget = rows, budget
        self.forms: Mapping[str, Callable[[Mapping[str, Any], int, str | None], list[Json]]] = {
            "all": lambda column, rows, _: [column["all"]] * rows,
            "values": self._indexed,
            "words": lambda column, _, __: str.split(column["words"], " "),
            "same": lambda column, _, __: self.read[column["same"]],
            "columns": self._records,
            "lengths": self._lists,
            "absent": self._absent,
        }

    def rows(self, table: Mapping[str, Any]) -> list[Json]:
        """The records of the list."""
        return self._records(table, self.count, "")

    def column(self, column: Json, rows: int, path: str | None) -> list[Json]:
        """The values of a column."""
        self.budget[0] -= rows
        if self.budget[0] < 0:
            raise ValueError(f"more than {MAX_VALUES:,} values")
        if isinstance(column, list):
            values = column
        else:
            form = next(name for name in self.forms if name in column)
            values = self.forms[form](column, rows, path)
        if len(values) != rows:
            raise ValueError(f"{len(values):,} values of {rows:,} in {path or 'a column'}")
        if path and rows == self.count:
            self.read.setdefault(path, values)
        return values

    def _indexed(self, column: Mapping[str, Any], _: int, path: str | None) -> list[Json]:
        values = column["values"]
        if min(column["index"], default=0) < 0:
            raise ValueError(f"an index under 0 in {path or 'a column'}")
        return [values[n] for n in column["index"]]

    def _records(self, table: Mapping[str, Any], rows: int, path: str | None) -> list[Json]:
        if "keys" in table:
            return self._of_forms(table, rows, path)
        columns = {}
        late = {}
        for name, column in table["columns"].items():
            if isinstance(column, dict) and "sentence" in column:
                late[name] = column
                columns[name] = [""] * rows
            else:
                columns[name] = self.column(column, rows, _join(path, name))
        for name, column in late.items():
            columns[name] = _rendered(column, columns)
        names = tuple(columns)
        if not names:
            return [{} for _ in range(rows)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _of_forms(self, table: Mapping[str, Any], rows: int, path: str | None) -> list[Json]:
        forms, index = table["keys"], self.column(table["index"], rows, "")
        counts = [0] * len(forms)
        for n in index:
            counts[n] += 1
        values = {}
        for name, column in table["columns"].items():
            due = sum(count for form, count in zip(forms, counts, strict=True) if name in form)
            values[name] = iter(self.column(column, due, _join(path, name)))
        return [{name: next(values[name]) for name in forms[n]} for n in index]

    def _lists(self, column: Mapping[str, Any], rows: int, _: str | None) -> list[Json]:
        lengths = self.column(column["lengths"], rows, "")
        whole = _count(sum(map(_count, lengths)))
        items = iter(_Reader(whole, self.budget).column(column["items"], whole, ""))
        return [list(islice(items, length)) for length in lengths]

    def _absent(self, column: Mapping[str, Any], rows: int, _: str | None) -> list[Json]:
        absent = set(column["absent"])
        rest = _count(rows - len(absent))
        others = iter(_Reader(rest, self.budget).column(column["others"], rest, ""))
        return [None if n in absent else next(others) for n in range(rows)]


def _rendered(column: Mapping[str, Any], columns: Mapping[str, list[Json]]) -> list[Json]:
    """Texts from their templates and facts."""
    pairs = zip(columns[column["sentence"]], columns[FACTS], strict=True)
    texts = (again(template, facts) for template, facts in pairs)
    return [cased(text) for text in texts] if column.get("cased") else list(texts)

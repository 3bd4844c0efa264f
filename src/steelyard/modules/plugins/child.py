"""What runs in the worker: confine, load one plugin, answer one request after the other until the
pipe ends.

A request is (what, facts). `load` runs the plugin and tells its modules. `call` calls one; what
cannot travel (generators, predicates, values, formulas) stays here under a number, and `next`,
`rows`, `value` and `raw` ask for it.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import os
import pickle
import random
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from pydantic import ValidationError

from steelyard.errors import ModuleError
from steelyard.modules import registry
from steelyard.modules.candidates import Candidate, Ruling
from steelyard.modules.plugins import channel, confine
from steelyard.modules.plugins.channel import Array
from steelyard.modules.plugins.sources import Source
from steelyard.modules.registry import PACKAGES, Kind, Module, ModuleParams
from steelyard.notices import Drop
from steelyard.sentences import Sentence

Facts = Mapping[str, Any]
Reply = tuple[Any, list[Array]]


def main() -> None:
    """Serve until the planner ends the pipe. The pipes move away from where a plugin's `print` and
    `input` go.
    """
    requests, answers = (os.dup(handle) for handle in (0, 1))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    worker = Worker()
    while True:
        try:
            (size,) = channel.LENGTH.unpack(channel.read_exactly(requests, channel.LENGTH.size))
            # written by the planner, which holds the other end: its own records
            what, facts = pickle.loads(channel.read_exactly(requests, size))  # noqa: S301
        except EOFError:
            os._exit(0)
        channel.write_all(answers, worker.answer(what, facts))


@dataclass
class Given:
    """A record that the planner sent: its bytes, what they are here, and a digest that tells when a
    plugin changed it.
    """

    token: int
    data: bytes
    record: Any = field(init=False)
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """As it was sent."""
        self.record = pickle.loads(self.data)  # noqa: S301 see `main`
        self.digest = _digest(self.record)

    @property
    def changed(self) -> bool:
        """Did somebody write into it?"""
        return _digest(self.record) != self.digest


@dataclass
class Worker:
    """The plugin's modules, what they keep, and the last context and table."""

    modules: dict[str, Module] = field(default_factory=dict)
    kept: dict[int, Any] = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    file: str = ""

    def answer(self, what: str, facts: Facts) -> bytes:
        """The frame that answers a request; whatever a plugin raises is an answer."""
        try:
            for number in facts.get("dropped", ()):
                self.kept.pop(number, None)
            value, arrays = self._asked(what, facts)
            return channel.answer_bytes(facts["call"], value, arrays=arrays)
        except BaseException as error:  # noqa: BLE001 a plugin may raise anything, sys.exit too; it costs this call
            return channel.answer_bytes(facts["call"], fault=_fault(error, self.file))
        finally:
            if what != "start":
                confine.end()

    def _asked(self, what: str, facts: Facts) -> Reply:
        if what == "start":
            for package in (
                PACKAGES.values()
            ):  # what plugins import: not on their time, and not on their memory
                importlib.import_module(package)
            confine.confine(facts["megabytes"])
            return {}, []
        confine.begin(facts["seconds"])
        return getattr(self, f"_{what}")(facts)  # type: ignore[no-any-return]

    def _load(self, facts: Facts) -> Reply:
        """Run the plugin; the modules that it registered, built-in ones that it imported left
        out.
        """
        source: Source = facts["source"]
        self.file = source.label
        _run(source)
        built_in = tuple(f"{package}." for package in PACKAGES.values())
        registered = [
            module
            for kind in Kind
            for module in registry.registered(kind)
            if not str(getattr(module.call, "__module__", "")).startswith(built_in)
        ]
        self.modules = {module.qualified: module for module in registered}
        return {"modules": [_told(module) for module in registered]}, []

    def _call(self, facts: Facts) -> Reply:
        self._receive(facts)  # first: what the planner sent, it does not send again
        module = self.modules[facts["module"]]
        params = _params(module, facts["params"])
        random.seed(
            self.given["context"].record.seed
        )  # for plugins that draw without asking: the same in every plan
        names = (
            ("context",) if module.kind in {Kind.OPPORTUNITY, Kind.TERM} else ("context", "table")
        )
        inputs = [self.given[name].record for name in names]
        if module.kind is Kind.SEQUENCE:
            inputs.append(facts["seeds"])
        return self._watched(lambda: self._encoded(module, module.call(*inputs, params)))

    def _receive(self, facts: Facts) -> None:
        """Take the records of a request; one that was sent before comes as its token alone."""
        for name in ("context", "table"):
            token, data = facts.get(name, (None, None))
            if data is not None:
                self.given[name] = Given(token, data)
            elif token is not None and self.given[name].token != token:
                raise ModuleError(f"its worker lost the {name}")

    def _watched(self, work: Callable[[], Reply]) -> Reply:
        """The reply of a plugin; raises ModuleError where it wrote into its input, which is then as
        it was sent again.
        """
        try:
            reply = work()
        finally:
            changed = [name for name, given in self.given.items() if given.changed]
            for name in changed:
                self.given[name].renew()
        if changed:
            raise ModuleError(
                f"it changed its input, the {' and the '.join(changed)}; modules may only read it"
            )
        return reply

    def _encoded(self, module: Module, found: Any) -> Reply:
        form: Callable[[Any], Reply]
        match module.kind, module.form:
            case (Kind.OPPORTUNITY, _):
                return {"candidates": [_candidate(one) for one in found]}, []
            case (Kind.PATTERN, _):
                form = _pattern
            case (Kind.SEQUENCE, _):
                return {"kept": self._keep(iter(found))}, []
            case (Kind.FILTER, "mask"):
                form = _ruling
            case (Kind.FILTER, "pairs"):
                form = _pairs
            case (Kind.FILTER, "rows"):
                return {"kept": self._keep(_callable(found))}, []
            case (Kind.FILTER, "rank"):
                return {"kept": self._keep(_callable(found.value)), "most": int(found.most)}, []
            case _:
                form = self._term
        return form(found)

    def _term(self, term: Any) -> Reply:
        arrays: list[Array] = []
        parts = []
        for part in term.parts:
            shape = part.shape
            form = type(shape).__name__
            told = {
                "name": part.name,
                "share": float(part.share),
                "lo": float(part.lo),
                "hi": float(part.hi),
                "form": form,
            }
            for name in ("slope", "curvature", "variance"):
                if form != "Separable" and hasattr(shape, name):
                    told[name] = len(arrays)
                    arrays.append(_floats(getattr(shape, name)))
            if hasattr(shape, "constant"):
                told["constant"] = float(shape.constant)
            if form == "BlackBox":
                told |= {
                    "kept": self._keep(_callable(part.raw)),
                    "max_delta": None if shape.max_delta is None else float(shape.max_delta),
                }
            parts.append(told)
        return {"name": term.name, "parts": parts}, arrays

    def _keep(self, thing: Any) -> int:
        number = next(self.numbers)
        self.kept[number] = thing
        return number

    def _next(self, facts: Facts) -> Reply:
        return self._watched(lambda: self._block(self.kept[facts["kept"]]))

    def _block(self, blocks: Iterator[Any]) -> Reply:
        block = next(blocks, None)
        return {"more": block is not None}, [] if block is None else [_table(block)]

    def _rows(self, facts: Facts) -> Reply:
        return {}, [_plain(self.kept[facts["kept"]](facts["rows"]))]

    def _value(self, facts: Facts) -> Reply:
        return {}, [_floats(self.kept[facts["kept"]](facts["rows"]))]

    def _raw(self, facts: Facts) -> Reply:
        return {"raw": repr(float(self.kept[facts["kept"]](facts["weights"], facts["cash"])))}, []


def _run(source: Source) -> None:
    if source.code is None:
        sys.path.append(source.path)
        module = importlib.import_module(source.name)
        for attr in filter(None, source.attr.split(".")):
            module = getattr(module, attr)
        return
    module = types.ModuleType(source.name)
    module.__file__ = source.label
    sys.modules[source.name] = module
    exec(compile(source.code, source.label, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 the bytes that the strategy pins


def _params(module: Module, text: str) -> ModuleParams:
    """The parameters as the plugin's own model takes them; raises ModuleError for what only that
    model refuses.
    """
    try:
        return module.params.model_validate_json(text)
    except ValidationError as error:
        raise ModuleError(f"its parameters cannot be used: {channel.first(error)}") from error


def _told(module: Module) -> dict[str, Any]:
    """A module as plain values."""
    names = (
        "kind",
        "name",
        "version",
        "summary",
        "author",
        "tags",
        "needs",
        "form",
        "on",
        "requires_python",
        "dependencies",
    )
    told = {name: getattr(module, name) for name in names}
    return {**told, "schema": json.dumps(_schema(module.params))}


def _schema(params: type[ModuleParams]) -> dict[str, Any]:
    """JSON Schema of the parameters, with the defaults that a factory makes too."""
    schema = params.model_json_schema()
    made = [info for info in params.model_fields.values() if info.default_factory is not None]
    defaults = params().model_dump(mode="json", by_alias=True) if made else {}
    for name, one in schema.get("properties", {}).items():
        if name in defaults:
            one.setdefault("default", defaults[name])
    return schema


def _fault(error: BaseException, file: str) -> dict[str, Any]:
    """An error as plain values; a plugin may have spoiled even its text."""
    try:
        text = str(error)[: channel.MOST_WORDS]
        line = next(
            (
                frame.lineno
                for frame in reversed(traceback.extract_tb(error.__traceback__))
                if frame.filename == file
            ),
            None,
        )
    except BaseException:  # noqa: BLE001 see above
        text, line = "its text cannot be had", None
    return {"type": type(error).__name__[:100], "text": text, "line": line}


def _digest(record: Any) -> bytes:
    return hashlib.sha256(channel.pickled(record)).digest()


def _callable(found: Any) -> Callable[..., Any]:
    if not callable(found):
        raise ModuleError(f"it returns a {type(found).__name__} where a function is due")
    return found  # type: ignore[no-any-return]


def _plain(found: Any) -> Array:
    """An array of one of the three types that travel."""
    array: Array = np.asarray(found)
    for kind, dtype in ((np.bool_, np.bool_), (np.integer, np.int64), (np.floating, np.float64)):
        if np.issubdtype(array.dtype, kind):
            return array.astype(dtype, copy=False)
    raise ModuleError(
        f"it returns an array of type {array.dtype}; numbers or True and False are due"
    )


def _floats(found: Any) -> Array:
    """Real numbers, of any type that holds nothing else."""
    array: Array = np.asarray(found).astype(np.float64, casting="same_kind", copy=False)
    return array


def _pattern(found: Any) -> Reply:
    if not isinstance(found, Mapping):
        return {"variants": None}, [_table(found)]
    return {"variants": list(found)}, [_table(rows) for rows in found.values()]


def _table(found: Any) -> Array:
    """Rows of candidate indices; no rows at all may come as an empty list."""
    array = np.asarray(found)
    return array.astype(np.int64) if not array.size else _plain(array)


def _candidate(found: Any) -> dict[str, Any]:
    if not isinstance(found, Candidate):
        raise ModuleError(f"it returns a {type(found).__name__} where a Candidate is due")
    tags: object = found.tags
    if isinstance(tags, str):
        raise ModuleError(
            f"the tags of {found.symbol} are the text {tags!r}; a tuple of texts is due, "
            f"({tags!r},)"
        )
    return {
        "side": str(found.side),
        "symbol": found.symbol,
        "weights": [float(weight) for weight in found.weights],
        "priority_weight": float(found.priority_weight),
        "why": _sentence(found.why),
        "tags": list(found.tags),
    }


def _sentence(sentence: Sentence) -> dict[str, Any]:
    return {
        "template": sentence.template,
        "facts": [_fact(name, fact) for name, fact in sentence.facts.items()],
    }


def _fact(name: str, fact: Any) -> dict[str, Any]:
    """A fact with its type, its value as text."""
    plain = fact.item() if isinstance(fact, np.generic) else fact
    match plain:
        case str():
            form = "text"
        case int() if not isinstance(plain, bool):
            form = "int"
        case float():
            form = "float"
        case Decimal():
            form = "decimal"
        case date():
            form = "date"
        case _:
            raise ModuleError(
                f"the fact {name!r} is a {type(fact).__name__}; facts are text, numbers and dates"
            )
    return {"name": name, "form": form, "value": str(plain)}


def _ruling(ruling: Any) -> Reply:
    if not isinstance(ruling, Ruling):
        raise ModuleError(f"it returns a {type(ruling).__name__} where a Ruling is due")
    drops = [{"row": int(row), **_drop(drop)} for row, drop in ruling.drops.items()]
    return {"ruling": {"drops": drops, "unknown": [list(pair) for pair in ruling.unknown]}}, [
        _plain(ruling.keep)
    ]


def _drop(drop: Drop) -> dict[str, Any]:
    value, limit = (
        None if number is None else float(number) for number in (drop.value, drop.limit)
    )
    return {"rule": drop.rule, "value": value, "limit": limit, "why": _sentence(drop.why)}


def _pairs(found: Any) -> Reply:
    conflicts, ruling = found if isinstance(found, tuple) else (found, None)
    told, arrays = ({"ruling": None}, []) if ruling is None else _ruling(ruling)
    return told, [_plain(conflicts), *arrays]

"""What runs in the worker: confine, load one plugin, answer requests until the pipe ends.

A request is (what, facts). `load` runs the plugin and lists its modules, `params` has a module
check its parameters, `call` calls one; functions that it answers with stay here under a number,
and `apply` calls those.
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
from functools import partial
from typing import Any

from pydantic import ValidationError

from steelyard.errors import ModuleError
from steelyard.modules import registry
from steelyard.modules.contract import ANSWERS
from steelyard.modules.plugins import channel, codec, confine
from steelyard.modules.plugins.channel import Array
from steelyard.modules.plugins.sources import Source
from steelyard.modules.registry import PACKAGES, Kind, Module

Facts = Mapping[str, Any]
Reply = tuple[Any, list[Array]]


def main() -> None:
    """Serve until the planner ends the pipe, which a plugin's `print` and `input` do not reach."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for handle in (0, 1, 2):
        os.dup2(nowhere, handle)
    worker = Worker()
    while head := requests.read(channel.LENGTH.size):
        (size,) = channel.LENGTH.unpack(head)
        # written by the planner, which holds the other end: its own records
        what, facts = pickle.loads(requests.read(size))  # noqa: S301
        answers.write(worker.answer(what, facts))
        answers.flush()
    os._exit(0)


class Received:
    """A record that the planner sent, and a digest that tells when a plugin changed it."""

    def __init__(self, token: int, data: bytes) -> None:
        self.token, self.data = token, data
        self.renew()

    def renew(self) -> None:
        """As it was sent."""
        self.record = pickle.loads(self.data)  # noqa: S301 see `main`
        self.digest = _digest(self.record)


@dataclass
class Worker:
    """The plugin's modules, functions that they answered with, the last context and table.

    functions   number -> function, and the hint of what it gives
    """

    modules: dict[str, Module] = field(default_factory=dict)
    functions: dict[int, tuple[Callable[..., Any], Any]] = field(default_factory=dict)
    received: dict[str, Received] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    file: str = ""

    def answer(self, what: str, facts: Facts) -> bytes:
        """The frame that answers a request; whatever a plugin raises is an answer."""
        try:
            for number in facts.get("dropped", ()):
                self.functions.pop(number, None)
            value, arrays = self._asked(what, facts)
            return channel.answer_bytes(facts["call"], value, arrays=arrays)
        except BaseException as error:  # noqa: BLE001 it may raise anything, sys.exit too
            return channel.answer_bytes(facts["call"], fault=_fault(error, self.file))
        finally:
            if what != "start":
                confine.end()

    def _asked(self, what: str, facts: Facts) -> Reply:
        if what == "start":
            # what plugins import: not on their time, and not on their memory
            for package in PACKAGES.values():
                importlib.import_module(package)
            confine.confine(facts["megabytes"])
            return {}, []
        confine.begin(facts["seconds"])
        return getattr(self, f"_{what}")(facts)  # type: ignore[no-any-return]

    def _load(self, facts: Facts) -> Reply:
        """Run the plugin; the modules that it registered, without built-in ones that it imports."""
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
        listed = [(module, _schema(module)) for module in registered]
        return self._encoded(codec.LISTED, listed)

    def _params(self, facts: Facts) -> Reply:
        """Values as the module's own model takes them, or what is wrong with them."""
        try:
            params = self.modules[facts["module"]].params.model_validate_json(facts["params"])
        except ValidationError as error:
            slips = error.errors(include_url=False, include_input=False)[: channel.MOST_SLIPS]
            return {"slips": [channel.slip(slip) for slip in slips]}, []
        return {"values": params.model_dump(mode="json", by_alias=True)}, []

    def _call(self, facts: Facts) -> Reply:
        self._receive(facts)  # first: what the planner sent, it does not send again
        module = self.modules[facts["module"]]
        try:
            params = module.params.model_validate_json(facts["params"])
        except ValidationError as error:
            raise ModuleError(
                f"its parameters cannot be used: {channel.first(error)}", code="parameters_unusable"
            ) from error
        # for plugins that draw without asking: the same in every plan
        random.seed(self.received["context"].record.seed)
        inputs = [self.received[name].record for name in facts["inputs"]]
        hint = ANSWERS[module.kind, module.form]
        call = partial(module.call, *inputs, *facts["more"], params)
        return self._watched(lambda: self._encoded(hint, call()))  # type: ignore[no-any-return]

    def _apply(self, facts: Facts) -> Reply:
        function, hint = self.functions[facts["kept"]]
        return self._encoded(hint, function(*facts["args"]))

    def _receive(self, facts: Facts) -> None:
        """Take the records of a request; one that was sent before comes as its token alone."""
        for name in facts["inputs"]:
            token, data = facts[name]
            if data is not None:
                self.received[name] = Received(token, data)
            elif self.received[name].token != token:
                raise ModuleError(f"its worker lost the {name}", code="input_lost", value=name)

    def _watched(self, work: Callable[[], Any]) -> Any:
        """What a plugin gives; ModuleError where it wrote into its input, which is then renewed."""
        try:
            reply = work()
        finally:
            sent = self.received.items()
            changed = [name for name, each in sent if _digest(each.record) != each.digest]
            for name in changed:
                self.received[name].renew()
        if changed:
            which = " and the ".join(changed)
            raise ModuleError(
                f"it changed its input, the {which}; modules may only read it",
                code="input_changed",
                value=which,
            )
        return reply

    def _encoded(self, hint: Any, value: Any) -> Reply:
        writer = codec.Writer(self._keep)
        return writer.write(hint, value), writer.arrays

    def _keep(self, function: Callable[..., Any], gives: Any, watched: bool) -> int:
        number = next(self.numbers)
        asked = (lambda *args: self._watched(lambda: function(*args))) if watched else function
        self.functions[number] = (asked, gives)
        return number


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
    code = compile(source.code, source.label, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102 the bytes that the strategy pins


def _schema(module: Module) -> dict[str, Any]:
    """JSON Schema of the parameters with every default; ModuleError where one cannot be used."""
    for name, info in module.params.model_fields.items():
        if info.is_required():
            raise ModuleError(
                f"{module.name}.{name} has no default; every parameter needs one",
                code="parameter_without_default",
                place=f"{module.name}.{name}",
            )
    try:
        schema = module.params.model_json_schema()
        defaults = module.params().model_dump(mode="json", by_alias=True)
        module.params.model_validate_json(json.dumps(defaults, allow_nan=False))
    except Exception as error:
        why = channel.first(error) if isinstance(error, ValidationError) else error
        raise ModuleError(
            f"the parameters of {module.name} cannot be read: {why}",
            code="parameters_schema",
            place=module.name,
        ) from error
    for name, node in schema.get("properties", {}).items():
        node["default"] = defaults[name]
    return schema


def _fault(error: BaseException, file: str) -> dict[str, Any]:
    """An error as plain values; a plugin may have spoiled even its text."""
    try:
        text = str(error)[: channel.MOST_WORDS]
        frames = reversed(traceback.extract_tb(error.__traceback__))
        line = next((frame.lineno for frame in frames if frame.filename == file), None)
    except BaseException:  # noqa: BLE001 see above
        text, line = "its text cannot be had", None
    return {"type": type(error).__name__[:100], "text": text, "line": line}


def _digest(record: Any) -> bytes:
    return hashlib.sha256(channel.pickled(record)).digest()

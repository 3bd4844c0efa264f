"""The file that says which service listens where: `[services]` in TOML, or the documents' YAML.

`$SERVICES_CONFIG_PATH` names it; without one it is `services.toml` in Steelyard's home, and without
that everything is on this machine, at the documents' ports.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from steelyard import environment
from steelyard.errors import Fault, SettingsError
from steelyard.services.reading import yaml_form, yaml_text
from steelyard.services.reading.addresses import WIDEST, network_of, refused
from steelyard.services.topology import NAMES, Topology
from steelyard.strategies.files import reading
from steelyard.strategies.files.problems import explain, indexed, shown, unknown_key
from steelyard.telemetry.traces import Tracing

FILE = "services.toml"
TABLE, TELEMETRY = TABLES = ("services", "telemetry")
FILES = ("cert", "key", "ca")
"""Of `tls`."""
CONFIG, TIMEOUT = "SERVICES_CONFIG_PATH", "COORDINATOR_TIMEOUT"
LONGEST_S = 86_400
NOTHING = "Nothing was started."

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]
Slip = tuple[Place, str]
"""A key, and the sentence of what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the topology, and keys of the file that have no effect."""

    topology: Topology
    ignored: tuple[str, ...] = ()


def read_topology(variables: Mapping[str, str], file: Path | None = None) -> Topology:
    """Who listens where, as the file and the variables say; raises SettingsError."""
    return read(variables, file).topology


def read(variables: Mapping[str, str], file: Path | None = None) -> Reading:
    """The same, and what of it has no effect."""
    home = environment.home(variables)
    path = file or _file_of(variables, home)
    result = Reading(Topology()) if path is None else _read(path)
    topology = result.topology
    if text := variables.get(TIMEOUT):
        timeout = {"timeout_seconds": _seconds(text)}
        coordinator = topology.coordinator.model_copy(update=timeout)
        topology = topology.model_copy(update={"coordinator": coordinator})
    return Reading(topology, result.ignored)


def _file_of(variables: Mapping[str, str], home: Path) -> Path | None:
    if chosen := variables.get(CONFIG):
        return Path(chosen).absolute()
    usual = home / FILE
    return usual if usual.exists() or usual.is_symlink() else None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 < seconds <= LONGEST_S:
        return seconds
    raise SettingsError(
        f"{TIMEOUT} is {shown(text)}; it must be seconds, over 0 and at most {LONGEST_S:,}. "
        f"{NOTHING}",
        code="timeout_variable",
        place=TIMEOUT,
        value=text,
        limit=LONGEST_S,
    )


def _read(path: Path) -> Reading:
    return _of_yaml(path) if path.suffix in {".yaml", ".yml"} else _of_toml(path)


def _of_toml(path: Path) -> Reading:
    try:
        document = reading.document(reading.read(path), str(path))
    except SettingsError as error:
        raise _reworded(error) from error
    unknown = [((name,), unknown_key((name,), TABLES)) for name in document.values]
    _refuse([slip for slip in unknown if slip[0][0] not in TABLES], path, document)
    tracing = _validated(Tracing, document.values.get(TELEMETRY, {}), (TELEMETRY,), path, document)
    topology = _topology(document.values.get(TABLE, {}), path, document)
    return Reading(topology.model_copy(update={TELEMETRY: tracing}))


def _of_yaml(path: Path) -> Reading:
    try:
        text = reading.read(path)
    except SettingsError as error:
        raise _reworded(error) from error
    document = yaml_text.document(text, str(path))
    file = _validated(yaml_form.Documents, document.values, (), path, document)
    between = [(at, f"{indexed(at)} {what}.") for at, what in yaml_form.slips(file)]
    _refuse(between, path, document)
    topology = _topology(yaml_form.as_ours(file), path, document)
    traced = topology.model_copy(update={TELEMETRY: file.telemetry})
    return Reading(traced, tuple(yaml_form.ignored(file)))


def _topology(values: Any, path: Path, document: reading.Document) -> Topology:
    """Checked also for what its keys say together; its files are looked for beside it."""
    if isinstance(values, Mapping) and TELEMETRY in values:
        _refuse([((TABLE, TELEMETRY), f"[{TELEMETRY}] is a table of its own.")], path, document)
    topology = _validated(Topology, _completed(values), (TABLE,), path, document)
    _refuse([*_network(topology), *_instances(topology)], path, document)
    tls = topology.tls
    files = {key: _beside(path, file) for key in FILES if (file := getattr(tls, key)) is not None}
    folders = tuple(_beside(path, folder) for folder in topology.plugins)
    return topology.model_copy(update={"tls": tls.model_copy(update=files), "plugins": folders})


def _completed(values: Any) -> Any:
    """Each service's own defaults where its table says nothing."""
    if not isinstance(values, Mapping):
        return values
    usual = {name: dict(Topology().service(name)) for name in NAMES}
    tables = {name: values[name] for name in NAMES if isinstance(values.get(name), Mapping)}
    return {**values, **{name: {**usual[name], **table} for name, table in tables.items()}}


def _network(topology: Topology) -> Iterator[Slip]:
    text = topology.trusted_network
    if text is not None and network_of(text) is None:
        place = (TABLE, "trusted_network")
        rule = f"a private network of at most {WIDEST[4]} free bits, like 172.30.77.0/24"
        yield place, f"{indexed(place)} is {shown(text)}; it must be {rule}."


def _instances(topology: Topology) -> Iterator[Slip]:
    """Who may not be asked, and who listens where another one does."""
    seen: dict[tuple[str, int], str] = {}
    for name in NAMES:
        for number, instance in enumerate(topology.service(name).instances):
            place = (TABLE, name, "instances", number)
            if why := refused(instance, topology):
                yield place, f"{indexed(place)}: {why}."
            spot = ("" if instance.here else instance.host, instance.port)
            if spot in seen:
                other = f"port {instance.port} is that of {seen[spot]} too"
                yield place, f"{indexed(place)}: {other}; choose another."
            seen.setdefault(spot, indexed(place))


def _validated(
    model: type[M], values: Any, table: tuple[str, ...], path: Path, document: reading.Document
) -> M:
    try:
        return model.model_validate(_tuples(values))
    except ValidationError as errors:
        problems = explain(errors, model, table)
        raise _error([(problem.place, problem.text) for problem in problems], path, document) from (
            errors
        )


def _refuse(slips: Sequence[Slip], path: Path, document: reading.Document) -> None:
    if slips:
        raise _error(slips, path, document)


def _error(slips: Sequence[Slip], path: Path, document: reading.Document) -> SettingsError:
    """One error for everything that is wrong in a file, each with its line."""
    faults = [
        Fault("services_setting", f"{where}: {text}", where)
        for place, text in slips
        for where in (f"{path}{_line(place, document)}",)
    ]
    words = "\n".join(fault.message for fault in faults)
    return SettingsError(
        f"{words}\n{NOTHING}", code="services_setting", place=faults[0].place, faults=faults
    )


def _line(place: Place, document: reading.Document) -> str:
    """` line 3` of a key, or of the table that it is in."""
    names = tuple(str(part) for part in place)
    for length in range(len(names), 0, -1):
        if names[:length] in document.lines:
            return f" line {document.lines[names[:length]]}"
    return ""


def _reworded(error: SettingsError) -> SettingsError:
    words = str(error).replace("The strategy", "The services file").replace("planned", "started")
    return SettingsError(words, code="services_file", place=error.fault.place)


def _beside(path: Path, file: Path) -> Path:
    return path.parent / file.expanduser()


def _tuples(value: Any) -> Any:
    """Lists of a file as the records have them."""
    if isinstance(value, Mapping):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value

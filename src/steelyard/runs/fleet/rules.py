"""By which strategy each account is planned: its own, else the common one, else the default.

An account names a preset, a stored strategy, or a TOML file in its folder or in that of the fleet.
Each is read once, however many accounts name it. One that cannot be read is an error of those
accounts alone; the common one is an error of the command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from steelyard.canonical import sha256
from steelyard.errors import SteelyardError
from steelyard.runs.fleet.folder import Account, Folder
from steelyard.runs.fleet.shared import COMMON, Ruled, part_of
from steelyard.runs.fleet.worker import remarks_of
from steelyard.runs.module_health import versions
from steelyard.strategies import Strategy, default, validate
from steelyard.telemetry.health import Health

Named = Callable[[str], Strategy]
"""A strategy by what is typed for --strategy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategies:
    """key -> strategy or why there is none; of each account its key."""

    by_key: Mapping[str, Ruled | tuple[str, str]]
    of_account: Mapping[str, str]

    def key(self, account: Account) -> str:
        """The key of the strategy of an account."""
        return self.of_account.get(account.folder, COMMON)

    def parts(self) -> dict[str, str]:
        """What a run is told by: of each strategy a hash, with the modules that are left out."""
        return {part_of(key): _digest(entry) for key, entry in sorted(self.by_key.items())}


def strategies_of(folder: Folder, common: str | None, by_name: Named, health: Health) -> Strategies:
    """The strategies of a fleet; raises SteelyardError for the common one.

    common   as typed; None = the default
    """
    first = default() if common is None else by_name(common)
    path = folder.path.resolve()  # a run is the same from wherever its command is given
    by_key: dict[str, Ruled | tuple[str, str]] = {COMMON: _ruled(first, common, health)}
    of_account: dict[str, str] = {}
    for account in folder.accounts:
        if not account.settings.strategy:
            continue
        key = _key(path, account)
        of_account[account.folder] = key
        if key not in by_key:
            try:
                by_key[key] = _ruled(by_name(key), key, health)
            except SteelyardError as error:
                by_key[key] = (error.fault.code, str(error))
    return Strategies(by_key=by_key, of_account=of_account)


def _key(path: Path, account: Account) -> str:
    """A name, or the path of a file beside the account or the fleet."""
    text = account.settings.strategy
    beside = (path / account.folder / text, path / text)
    return next((str(file) for file in beside if file.is_file()), text)


def _ruled(strategy: Strategy, asked: str | None, health: Health) -> Ruled:
    remarks = () if asked is None else remarks_of(validate(strategy).warnings)
    disabled = health.out_of_service(versions(strategy))
    return Ruled(strategy=strategy, remarks=remarks, disabled=disabled)


def _digest(entry: Ruled | tuple[str, str]) -> str:
    if not isinstance(entry, Ruled):
        return sha256(list(entry))
    strategy = entry.strategy
    name = [strategy.name, strategy.version, strategy.text_sha256, strategy.sha256]
    return sha256({"strategy": name, "disabled": sorted(entry.disabled)})

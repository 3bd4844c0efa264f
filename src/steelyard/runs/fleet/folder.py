"""A folder of accounts: what each consists of, and what all have in common.

    DIR/prices.csv, targets.csv, securities.csv, fx.csv, index.csv    in common, where there
    DIR/NAME/holdings.csv, targets.csv, account.toml                  of one account, any

A folder without holdings.csv and account.toml is no account. What is wrong with an account is its
own: it is an error that the account comes to, beside those that are planned.
"""

from __future__ import annotations

import errno
import hashlib
import os
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from steelyard.errors import InputError, SteelyardError
from steelyard.importers.memory import Memory
from steelyard.importers.values import NOTHING
from steelyard.runs.fleet import account_file
from steelyard.runs.fleet.account_file import NONE, AccountSettings

HOLDINGS: Final = "holdings.csv"
TARGETS: Final = "targets.csv"
OWN_FILES: Final = (HOLDINGS, TARGETS, account_file.FILE)
COMMON: Final = ("prices", "targets", "securities", "fx", "index")
"""Files of all accounts, as the options of `plan` are called; NAME.csv in the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account before it is planned.

    folder   its folder within that of the fleet
    name     of its account.toml, else the folder's
    digest   SHA-256 of its files
    fault    why it cannot be planned at all: (code, message); None = it can
    """

    folder: str
    name: str
    digest: str
    settings: AccountSettings = NONE
    fault: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that was looked through.

    accounts   by the names of their folders
    common     option of `plan` -> file of all accounts
    others     folders that are no accounts
    """

    path: Path
    accounts: tuple[Account, ...]
    common: Mapping[str, Path]
    others: tuple[str, ...] = ()

    @property
    def digests(self) -> dict[str, str]:
        """Folder -> hash of its files."""
        return {account.folder: account.digest for account in self.accounts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An account as a worker gets it: the content of its files, wherever it works.

    strategy   the key of its strategy among those that the workers have
    """

    folder: str
    name: str
    digest: str
    strategy: str
    cash: tuple[str, ...] = ()
    holdings: Memory | None = None
    targets: Memory | None = None
    fault: tuple[str, str] | None = field(default=None)


def look_through(path: Path, common: Mapping[str, Path | None]) -> Folder:
    """The accounts of a folder; raises InputError for no folder, and for one without accounts.

    common   option of `plan` -> file; None = that of the folder, where there is one
    """
    try:
        entries = sorted(path.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        reason = "is no folder" if path.exists() else "does not exist"
        raise InputError(
            f"{path} {reason}. {NOTHING} Name the folder that has a folder for each account.",
            code="fleet_folder",
            place="DIR",
            value=str(path),
            hint="name the folder that has a folder for each account",
        ) from error
    folders = [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    candidates = [(entry.name, _read(entry, OWN_FILES)) for entry in folders]
    accounts = [_account(name, files) for name, files in candidates if _is_account(files)]
    others = tuple(_as_text(name) for name, files in candidates if not _is_account(files))
    if not accounts:
        raise InputError(
            f"{path} has no account: no folder in it has a {HOLDINGS} or an {account_file.FILE}. "
            f"{NOTHING} Give each account a folder with its {HOLDINGS}.",
            code="fleet_without_accounts",
            place="DIR",
            value=str(path),
            limit=f"NAME/{HOLDINGS}",
            hint=f"give each account a folder with its {HOLDINGS}",
        )
    chosen = {name: common.get(name) or _beside(path, name) for name in COMMON}
    files_in_common = {name: file for name, file in chosen.items() if file is not None}
    return Folder(path=path, accounts=_of_own_name(accounts), common=files_in_common, others=others)


def _beside(path: Path, name: str) -> Path | None:
    file = path / f"{name}.csv"
    return file if file.is_file() else None


def _is_account(files: Mapping[str, bytes | OSError]) -> bool:
    return HOLDINGS in files or account_file.FILE in files


def _read(folder: Path, names: Sequence[str]) -> dict[str, bytes | OSError]:
    """The content of the files that are there, or why it cannot be read."""
    files: dict[str, bytes | OSError] = {}
    for name in names:
        path = folder / name
        try:
            if path.is_dir() or path.is_file():  # a FIFO would be waited for
                files[name] = path.read_bytes()
        except OSError as error:
            files[name] = error
    return files


def _as_text(name: str) -> str:
    """A name of a folder whose bytes that are no UTF-8 are escaped: it can be kept and shown."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _account(name: str, files: Mapping[str, bytes | OSError]) -> Account:
    folder = _as_text(name)
    account = Account(folder=folder, name=folder, digest=_digest(files))
    if folder != name:
        message = f"The name of its folder is no UTF-8. {NOTHING} Rename the folder."
        return replace(account, fault=("fleet_folder_name", message))
    for file, content in files.items():
        if isinstance(content, OSError):
            message = f"{file} could not be read: {content.strerror}. {NOTHING}"
            return replace(account, fault=("fleet_unreadable", message))
    try:
        text = files.get(account_file.FILE)
        settings = account_file.settings_of(text) if isinstance(text, bytes) else NONE
    except SteelyardError as error:
        return replace(account, fault=(error.fault.code, str(error)))
    account = replace(account, name=settings.name or folder, settings=settings)
    if HOLDINGS not in files and not settings.cash:
        message = f"It has neither a {HOLDINGS} nor [cash] in its {account_file.FILE}. {NOTHING}"
        return replace(account, fault=("fleet_owns_nothing", message))
    return account


def _digest(files: Mapping[str, bytes | OSError]) -> str:
    """Of the content of the files by name."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        data = content if isinstance(content, bytes) else str(content.errno).encode()
        digest.update(f"{name} {len(data)}\n".encode())
        digest.update(data)
    return digest.hexdigest()


def _of_own_name(accounts: Sequence[Account]) -> tuple[Account, ...]:
    """The accounts; of several with one name none may be planned, for nobody could tell them."""
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for account in accounts:
        by_name[_same(account.name)].append(account.folder)

    def checked(account: Account) -> Account:
        folders = by_name[_same(account.name)]
        if len(folders) == 1 or account.fault is not None:
            return account
        message = (
            f"{len(folders)} accounts are called {account.name}: {', '.join(folders)}. {NOTHING} "
            f"Give each a name of its own in its {account_file.FILE}."
        )
        return replace(account, fault=("fleet_same_name", message))

    return tuple(map(checked, accounts))


def _same(name: str) -> str:
    """What names that look the same have in common: a letter may be written in several ways."""
    return unicodedata.normalize("NFKC", name).casefold()


def task_of(path: Path, account: Account, strategy: Callable[[Account], str]) -> Task:
    """An account as a worker gets it, its files read anew: they must be as they were."""
    task = Task(
        folder=account.folder, name=account.name, digest=account.digest, strategy="",
        cash=account.settings.cash, fault=account.fault,
    )  # fmt: skip
    if task.fault is not None:
        return task
    files = _read(path / account.folder, OWN_FILES)
    if _digest(files) != account.digest:
        message = (
            "Its files changed while the fleet was being planned. Nothing was planned. The same "
            "command plans it again."
        )
        return replace(task, fault=("fleet_account_changed", message))
    return replace(
        task,
        strategy=strategy(account),
        holdings=_memory(files, HOLDINGS),
        targets=_memory(files, TARGETS),
    )


def _memory(files: Mapping[str, bytes | OSError], name: str) -> Memory | None:
    content = files.get(name)
    return Memory(name, content) if isinstance(content, bytes) else None


def file_digests(common: Mapping[str, Path]) -> dict[str, str]:
    """Option -> SHA-256 of its file; raises InputError for one that cannot be read."""
    return {name: _sha256(name, path) for name, path in common.items()}


def _sha256(name: str, path: Path) -> str:
    try:
        if not path.is_file():  # a FIFO would be waited for
            raise OSError(errno.ENOENT, "it is no file")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{path} could not be read: {error.strerror}. {NOTHING} Name another file with "
            f"--{name}.",
            code="fleet_common_file",
            place=f"--{name}",
            value=str(path),
            hint=f"name another file with --{name}",
        ) from error


def named(folders: Iterable[str], most: int = 5) -> str:
    """The first few names, and how many more."""
    every = list(folders)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more

"""What is listed, read but never run: the bytes of pinned files, the names behind entry points."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from steelyard.errors import ModuleError, SettingsError, did_you_mean
from steelyard.settings import Plugins

GROUP = "steelyard.plugins"
FILE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\.py")
ENTRY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

MOST_BYTES = 1024 * 1024
"""Of a plugin file."""
MOST_SOURCES = 32
"""Each has a process of its own."""


@dataclass(frozen=True, slots=True)
class Source:
    """One plugin.

    label    what people call it
    name     of the Python module that it is in the worker
    digest   part of the hash of every strategy that uses it
    code     the very bytes that were hashed; None for an entry point, which the worker imports by
             name
    attr     of the entry point's module, "" for none
    path     where the worker looks for the entry point's distribution, beside its own packages
    """

    label: str
    name: str
    digest: str
    code: bytes | None = None
    attr: str = ""
    path: str = ""


def check(settings: Plugins) -> None:
    """Raises SettingsError, naming every slip, for a list that no plugin could satisfy."""
    wrong = [
        f"plugins.files: {name!r} is no file name; it must be like ex_dividend.py, without a "
        "folder."
        for name in settings.files
        if not FILE.fullmatch(name)
    ]
    wrong += [
        f"plugins.files.{name!r} is {digest[:80]!r}; it must be sha256: and the 64 hexadecimal "
        "digits that sha256sum prints."
        for name, digest in settings.files.items()
        if not DIGEST.fullmatch(digest)
    ]
    wrong += [
        f"plugins.entry_points: {name[:120]!r} is no name of an entry point."
        for name in settings.entry_points
        if not ENTRY.fullmatch(name)
    ]
    if settings.files and settings.folder is None:
        wrong.append("plugins.files is given without plugins.folder, the folder that they are in.")
    if len(settings.files) + len(settings.entry_points) > MOST_SOURCES:
        wrong.append(
            f"{len(settings.files) + len(settings.entry_points)} plugins are listed; at most "
            f"{MOST_SOURCES} are run."
        )
    if wrong:
        raise SettingsError(
            "\n".join(["The plugins cannot be loaded; nothing was planned.", *wrong])
        )


def folder_of(settings: Plugins, beside: Path | None) -> Path:
    """Where the plugin files are; raises SettingsError for a relative folder of a strategy that is
    no file.
    """
    folder = Path(settings.folder or "").expanduser()
    if folder.is_absolute():
        return folder
    if beside is None:
        raise SettingsError(
            f"plugins.folder is {settings.folder!r}, which is relative to the strategy file, and "
            "this strategy is no file. Nothing was planned: give an absolute folder."
        )
    return beside / folder


def pinned(folder: Path, name: str, digest: str) -> Source:
    """A file, read once: what was hashed is what runs. Raises ModuleError when it is not what the
    strategy pins.
    """
    code = _bytes(folder / name)
    found = f"sha256:{hashlib.sha256(code).hexdigest()}"
    if found != digest:
        raise ModuleError(
            f"it is not the file that the strategy pins: expected {digest}, found {found}. If the "
            "change is yours, pin the new one"
        )
    return Source(label=name, name=f"steelyard_plugin_{Path(name).stem}", digest=digest, code=code)


def _bytes(path: Path) -> bytes:
    """Of a regular file that is no link and not too large; raises ModuleError."""
    try:
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        )
    except OSError as error:
        why = "it is a symbolic link" if path.is_symlink() else error.strerror or str(error)
        raise ModuleError(f"{path} could not be read: {why}") from error
    told = os.fstat(handle)
    if not stat.S_ISREG(told.st_mode):
        os.close(handle)
        raise ModuleError(f"{path} is not a regular file")
    with os.fdopen(handle, "rb") as file:
        code = file.read(MOST_BYTES + 1)
    if len(code) > MOST_BYTES:
        raise ModuleError(f"{path} has {told.st_size:,} bytes; at most {MOST_BYTES:,} are read")
    return code


def entry_point(name: str) -> Source:
    """An entry point by its metadata alone; raises ModuleError when none or more than one has the
    name.
    """
    known = metadata.entry_points(group=GROUP)
    found = sorted(
        {
            (entry.value, entry.dist.name, entry.dist.version): entry
            for entry in known.select(name=name)
            if entry.dist
        }.items()
    )
    if not found:
        names = sorted({entry.name for entry in known})
        raise ModuleError(
            f"no installed package has it in the group {GROUP}.{did_you_mean(name, names)} "
            f"Installed: {', '.join(names) or 'none'}"
        )
    if len(found) > 1:
        raise ModuleError(
            "several packages have it: "
            f"{', '.join(f'{package} {version}' for (_, package, version), _ in found)}"
        )
    (value, package, version), entry = found[0]
    module, _, attr = value.partition(":")
    digest = hashlib.sha256(
        "\n".join([package, version, value, *_hashes(entry, module)]).encode()
    ).hexdigest()
    root = str(entry.dist.locate_file("")) if entry.dist else ""
    return Source(
        f"{name} of {package} {version}",
        module.strip(),
        f"sha256:{digest}",
        attr=attr.strip(),
        path=root,
    )


def _hashes(entry: metadata.EntryPoint, module: str) -> Iterator[str]:
    """Of the module's file, where the distribution lists it: an editable one does not."""
    stem = module.strip().replace(".", "/")
    for file in (entry.dist.files or ()) if entry.dist else ():
        if file.as_posix() in {f"{stem}.py", f"{stem}/__init__.py"}:
            yield hashlib.sha256(Path(str(file.locate())).read_bytes()).hexdigest()

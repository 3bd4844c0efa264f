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

from steelyard.errors import ModuleError, SettingsError, did_you_mean, each
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
    code     the very bytes that were hashed; None for an entry point, imported by its name
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
    files, points = settings.files, settings.entry_points
    wrong = [
        f"plugins.files: {name!r} is no file name; one is like ex_dividend.py, without a folder."
        for name in files
        if not FILE.fullmatch(name)
    ]
    wrong += [
        f"plugins.files.{name!r} is {digest[:80]!r}; it must be sha256: and the 64 hexadecimal "
        "digits that sha256sum prints."
        for name, digest in files.items()
        if not DIGEST.fullmatch(digest)
    ]
    wrong += [
        f"plugins.entry_points: {name[:120]!r} is no name of an entry point."
        for name in points
        if not ENTRY.fullmatch(name)
    ]
    if files and settings.folder is None:
        wrong.append("plugins.files is given without plugins.folder, the folder that they are in.")
    if (count := len(files) + len(points)) > MOST_SOURCES:
        wrong.append(f"{count} plugins are listed; at most {MOST_SOURCES} are run.")
    if wrong:
        raise SettingsError(
            "\n".join(["The plugins cannot be loaded; nothing was planned.", *wrong]),
            code="plugins_unloadable",
            faults=each("plugins_unloadable", wrong),
        )


def folder_of(settings: Plugins, beside: Path | None) -> Path:
    """Where plugin files are; SettingsError for a relative folder of a strategy without a file."""
    folder = Path(settings.folder or "").expanduser()
    if folder.is_absolute():
        return folder
    if beside is None:
        raise SettingsError(
            f"plugins.folder is {settings.folder!r}, which is relative to the strategy file, and "
            "this strategy is no file. Nothing was planned: give an absolute folder.",
            code="plugins_folder_relative",
            place="plugins.folder",
            value=settings.folder,
            hint="give an absolute folder",
        )
    return beside / folder


def pinned(folder: Path, name: str, digest: str) -> Source:
    """A file, read once: what was hashed is what runs; ModuleError for what is not pinned."""
    code = _bytes(folder / name)
    actual = f"sha256:{hashlib.sha256(code).hexdigest()}"
    if actual != digest:
        raise ModuleError(
            f"it is not the file that the strategy pins: expected {digest}, found {actual}. If the "
            "change is yours, pin the new one",
            code="plugin_not_pinned",
            value=actual,
            limit=digest,
            hint="if the change is yours, pin the new one",
        )
    return Source(label=name, name=f"steelyard_plugin_{Path(name).stem}", digest=digest, code=code)


def _bytes(path: Path) -> bytes:
    """Of a regular file that is no link and not too large; raises ModuleError."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        why = "it is a symbolic link" if path.is_symlink() else error.strerror or str(error)
        raise ModuleError(
            f"{path} could not be read: {why}", code="plugin_unreadable", place=str(path), value=why
        ) from error
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise ModuleError(
            f"{path} is not a regular file", code="plugin_no_regular_file", place=str(path)
        )
    with os.fdopen(handle, "rb") as file:
        code = file.read(MOST_BYTES + 1)
    if len(code) > MOST_BYTES:
        raise ModuleError(
            f"{path} has {status.st_size:,} bytes; at most {MOST_BYTES:,} are read",
            code="plugin_too_large",
            place=str(path),
            value=status.st_size,
            limit=MOST_BYTES,
        )
    return code


def entry_point(name: str) -> Source:
    """An entry point by its metadata alone; ModuleError unless exactly one has the name."""
    installed = metadata.entry_points(group=GROUP)
    matches = {
        (entry.value, entry.dist.name, entry.dist.version): entry
        for entry in installed.select(name=name)
        if entry.dist
    }
    if not matches:
        names = sorted({entry.name for entry in installed})
        raise ModuleError(
            f"no installed package has it in the group {GROUP}.{did_you_mean(name, names)} "
            f"Installed: {', '.join(names) or 'none'}",
            code="plugin_not_installed",
            value=name,
            limit=", ".join(names),
            hint=did_you_mean(name, names).strip(),
        )
    if len(matches) > 1:
        packages = ", ".join(f"{package} {version}" for _, package, version in sorted(matches))
        raise ModuleError(
            f"several packages have it: {packages}", code="plugin_ambiguous", value=packages
        )
    (((value, package, version), entry),) = matches.items()
    module, _, attr = value.partition(":")
    content = "\n".join([package, version, value, *_hashes(entry, module)])
    digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
    root = str(entry.dist.locate_file("")) if entry.dist else ""
    label = f"{name} of {package} {version}"
    return Source(label, module.strip(), digest, attr=attr.strip(), path=root)


def _hashes(entry: metadata.EntryPoint, module: str) -> Iterator[str]:
    """Of the module's file, where the distribution lists it: an editable one does not."""
    stem = module.strip().replace(".", "/")
    for file in (entry.dist.files or ()) if entry.dist else ():
        if file.as_posix() in {f"{stem}.py", f"{stem}/__init__.py"}:
            yield hashlib.sha256(Path(str(file.locate())).read_bytes()).hexdigest()

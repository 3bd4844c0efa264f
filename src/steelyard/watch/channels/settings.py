"""Who is told, and by what: `notify.toml` in the folder of settings.

    [smtp]
    host = "mail.example.org"
    from = "steelyard@example.org"
    to = ["me@example.org"]

No secret stands in it: passwords, keys and addresses that have one in them stand in files of their
own, which only their owner reads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from steelyard.errors import Fault, SettingsError
from steelyard.posting import parts_of
from steelyard.settings import Section, setting
from steelyard.strategies.files import reading
from steelyard.strategies.files.problems import explain
from steelyard.watch.channels.private import NOTHING, text_of

FILE = "notify.toml"
MOST_RECIPIENTS = 50
ADDRESS = re.compile(r"[^\s<>\"(),;:\\@\x00-\x1f\x7f]{1,64}@[^\s<>\"(),;\\@\x00-\x1f\x7f]{1,253}")
NAME = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
ALLOW = "may it be an address of this machine or of a private network"


class Smtp(Section):
    """Mail, by the server that takes it; port 465 is TLS from the first byte."""

    model_config = ConfigDict(serialize_by_alias=True)

    host: str = Field(description="the server's name or address", min_length=1, max_length=253)
    port: int = setting(587, "of the server", ge=1, le=65_535)
    sender: str = Field(alias="from", description="whose mail it is", max_length=320)
    to: tuple[str, ...] = Field(
        description="to whom: an address, or a list", min_length=1, max_length=MOST_RECIPIENTS
    )
    starttls: bool | None = setting(
        None, "must it go on in TLS; when absent, unless the server is of this machine or network"
    )
    user: str | None = setting(
        None, "to log in as; nobody when absent", min_length=1, max_length=320
    )
    password_file: str | None = setting(
        None, "file with the password, 0600; beside this one where no folder is named",
        min_length=1, max_length=4096,
    )  # fmt: skip
    password_variable: str | None = setting(
        None, "or the environment variable that has it", min_length=1, max_length=100
    )
    allow_private: bool = setting(False, ALLOW)

    @field_validator("to", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        if isinstance(value, str):
            return (value,)
        return tuple(value) if isinstance(value, list) else value

    @field_validator("to")
    @classmethod
    def _each_an_address(cls, rows: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_address, rows))

    @field_validator("sender")
    @classmethod
    def _an_address(cls, text: str) -> str:
        return _address(text)

    @field_validator("password_variable")
    @classmethod
    def _a_variable(cls, name: str | None) -> str | None:
        if name is not None and not NAME.fullmatch(name):
            raise ValueError("it has to be the name of a variable, like MAIL_PASSWORD")
        return name

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        several = self.password_file is not None and self.password_variable is not None
        if several:
            raise ValueError("password_file and password_variable are two passwords; keep one")
        some = self.password_file is not None or self.password_variable is not None
        if some is (self.user is None):
            raise ValueError(
                "user and password go together: set user and password_file, or neither"
            )
        return self


class Webhook(Section):
    """JSON to a web server, signed: see `posting.signed`."""

    url: str = Field(description="https://HOST/PATH; http where it is private", max_length=2048)
    secret_file: str = Field(
        description="file with the key of the signature, 0600", min_length=1, max_length=4096
    )
    report: bool = setting(True, "does it carry the report as well")
    allow_private: bool = setting(False, ALLOW)

    @model_validator(mode="after")
    def _by_tls(self) -> Self:
        try:
            parts = parts_of(self.url, "url")
        except SettingsError as error:
            raise ValueError(str(error)) from error
        if parts.scheme != "https" and not self.allow_private:
            raise ValueError("url has to begin with https://, unless allow_private = true")
        return self


class Apprise(Section):
    """Chats and pagers, as apprise knows them; needs the extra notify."""

    urls_file: str = Field(
        description="file with an address of apprise a line, 0600", min_length=1, max_length=4096
    )
    allow_private: bool = setting(False, ALLOW)


class Web(Section):
    """Where the pages are that messages link to."""

    base_url: str | None = setting(
        None, "http://HOST:PORT; when absent the coordinator of this machine", max_length=2048
    )

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            parts_of(text, "base_url")
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return text.rstrip("/")


class Channels(Section):
    """All of `notify.toml`; a table that is not there is a channel that is not used."""

    smtp: Smtp | None = setting(None, "mail")
    webhook: Webhook | None = setting(None, "a signed webhook")
    apprise: Apprise | None = setting(None, "addresses of apprise")
    web: Web = setting(Web(), "where the pages are")


def load(home: Path) -> Channels:
    """The channels of a folder; without the file there are none. Raises SettingsError."""
    path = home / FILE
    try:
        text = text_of(path, secret=False)
    except (FileNotFoundError, NotADirectoryError):  # there is no home yet, or none can be
        return Channels()
    try:
        values = reading.document(text, str(path)).values
    except SettingsError as error:
        words = str(error).replace("The strategy ", "").replace("Nothing was planned.", NOTHING)
        raise SettingsError(words, code="notify_not_toml", place=str(path)) from error
    return built(values, path)


def built(values: Mapping[str, Any], path: Path, nothing: str = NOTHING) -> Channels:
    """The channels of plain values; raises SettingsError with everything that is wrong.

    nothing   what has not happened then
    """
    try:
        return Channels.model_validate(dict(values))
    except ValidationError as errors:
        problems = explain(errors, Channels, ())
        faults = [Fault("notify_setting", each.text, each.key) for each in problems]
        words = " ".join(each.text for each in problems)
        raise SettingsError(
            f"{path} is not usable: {words} {nothing}",
            code="notify_setting",
            place=problems[0].key,
            faults=faults,
        ) from errors


def secret_in(home: Path, name: str, place: str) -> str:
    """What a file says without white space around it; raises SettingsError."""
    path = home / name
    try:
        text = text_of(path, secret=True).strip()
    except FileNotFoundError:
        text = None
    if not text:
        why = "is not there" if text is None else "is empty"
        raise SettingsError(
            f"{path}, which {place} names, {why}. {NOTHING} Write it, and chmod 600 it.",
            code="no_secret",
            place=place,
            value=name,
            hint=f"write {path}, chmod 600",
        )
    return text


def _address(text: str) -> str:
    if not ADDRESS.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no address of mail, like me@example.org")
    return text

"""What every command shares: an option that takes one value is given once, and under `--json` a
failure is one document on stdout too, whatever failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import typer
from typer.core import TyperCommand, TyperGroup

from steelyard.cli.output import guarded, write_error
from steelyard.errors import Fault, SteelyardError, one_line

T = TypeVar("T")
JSON = "--json"
LONGEST_VALUE = 60
"""Characters of a repeated value that are shown."""
# typer has its own copy of click since 0.27 and exports of its errors only this subclass
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


class Once:
    """What a command and a group share: one value for an option that takes one, failures in JSON.

    It stands before the class of typer whose methods it goes on to.
    """

    def make_parser(self, ctx: Any) -> Any:
        """The parser, for which each single-valued option is a list for as long as it parses."""
        entry: Any = self
        single: list[Any] = [option for option in entry.get_params(ctx) if _takes_one(option)]
        for option in single:
            option.multiple = True
        try:
            parser = super().make_parser(ctx)  # type: ignore[misc]
        finally:
            for option in single:
                option.multiple = False
        parser.parse_args = _once(ctx, parser.parse_args, single)
        return parser

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does; a usage error is a document too."""
        entry: Any = self
        asked = JSON in args and any(JSON in option.opts for option in entry.get_params(ctx))
        parse = super().parse_args  # type: ignore[misc]
        parsed: list[str] = _in_json(lambda: parse(ctx, args), asked)
        return parsed

    def invoke(self, ctx: Any) -> Any:
        """As typer does; a failure is a document too."""
        invoke = super().invoke  # type: ignore[misc]
        return _in_json(lambda: invoke(ctx), ctx.params.get("as_json", False))


class Command(Once, TyperCommand):
    """A command that refuses a repeated option and fails in JSON where JSON is asked for."""


class Group(Once, TyperGroup):
    """A group of commands; the name of none is a usage error, in JSON where that is asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As typer does."""
        return _in_json(lambda: super(Group, self).resolve_command(ctx, args), JSON in args)


class Commands(typer.Typer):
    """A set of commands; each is a `Command`, each set a `Group`."""

    def __init__(self, **more: Any) -> None:
        more = {"no_args_is_help": True, **more}
        super().__init__(cls=Group, add_completion=False, rich_markup_mode=None, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[..., Any]:
        """Register a function."""
        return super().command(name, cls=Command, **more)


def _takes_one(option: Any) -> bool:
    return option.param_type_name == "option" and not (
        option.multiple or option.is_flag or option.count or option.is_eager
    )


def _once(ctx: Any, parse: Callable[..., Any], single: Sequence[Any]) -> Callable[..., Any]:
    """The parser, after which each of these options has its one value; a usage error for two."""

    def parsed(args: list[str]) -> Any:
        values, rest, order = parse(args=args)
        for option in single:
            texts = values.get(str(option.name))
            if not isinstance(texts, list):
                continue
            if len(texts) > 1:
                both = " and ".join(one_line(str(text), LONGEST_VALUE) for text in texts)
                raise typer.BadParameter(
                    f"it is given {len(texts)} times, {both}, and takes one value: keep one.",
                    ctx=ctx,
                    param_hint=option.opts[-1],
                )
            values[str(option.name)] = texts[0]
        return values, rest, order

    return parsed


def _in_json(run: Callable[[], T], asked: bool) -> T:
    """Run; of what fails, a document on stdout too, if it is asked for."""
    try:
        return run()
    except UsageError as error:
        if asked:
            with guarded():
                write_error([_usage(error)])
        raise
    except typer.Exit as error:
        if asked and isinstance(error.__cause__, SteelyardError):
            with guarded():
                write_error(error.__cause__.faults, error.__cause__.fault)
        raise


def _usage(error: Any) -> Fault:
    """What typer says of an argument; the option is its place."""
    option = getattr(error, "param_hint", None) or getattr(error, "option_name", None) or ""
    param = getattr(error, "param", None)
    place = option or (param.opts[-1] if param is not None else "")
    path = error.ctx.command_path if error.ctx is not None else "steelyard"
    return Fault("usage", error.format_message(), str(place), hint=f"{path} --help")

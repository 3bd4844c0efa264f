"""Every exception of Steelyard, drawn once.

```text
SteelyardError
├── InputError             a file or an argument is not usable; nothing was calculated
│   ├── RowsRejected       lines of a file, all of them listed
│   ├── LimitExceeded      a file or a portfolio larger than a limit that is set
│   └── NotStored          a name, a version or an id that the database does not have
├── SettingsError          a strategy or a setting is not usable
├── StoreError             the database is not usable; what was begun was not written
│   └── JournalFailed      the journal is not usable: nothing further was sent
├── BrokerError            a broker did not answer, or answered nonsense
├── NotExecuted            a plan, a run or an account may not be traded; nothing was sent
│   └── ChainBroken        the journal's events are not those that were written
├── ServiceError           a service did not answer in time, or answered nonsense
│   ├── OtherBuild         what is to work together is of two builds, or has other plugins
│   └── NotDelivered       a message did not reach whom it was for; nothing else changed
├── NotAllowed             who asks may not; nothing was done
├── ChangedMeanwhile       another changed it since this change was made; nothing was done
│   └── NotMatched         it is not what the request says that it must be
├── PlanRefused            the inputs are readable, but no plan may be made from them
│   └── SeveralReasons     for more than one reason
├── ModuleError            a registered module broke its contract
│   ├── UnknownModule      a name that no module has, with near names
│   ├── DeadlineStruck     a plugin took longer than it may; its worker was stopped
│   └── FailedLate         a module that had answered failed when its answer was used: the plan is
                           made again without it
└── InternalError          two of our own calculations disagree: nothing may be used
```

A message says what, by how much, which setting, what has (not) happened and what to do. The command
line prints it and exits with 1; it never prints a traceback for any of these.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST_VALUE = 1000
"""Characters of a value or a limit, in what programs read."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, for programs.

    code      what kind: short, stable, in lower case
    message   the sentence for a person
    place     file and line, option, setting or symbol; "" = nowhere in particular
    value     as it was given; None where there is no one value
    limit     what it had to be, or which figure it met
    hint      what to do
    """

    code: str
    message: str
    place: str = ""
    value: str | None = None
    limit: str | None = None
    hint: str = ""


def each(code: str, sentences: Iterable[str], place: str = "") -> tuple[Fault, ...]:
    """A fault for each sentence."""
    return tuple(Fault(code, sentence, place) for sentence in sentences)


class SteelyardError(Exception):
    """Base of all; `str(error)` is a message for a person, `fault` the same for programs.

    `faults` has each thing that is wrong, where they are several.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        place: str = "",
        value: object = None,
        limit: object = None,
        hint: str = "",
        faults: Sequence[Fault] = (),
    ) -> None:
        """`faults`: of several things that are wrong, each one."""
        super().__init__(message)
        self.fault = Fault(
            code=code or self.code,
            message=message,
            place=place,
            value=None if value is None else str(value)[:LONGEST_VALUE],
            limit=None if limit is None else str(limit)[:LONGEST_VALUE],
            hint=hint,
        )
        self._faults = tuple(faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that is wrong, at least one."""
        return self._faults or (self.fault,)


class InputError(SteelyardError):
    """A file or an argument is not usable; nothing was calculated."""

    code = "input"


class LimitExceeded(InputError):
    """A file or a portfolio is larger than a limit that is set; the message names what to do."""

    code = "limit_exceeded"


class NotStored(InputError):
    """A name, a version or an id that the database does not have, with the nearest that it has."""

    code = "not_stored"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """One line of a file that could not be used: `line` is 1-based and counts the header.

    code, column, value, limit, hint   as in `Fault`; the column is part of its place
    where   what the line is called where it is of no file: `holdings['VT']`
    """

    file: str
    line: int
    reason: str
    code: str = "bad_cell"
    column: str = ""
    value: str | None = None
    limit: str | None = None
    hint: str = ""
    where: str = ""

    @property
    def fault(self) -> Fault:
        """The same, for programs."""
        column = f", column {self.column}" if self.column else ""
        place = f"{self._line}{column}"
        value = None if self.value is None else self.value[:LONGEST_VALUE]
        return Fault(self.code, str(self), place, value, self.limit, self.hint)

    def __str__(self) -> str:
        return f"{self._line}: {self.reason}"

    @property
    def _line(self) -> str:
        return self.where or f"{self.file} line {self.line}"


class RowsRejected(InputError):
    """Lines of one or more files, all of them listed, so that one look mends the file."""

    SHOWN = 20
    code = "rows_rejected"

    def __init__(self, rows: Sequence[RejectedRow]) -> None:
        self.rows = tuple(rows)
        lines = [str(row) for row in self.rows[: self.SHOWN]]
        if len(self.rows) > self.SHOWN:
            lines.append(f"and {len(self.rows) - self.SHOWN} more")
        what, source = (
            ("line", "file") if not all(row.where for row in self.rows) else ("row", "data")
        )
        count = f"1 {what} was" if len(self.rows) == 1 else f"{len(self.rows)} {what}s were"
        rule = f"{count} rejected, nothing was planned. Correct the {source} and plan again."
        super().__init__("\n".join([rule, *lines]))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """One for each line."""
        return tuple(row.fault for row in self.rows)


class SettingsError(SteelyardError):
    """A strategy or a setting is not usable; the message names the key and its range."""

    code = "settings"


class StoreError(SteelyardError):
    """The database is locked, damaged, read-only, full, of a later version or not there.

    Nothing is half-written: a change is in it whole, or not at all.
    """

    code = "store"


class JournalFailed(StoreError):
    """The journal could not be read or written: nothing further was sent to the broker."""

    code = "journal"


class BrokerError(SteelyardError):
    """A broker did not answer a question, or its answer cannot be used; never "nothing there"."""

    code = "broker"


class NotExecuted(SteelyardError):
    """A plan, a run or an account may not be traded; nothing was sent for it."""

    code = "not_executed"


class ServiceError(SteelyardError):
    """A service did not answer in time, or answered nonsense."""

    code = "service"


class OtherBuild(ServiceError):
    """Who asks and the service are of two builds, or have not the same plugins."""

    code = "other_build"


class NotDelivered(ServiceError):
    """A message did not reach whom it was for, as far as is known; nothing else changed."""

    code = "not_delivered"


class NotAllowed(SteelyardError):
    """Who asks has no token, or one that may not do this; nothing was done."""

    code = "not_allowed"


class ChangedMeanwhile(SteelyardError):
    """What was to be changed is no longer what the change was made from; nothing was done."""

    code = "changed_meanwhile"


class NotMatched(ChangedMeanwhile):
    """It is not what the request says that it must be; nothing was done."""

    code = "not_matched"


class ChainBroken(NotExecuted):
    """The events of the journal are not those that were written: what it says may not be used."""

    code = "chain_broken"


class PlanRefused(SteelyardError):
    """The inputs are readable, but no plan may be made from them; no order exists."""

    code = "refused"


class SeveralReasons(PlanRefused):
    """A plan is refused for more than one reason; what none of them did is said once."""

    code = "several"

    def __init__(self, reasons: Sequence[SteelyardError], nothing: str) -> None:
        head = f"The plan is refused for {len(reasons)} reasons. {nothing}"
        texts = [" ".join(str(reason).replace(nothing, "").split()) for reason in reasons]
        faults = tuple(fault for reason in reasons for fault in reason.faults)
        super().__init__("\n".join([head, *texts]), faults=faults)


class ModuleError(SteelyardError):
    """A registered module broke its contract: wrong shape, not finite, unknown symbol."""

    code = "module"


class UnknownModule(ModuleError):
    """A name that no module has."""

    code = "unknown_module"


class DeadlineStruck(ModuleError):
    """A plugin took longer than it may: its worker was stopped, and a plan that met it need not
    repeat.
    """

    code = "deadline"


class FailedLate(ModuleError):
    """A module that had answered failed when its answer was used: what was made with it is no use.

    module   its qualified name
    told     the error, as a person reads it
    struck   did a deadline end it
    """

    code = "failed_late"

    def __init__(self, module: str, told: str, *, struck: bool = False) -> None:
        self.module, self.told, self.struck = module, told, struck
        super().__init__(
            f"{module} failed while its answer was used: {told}. Nothing was made with it."
        )


class InternalError(SteelyardError):
    """Two of our own calculations disagree by more than rounding: the plan is withheld."""

    code = "internal"


def planning_stopped(error: Exception) -> InternalError:
    """What a page or a schedule tells where planning ends by an error that nobody foresaw."""
    return InternalError(
        f"Planning stopped: {one_line(repr(error), 200)}. No plan was made.",
        code="planning_stopped",
    )


LOOKED_AT = 10
"""Characters of a text that are read for each one that is kept: a text may be of any length."""


def one_line(text: str, most: int) -> str:
    r"""Text of anybody on one line of at most `most` characters, cut with `…`; what a terminal
    would obey is spelled out.

    >>> one_line("no\n\tsuch \x1b[31mkey", 16)
    'no such \\u001b[…'
    """
    shown = "".join(
        sign if sign.isprintable() else f"\\u{ord(sign):04x}"
        for sign in " ".join(text[: LOOKED_AT * most].split())
    )
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def nearest(name: str, known: Sequence[str]) -> str:
    """The nearest known name, or an empty string."""
    return next(iter(get_close_matches(name, known, n=1)), "")


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """` Did you mean AAPL?` for the nearest known name, or an empty string."""
    near = nearest(name, known)
    return f" Did you mean {near}?" if near else ""

"""Sentences of the importers and the planner as a page says them: by its fields, no options.

What is wrong is said once, for the command line, which names its options; a page has the same
answers under the names of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from steelyard.errors import Fault

Words = Sequence[tuple[re.Pattern[str], str]]
"""What an option is called in a sentence, and the words of the page in its place, in order."""


def _words(*rows: tuple[str, str]) -> Words:
    return [(re.compile(pattern), text) for pattern, text in rows]


IMPORT = _words(
    (r" with --exclude (\S+?)(?=[,.;]?(?:\s|$))", r": type \1 under Leave out"),
    (r" with --exclude\b", " under Leave out"),
    (r": --base ([A-Z]{3}) \(in Python base_currency\)", r": type \1 under Base currency"),
    (r": --base ([A-Z]{3})", r": type \1 under Base currency"),
    (r": --base\b", ": it is typed under Base currency"),
    (r"(?:with )?--base\b", "under Base currency"),
    (r" with --fx\b", ": a file under Exchange rates"),
    (r" with --prices\b", ": a file under Prices"),
    (r"--moved [A-Z]{3}=(-?[0-9.]+)", r"type \1 under Money brought since the last load"),
    (r"--moved\b", "Money brought since the last load"),
    (r": --account (\S+)", r": \1 under Account"),
    (r"--account\b", "Account"),
    (r"(?:by |: )?--map \S+=[A-Z]\S*( --map \S+=[A-Z]\S*)*", ": under How the file is read"),
    (r"by --map\b", "columns by hand"),
    (r"\(--as-of\)", "(As of)"),
    (r"--as-of\b", "As of"),
    (r"--targets\b", "Targets"),
    (r"--holdings\b", "Holdings"),
    (r"--exclude\b", "Leave out"),
    (r"--fx\b", "Exchange rates"),
    (r"--prices\b", "Prices"),
    (r"--securities\b", "Securities"),
    (r"--cash\b", "Cash beside the file"),
    (r"--accept-price\b", "Prices to take all the same"),
)
"""Of the import page."""
ASKING = _words(
    (r" Write USD=1200(?: or \S+)?\.$", ""),
    (r"(?:amount|date) ('.*?') (is|has) ", r"it \2 "),
    (r"it is not a number", "it is no number, such as 5000 or 1250.50"),
    (r"; write 2022-12-28", ""),
    (r"--deposit goes", "Invest goes"),
    (r"--withdraw goes", "Withdraw goes"),
    (r"\s*\((?:--as-of|--fx)\)", ""),
)
"""Of the form that asks for a plan."""
BAD_FLOW = re.compile(r"^--(?:deposit|withdraw) .*? is not usable: ", re.DOTALL)


def in_words(text: str, words: Words = IMPORT) -> str:
    """A sentence with the names of fields in the place of options."""
    for pattern, field in words:
        text = pattern.sub(field, text)
    return text


def faults_in_words(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Faults as the import page says them."""
    return tuple(replace(fault, message=in_words(fault.message)) for fault in faults)


def flow_in_words(fault: Fault, place: str, typed: Mapping[str, str]) -> str:
    """What is wrong with money that was asked for, by the field that it stands under.

    place   the field; typed: field -> what was typed there
    """
    labels = {"amount": "Amount", "currency": "Currency", "date": "By"}
    shown = typed.get(place, "")
    name = labels.get(place, place)
    head = f"{name} '{shown}' is not usable: " if shown else f"{name}: "
    return in_words(BAD_FLOW.sub(lambda _: head, fault.message), ASKING)

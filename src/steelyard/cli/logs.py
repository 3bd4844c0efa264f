"""The log on stderr, for whoever asks: `STEELYARD_LOG=debug` shows a line for each module."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from steelyard.errors import one_line

VARIABLE = "STEELYARD_LOG"
LEVELS = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}
FORM = "%(levelname)s %(name)s %(message)s"
LONGEST_VALUE = 40
"""Characters of a wrong level that are shown."""


def log_to_stderr(environment: Mapping[str, str]) -> None:
    """Send the log of Steelyard alone to stderr, if the environment says from which level on."""
    asked = environment.get(VARIABLE, "")
    if not asked:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORM))
    logger = logging.getLogger("steelyard")
    logger.addHandler(handler)
    logger.setLevel(LEVELS.get(asked.lower(), logging.WARNING))
    if asked.lower() not in LEVELS:
        level, levels = one_line(asked, LONGEST_VALUE), ", ".join(LEVELS)
        logger.warning("%s is %r: no level of the log. There are %s.", VARIABLE, level, levels)

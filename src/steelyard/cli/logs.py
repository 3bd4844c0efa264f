"""The log on stderr, for whoever asks: `STEELYARD_LOG=debug` shows a line for each module, and with
`STEELYARD_LOG_FORMAT=json` each line is a JSON object.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

from steelyard.errors import one_line
from steelyard.telemetry.logs import JsonLines

VARIABLE, FORMAT = "STEELYARD_LOG", "STEELYARD_LOG_FORMAT"
LEVELS = {name: getattr(logging, name.upper()) for name in ("debug", "info", "warning", "error")}
FORMS: Mapping[str, logging.Formatter] = {
    "text": logging.Formatter("%(levelname)s %(name)s %(message)s"),
    "json": JsonLines(),
}
LONGEST_VALUE = 40
"""Characters of a wrong level that are shown."""


def log_to_stderr(environment: Mapping[str, str]) -> None:
    """Send the log of Steelyard alone to stderr, if the environment says from which level on."""
    asked, form = environment.get(VARIABLE, ""), environment.get(FORMAT) or "text"
    if not asked:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMS.get(form.lower(), FORMS["text"]))
    logger = logging.getLogger("steelyard")
    logger.addHandler(handler)
    logger.setLevel(LEVELS.get(asked.lower(), logging.WARNING))
    if asked.lower() not in LEVELS:
        level, levels = one_line(asked, LONGEST_VALUE), ", ".join(LEVELS)
        logger.warning("%s is %r: no level of the log. There are %s.", VARIABLE, level, levels)
    if form.lower() not in FORMS:
        name, forms = one_line(form, LONGEST_VALUE), ", ".join(FORMS)
        logger.warning("%s is %r: no form of the log. There are %s.", FORMAT, name, forms)

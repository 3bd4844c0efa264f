"""For everyone who places trades by hand: orders out as CSV, fills in as records."""

from steelyard.brokers.by_file.broker import FileBroker, open_file
from steelyard.brokers.by_file.export import FORMS, Line, exported
from steelyard.brokers.by_file.intake import FileFill, Intake

__all__ = ["FORMS", "FileBroker", "FileFill", "Intake", "Line", "exported", "open_file"]

"""A whole broker on paper: persistent, simulated, and as bad as its script says."""

from steelyard.brokers.opening import Fees, Opening, PaperPrice
from steelyard.brokers.paper.broker import PaperBroker, open_paper
from steelyard.brokers.paper.script import Script

__all__ = ["Fees", "Opening", "PaperBroker", "PaperPrice", "Script", "open_paper"]

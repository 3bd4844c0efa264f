"""Steelyard plans the trades that best improve a portfolio, and explains every line of the plan."""

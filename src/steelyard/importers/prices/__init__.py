"""A price file of any size to the closes of the symbols in use, and what is odd in them.

table       what comes out: PriceTable, read_prices
lines       the file in pieces of lines
wide, long  the two forms, plain the short way of plain numbers; parquet the same in columns
grid        closes by day and symbol while they are gathered
selection   which symbols are kept, and under which name
history     splits, spikes and gaps: what the statistics may see
jumps       steps of older closes: said
"""

from steelyard.importers.prices.table import PriceTable, read_prices

__all__ = ["PriceTable", "read_prices"]

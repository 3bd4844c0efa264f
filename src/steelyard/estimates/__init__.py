"""What price history says: arrays of closes in, figures of each security out; pure.

estimate.py   return, risk, drawdown, quality, correlation
trends.py     momentum, peaks, a month's volatility against a year's
regime.py     bull, bear, sideways or unknown, from the history of an index
"""

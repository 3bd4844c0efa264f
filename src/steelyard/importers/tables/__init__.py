"""Tables of positions as brokers write them, read by a table of their columns.

columns   a broker's `Form` to its importer, a file to its statement
sheet     a file cut into lines: preamble, header, rows, totals, footers
rows      one row to a position or an amount of cash
"""

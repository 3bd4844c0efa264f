"""What an OFX statement is made of: tree, securities, trades; `brokers/ofx.py` reads it."""

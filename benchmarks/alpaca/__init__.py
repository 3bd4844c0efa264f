"""An Alpaca of our own on the loopback: the table of its replies, its exchange and its server."""

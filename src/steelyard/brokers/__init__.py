"""The Broker contract and its adapters; each passes one conformance suite.

In: tickets. Out: what the broker says of orders, fills, cash and positions, never a guess. To add
one: a file or folder with an object of the `Broker` protocol and its `Capabilities`, and a builder
of it in the conformance suite.
"""

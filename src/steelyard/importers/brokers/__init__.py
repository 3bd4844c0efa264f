"""Files as brokers and portfolio programs write them, one form a file.

In: a `Source`. Out: a `Statement`. To add one: a file here with an `IMPORTER`, recognised by what
is in the file; `registry.py` finds it, and nothing else has to be told of it.
"""

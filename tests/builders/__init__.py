"""One way to make a small case: contexts, tables, worlds, plans."""

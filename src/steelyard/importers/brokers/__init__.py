"""Files as brokers and portfolio programs write them, one form a file.

In: a `Source`. Out: a `Statement`. To add one: a file here with `IMPORTER`, recognised by what is
in the file; it is listed in `FORMS`, the more particular first.
"""

FORMS: tuple = ()

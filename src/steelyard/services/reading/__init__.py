"""A topology from a file: our TOML, or the documents' YAML. In goes text, out comes a `Topology`,
or every line that is no use.
"""

"""Requests of the documents, each whole: answered, sent, read from a file. In goes a model of
`wire`, out comes another.
"""

"""The terminal view, one section a file: `draw` prints it.

In: a `View`, which is a console, a plan and how much to tell. Out: printed lines. A section without
anything to say prints nothing. To add one: a file with `draw(view)`, and its name in the order of
`terminal/__init__.py`.
"""

"""What an algorithm may see and must answer, and all of the algorithms: one file each.

In: a frozen `Context` (the planning set as arrays), for most kinds the table of `Candidates`, and
the algorithm's own `Params`. Out, by kind, and nothing else:

    opportunities   list of Candidate      which changes of weight are worth asking for, and why
    patterns        (k, d) rows            sequences with one intent, drawn from the table
    sequences       blocks of rows         many sequences; or `what_if` reports beside a plan
    filters         Ruling, pairs, rows    what may not be traded, not go together, or ranks last
                    or Ranking
    scoring         Term                   how good a portfolio is: a formula and its arrays

An algorithm is a pure function: no clock, no file, no random numbers but those of its seed. It may
not change what it is given (arrays are read-only), and one that fails costs only itself.

To add one: a file with a `Params` model and a function under the decorator of its kind
(`registry`), which needs to be named nowhere else. It starts off (`on=False`) until it has earned
its place. Its tests stand in the mirror under `tests/modules/`, what every module keeps in
`tests/contracts/`. The folder of each kind says the shapes; `plugins` loads the same from outside.
"""

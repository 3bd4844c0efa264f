"""A plan carried: what is sent of it, to whom, and what comes back. In goes a step of planning, out
comes its result, whoever did it.

    messages, records    what is said, and our records as JSON and arrays
    context, fitting     what a service must know of a plan, sent once under its hash; does it fit?
    carried              a step's result and report, on both sides
    calls, carrier       one request to one instance: deadline, circuit; the client of a process
    sources, dispatch    the generator's stream; batches to evaluators
    loop                 the thread in which all of it waits

`remote` makes the four steps of it.
"""

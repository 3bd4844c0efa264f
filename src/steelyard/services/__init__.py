"""The pipeline over HTTP: four planner services, the coordinator, and the management API.

In comes HTTP, out goes what the functions below give; nothing is calculated here.

    opportunity, generator, evaluator, coordinator      one service each: its routes
    api/         strategies, buckets, presets, plans, runs, events
    remote       `Remote(topology)`: the steps of a plan as calls
    carriage/    what such a call sends, to whom, and what comes back
    contexts, results      what a service was sent, and what it has calculated of it
    either       bodies of two forms
    wire         every request and response of the documents, both directions
    documents/   those requests answered, sent, read from a file
    names        the documents' service locator and local services
    topology     which service listens where, timeouts, intervals; reading/: from a file
    running/     services as processes
    applications, app      a name to its routes, and these to one ASGI application
    house        what a service stands in: files, database, clock, limits
    answers      what was read once, for as long as nothing is written
    security/    who may ask what, and how much
    health, observing      is it well, and what it says of itself
    problems     errors as `application/problem+json`

A service is added as a file with a `router`, and a line in `applications.MODULES`.
"""

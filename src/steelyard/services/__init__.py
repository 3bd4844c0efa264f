"""The pipeline over HTTP: four planner services, the coordinator, and the management API.

In comes HTTP, out goes what the functions below give; nothing is calculated here.

    names        the documents' service locator and local services
    topology     which service listens where, timeouts, intervals: `[services]`
    wire         every request and response, both directions
    context      what a service must know of a plan, sent once, under its hash
    calls        one request to one instance: deadline, retry, circuit
    remote       `Remote(topology)`: the steps of a plan as calls
    opportunity, generator, evaluator, coordinator      one service each
    api/         strategies, buckets, presets, plans, runs, events
    security/    who may ask what, and how much
    app          services to one ASGI application
    house        what a service stands in: files, database, clock, limits
    observing    figures at /metrics, a line of the log a request, the trace it belongs to
    problems     errors as `application/problem+json`

A service is added as a file with a `router`, and a line in `app.ROUTERS`.
"""

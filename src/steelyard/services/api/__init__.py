"""The management API: what the commands say and change, over HTTP. One file a resource.

In comes JSON that a model allows, out goes JSON that a model describes; what is done stands in
runs/ and store/, where the commands find it too.

    configs, buckets, presets, trials    the documents' own paths
    strategies, plans, batches, runs     under /api
    events                               the stream
    fields, paging, etags, received      what they share
    keeping                              how a bucket is planned in this house

A resource is added as a file with a `router`, and in ROUTERS.
"""

from steelyard.services.api import (
    batches,
    buckets,
    configs,
    events,
    plans,
    presets,
    runs,
    strategies,
    trials,
)

ROUTERS = (
    configs.router,
    buckets.router,
    presets.router,
    trials.router,
    strategies.router,
    plans.router,
    batches.router,
    runs.router,
    events.router,
)

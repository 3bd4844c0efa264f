"""What a service counts and times, in a registry of its own; plain methods, nothing is global.

    request ── seconds by route, method, status     batch, beam ── seconds of evaluation
    modules ── seconds by kind and name             breaker, queue, cache_hit, error, sequences

Names and labels are a form that dashboards rely on: see docs/observability.md. A label holds only
what this program names: a route's template, a module, an instance; never what a caller sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from steelyard.calculations.cache import Counts
from steelyard.telemetry.breaker import State
from steelyard.telemetry.timings import Timed, split

QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds that divide what is answered at once from what is not."""
LONG = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""The same of planning: the last is the longest that a coordinator takes."""
TINY = (0.00001, 0.0001, 0.001, 0.01, 0.1, 1)
"""The same of keeping the best of a batch."""
STATES: dict[State, int] = {"closed": 0, "half-open": 1, "open": 2}
"""State of a circuit -> its figure."""
AGE = "_created"
"""What the names of figures end with that say when another one began."""


class _Calculations(Collector):
    """The figures of a cache of calculations."""

    def __init__(self, counts: Callable[[], Counts]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """All of them, as they are now."""
        counts = self._counts()
        figures = {
            "hits": ("Calculations that were had without work.", counts.hits),
            "misses": ("Calculations that were done.", counts.misses),
            "evictions": ("Results that went for want of bytes.", counts.evictions),
            "unkept": ("Results that could not be kept.", counts.unkept),
        }
        for name, (what, count) in figures.items():
            yield CounterMetricFamily(f"steelyard_calculation_{name}", what, value=count)
        what = "Bytes of the results that are kept."
        yield GaugeMetricFamily("steelyard_calculation_bytes", what, value=counts.bytes)


class Meters:
    """The figures of one process. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        requests = ("route", "method", "status")
        self._requests = Histogram(
            "steelyard_request_seconds", "Requests.", requests, buckets=LONG, registry=registry
        )
        self._modules = Histogram(
            "steelyard_module_seconds",
            "Modules, and stages of planning.",
            ("kind", "name"),
            buckets=QUICK,
            registry=registry,
        )
        self._batch = Histogram(
            "steelyard_batch_seconds", "Batches, sent to scored.", buckets=QUICK, registry=registry
        )
        self._beam = Histogram(
            "steelyard_beam_seconds",
            "Keeping the best of a batch.",
            buckets=TINY,
            registry=registry,
        )
        self._sequences = Counter("steelyard_sequences", "Sequences scored.", registry=registry)
        self._batches = Counter(
            "steelyard_batches", "Batches scored.", ("evaluator",), registry=registry
        )
        self._hits = Counter(
            "steelyard_cache_hits", "Results that were had without work.", registry=registry
        )
        self._errors = Counter(
            "steelyard_errors", "Answers of 500 and above, and modules failed.", registry=registry
        )
        self._trips = Counter(
            "steelyard_breaker_trips", "Circuits opened.", ("instance",), registry=registry
        )
        self._circuits = Gauge(
            "steelyard_breaker_state",
            "Circuits: 0 closed, 1 half-open, 2 open.",
            ("instance",),
            registry=registry,
        )
        self._queue = Gauge("steelyard_queue_depth", "Batches that wait.", registry=registry)
        ProcessCollector(registry=registry)  # the last: what is ours stands at the head
        self._states: dict[str, State] = {}
        self._lock = Lock()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is its template, never the path that was asked for."""
        self._requests.labels(route, method, str(status)).observe(seconds)

    def modules(self, timings: Iterable[Timed]) -> None:
        """What the parts of a plan took: `plan.timings`, or `findings.timings` of one step."""
        for timing in timings:
            self._modules.labels(*split(timing.name)).observe(timing.seconds)

    def batch(self, seconds: float, evaluator: str) -> None:
        """An evaluator scored a batch; `local` is this process."""
        self._batch.observe(seconds)
        self._batches.labels(evaluator).inc()

    def beam(self, seconds: float) -> None:
        """The best few took in what a batch scored."""
        self._beam.observe(seconds)

    def sequences(self, count: int) -> None:
        """So many sequences were scored."""
        self._sequences.inc(count)

    def breaker(self, instance: str, state: State) -> None:
        """The circuit of an instance is in this state now; each time it opens is a trip."""
        with self._lock:
            before = self._states.get(instance, "closed")
            self._states[instance] = state
            trips = self._trips.labels(instance)  # from the first state on there is a figure
            self._circuits.labels(instance).set(STATES[state])
            if state == "open" != before:
                trips.inc()

    def cache_hit(self) -> None:
        """A result was had without work."""
        self._hits.inc()

    def calculations(self, counts: Callable[[], Counts]) -> None:
        """What a cache of calculations did is asked of it whenever figures are read."""
        self._registry.register(_Calculations(counts))

    def queue(self, depth: int) -> None:
        """So many batches wait."""
        self._queue.set(depth)

    def error(self) -> None:
        """A request was answered with 500 or above, or a module failed."""
        self._errors.inc()

    def exposed(self, accept: str = "") -> tuple[bytes, str]:
        """(all figures as Prometheus reads them, their media type); `accept` is what it asks."""
        encode, media_type = choose_encoder(accept)
        return encode(self), media_type

    def collect(self) -> Iterator[Metric]:
        """Every figure now, without when each began: Prometheus takes a restart from the value."""
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith(AGE)]
            yield metric

"""The figures of a process: named as dashboards know them, in a registry of their own."""

import re
from concurrent.futures import ThreadPoolExecutor

from prometheus_client.parser import text_string_to_metric_families as families
from prometheus_client.registry import REGISTRY

from builders.paths import ROOT
from steelyard.calculations.cache import Calculations
from steelyard.notices import Timing
from steelyard.telemetry.metrics import Meters

FORM = {
    "steelyard_request_seconds": {"route", "method", "status"},
    "steelyard_module_seconds": {"kind", "name"},
    "steelyard_sequences": set(),
    "steelyard_batch_seconds": set(),
    "steelyard_beam_seconds": set(),
    "steelyard_breaker_trips": {"instance"},
    "steelyard_batches": {"evaluator"},
    "steelyard_cache_hits": set(),
    "steelyard_calculation_hits": set(),
    "steelyard_calculation_misses": set(),
    "steelyard_calculation_evictions": set(),
    "steelyard_calculation_unkept": set(),
    "steelyard_calculation_bytes": set(),
    "steelyard_breaker_state": {"instance"},
    "steelyard_errors": set(),
    "steelyard_queue_depth": set(),
    "process_resident_memory_bytes": set(),
}
"""Family -> its labels; a counter's samples end with `_total`."""


def used() -> Meters:
    """Everything happened once."""
    meters = Meters()
    meters.request("/plans/{id}", "GET", 200, 0.25)
    meters.modules([Timing(name="filters.a", seconds=0.5), Timing(name="prove", seconds=1)])
    meters.sequences(500)
    meters.batch(2.0, "http://127.0.0.1:8010")
    meters.beam(0.001)
    meters.breaker("http://127.0.0.1:8010", "open")
    meters.cache_hit()
    meters.calculations(Calculations().counts)
    meters.queue(3)
    meters.error()
    return meters


def samples(meters: Meters) -> dict[str, list]:
    """Family -> its samples."""
    text = meters.exposed()[0].decode()
    return {family.name: list(family.samples) for family in families(text)}


def value(meters: Meters, sample_name: str, /, **labels: str) -> float:
    (sample,) = [
        each for own in samples(meters).values() for each in own
        if each.name == sample_name and each.labels == labels
    ]  # fmt: skip
    return sample.value


def test_every_figure_has_the_name_and_the_labels_of_its_form():
    of = samples(used())

    assert of.keys() >= FORM.keys()
    assert {name for name in of if not name.startswith("process_")} < FORM.keys()
    for name, labels in FORM.items():
        seen = {frozenset(sample.labels) - {"le"} for sample in of[name]}
        assert seen == {frozenset(labels)}, name
    assert [each.name for each in of["steelyard_sequences"]] == ["steelyard_sequences_total"]


def test_the_page_has_every_figure_with_its_labels():
    page = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*)\|", page, re.MULTILINE))
    of = {name.removesuffix("_total"): set(re.findall(r"`(\w+)`", rows[name])) for name in rows}

    assert {name: of.get(name) for name in FORM} == FORM


def test_seconds_are_summed_and_stages_stand_beside_modules():
    meters = used()

    assert value(meters, "steelyard_module_seconds_sum", kind="filters", name="a") == 0.5
    assert value(meters, "steelyard_module_seconds_sum", kind="stage", name="prove") == 1
    assert value(meters, "steelyard_batches_total", evaluator="http://127.0.0.1:8010") == 1
    assert value(meters, "steelyard_batch_seconds_sum") == 2
    assert value(meters, "process_resident_memory_bytes") > 1_000_000


def test_a_cache_of_calculations_is_asked_whenever_figures_are_read():
    meters, calculations = Meters(), Calculations(most_bytes=2000)
    meters.calculations(calculations.counts)
    for key in (b"a", b"a", b"b", b"c", b"d"):
        calculations.once(key, lambda: "x" * 100)
    calculations.once(b"e", lambda: "x" * 3000)

    counts = calculations.counts()

    assert (counts.evictions, counts.unkept) == (1, 1)
    figures = {"hits": 1, "misses": 5, "evictions": 1, "unkept": 1}
    for name, figure in figures.items():
        assert value(meters, f"steelyard_calculation_{name}_total") == figure
    assert value(meters, "steelyard_calculation_bytes") == counts.bytes > 0


def test_a_circuit_trips_each_time_that_it_opens_and_only_then():
    meters = Meters()
    for state in ("closed", "open", "open", "half-open", "open", "half-open", "closed"):
        meters.breaker("e", state)

    assert value(meters, "steelyard_breaker_trips_total", instance="e") == 2
    assert value(meters, "steelyard_breaker_state", instance="e") == 0


def test_no_thread_loses_a_count():
    meters = Meters()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(400):
            pool.submit(meters.sequences, 1)

    assert value(meters, "steelyard_sequences_total") == 400


def test_nothing_is_global_and_both_formats_are_told_by_their_type():
    first, second = used(), Meters()

    assert value(second, "steelyard_sequences_total") == 0
    assert not [metric for metric in REGISTRY.collect() if metric.name.startswith("steelyard")]
    plain, plain_type = first.exposed()
    opened, opened_type = first.exposed("application/openmetrics-text; version=1.0.0")
    assert plain_type.startswith("text/plain")
    assert opened_type.startswith("application/openmetrics-text")
    assert opened.endswith(b"# EOF\n")
    assert b"_created" not in plain + opened

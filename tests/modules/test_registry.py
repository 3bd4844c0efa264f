"""The registry: well-formed names, one of each, found at the first look-up."""

import subprocess
import sys
from dataclasses import replace

import pytest

from steelyard.errors import ModuleError, UnknownModule
from steelyard.modules import registry
from steelyard.modules.registry import Kind, Module, ModuleParams, add, module, modules
from steelyard.strategies import default, parse

EXPECTED = {
    Kind.OPPORTUNITY: {
        "averaging_down", "opportunity_buys", "profit_taking", "rebalance_buys", "rebalance_sells",
        "weight_based",
    },
    Kind.PATTERN: {"averaging_down", "direct_buy", "profit_taking", "rebalance", "single_best"},
    Kind.SEQUENCE: {"enhanced_combinatorial"},
    Kind.FILTER: {"eligibility", "recently_traded"},
    Kind.TERM: {
        "cash", "diversification", "income", "quality", "stability", "target_fit", "total_return",
    },
}  # fmt: skip


class Params(ModuleParams):
    """Nothing to set."""


def made(name="mine", version="1.0.0", kind=Kind.PATTERN):
    return Module(kind, name, version, "does it", Params, lambda: None)


@pytest.fixture
def own_registry(monkeypatch):
    """A copy that the test may fill."""
    for kind in Kind:
        modules(kind)
    monkeypatch.setattr(registry, "_MODULES", {kind: dict(modules(kind)) for kind in Kind})


@pytest.mark.parametrize("kind", Kind)
def test_the_built_in_modules_are_there(kind):
    assert set(modules(kind)) >= EXPECTED[kind]


def test_names_are_unique_over_all_kinds_once_qualified_and_everything_says_what_it_does():
    every = [one for kind in Kind for one in modules(kind).values()]

    assert len({one.qualified for one in every}) == len(every)
    assert all(one.summary.endswith(".") and one.author for one in every)
    assert [one.kind for one in every] == sorted((one.kind for one in every), key=list(Kind).index)


def test_only_filters_and_sequence_generators_have_a_form():
    assert all(
        (one.form is not None) == (one.kind in (Kind.FILTER, Kind.SEQUENCE))
        for kind in Kind
        for one in modules(kind).values()
    )


def refusal(one: Module) -> str:
    """Why a module is not registered; empty where it is."""
    try:
        add(one)
    except ModuleError as error:
        return str(error)
    return ""


def test_a_name_or_a_version_that_is_not_well_formed_is_refused(own_registry):
    names = ("", "Mine", "1st", "my-own", "a.b", "ß", "mine ")
    versions = ("", "1", "1.0", "v1.0.0", "1.0.0-beta")
    wrong = [*map(made, names), *(made(version=version) for version in versions)]

    assert [one for one in wrong if "was not registered" not in refusal(one)] == []


def test_a_name_can_be_taken_once_in_a_kind_but_again_in_another(own_registry):
    add(made())
    add(made(kind=Kind.FILTER))

    with pytest.raises(
        ModuleError, match=r"mine is registered already \(1\.0\.0, .*made\.<locals>"
    ):
        add(replace(made(version="2.0.0"), call=lambda: None))
    assert module(Kind.PATTERN, "mine").version == "1.0.0"


CELL = """
from steelyard.modules.registry import ModuleParams, pattern_generator

@pattern_generator("again", version="{version}", params=ModuleParams)
def {function}(ctx, candidates, params):
    '''One line.'''
"""


def test_a_notebook_cell_that_is_run_again_replaces_its_module_and_another_function_does_not(
    own_registry,
):
    for version in ("1.0.0", "1.0.1"):
        exec(CELL.format(version=version, function="again"), {"__name__": "__main__"})
    assert module(Kind.PATTERN, "again").version == "1.0.1"

    for name, function in (("__main__", "other"), ("elsewhere", "again")):
        with pytest.raises(ModuleError, match=r"registered already \(1\.0\.1, __main__\.again\)"):
            exec(CELL.format(version="2.0.0", function=function), {"__name__": name})


def test_what_code_registers_is_off_until_a_strategy_names_it(own_registry):
    before = default().sha256
    exec(CELL.format(version="1.0.0", function="again"), {"__name__": "__main__"})

    assert not default().choice(Kind.PATTERN, "again").enabled
    assert default().sha256 == before
    assert parse("[pattern_generators.again]", "x").choice(Kind.PATTERN, "again").enabled
    assert {one.source for kind in Kind for one in modules(kind).values()} == {"built-in", "code"}


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(UnknownModule, match="Did you mean weight_based"):
        module(Kind.OPPORTUNITY, "weight_base")
    with pytest.raises(UnknownModule, match=r"Known: .*averaging_down, "):
        module(Kind.PATTERN, "zzz")


def test_a_decorator_takes_its_summary_from_the_first_line_of_the_docstring(own_registry):
    @registry.pattern_generator(
        "told", version="1.2.3", params=Params, tags=("x",), needs=("target_weights",)
    )
    def told():
        """One line.

        And more.
        """

    found = module(Kind.PATTERN, "told")

    assert (found.summary, found.version, found.tags, found.needs, found.call) == (
        "One line.", "1.2.3", ("x",), ("target_weights",), told,
    )  # fmt: skip


def test_a_fresh_process_finds_the_modules_without_importing_them_first():
    script = (
        "from steelyard.modules.registry import Kind, modules; print(sorted(modules(Kind.FILTER)))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert "eligibility" in told


def test_parameters_are_frozen_and_strict():
    with pytest.raises(ValueError, match="extra_forbidden"):
        Params.model_validate({"x": 1})


FITS = [
    (">=3.11", (3, 11, 0), True), (">=3.11", (3, 10, 9), False), (">=3.11,<4", (3, 14, 1), True),
    (">=3.11,<3.14", (3, 14, 0), False), ("==3.12.*", (3, 12, 7), True),
    ("==3.12.*", (3, 13, 0), False), ("==3.12", (3, 12, 0), True), ("==3.12", (3, 12, 1), False),
    ("!=3.12.3", (3, 12, 3), False), ("~=3.11", (3, 14, 0), True), ("~=3.11", (4, 0, 0), False),
    ("~=3.11.2", (3, 11, 5), True), ("~=3.11.2", (3, 12, 0), False), ("<=3.12", (3, 12, 1), False),
    (">3.11", (3, 11, 4), True), (" >= 3.9 , != 3.11.* ", (3, 11, 4), False),
    (">=3", (3, 11, 4), True),
]  # fmt: skip


def test_a_version_specifier_means_what_it_means_to_packages():
    answers = [(what, here, registry.python_fits(what, here)) for what, here, _ in FITS]

    assert answers == FITS


NO_SPECIFIERS = [
    "", "3.11", ">=3.x", "=>3.11", ">=3.11,", ">=3.11.*.1", "^3.11", ">=3.11; python", ">=3.11.0.0",
]  # fmt: skip


def test_what_is_no_version_specifier_is_refused(own_registry):
    def says(text: str) -> str:
        return refusal(replace(made(), requires_python=text))

    assert [t for t in NO_SPECIFIERS if "is no version specifier" not in says(t)] == []


def test_a_module_that_needs_another_python_is_refused_with_the_reason(own_registry):
    with pytest.raises(
        ModuleError, match=r"pattern_generators\.mine needs Python >=99; this is 3\."
    ):
        add(replace(made(), requires_python=">=99"))
    assert "mine" not in modules(Kind.PATTERN)


DEPENDENCIES = [
    "filters", "filters.eligibility", "filters|score_terms",
    "pattern_generators.a|pattern_generators.b",
]  # fmt: skip


def test_a_dependency_is_a_kind_or_a_qualified_name_or_several_of_them(own_registry):
    assert [text for text in DEPENDENCIES if refusal(replace(made(), dependencies=(text,)))] == []


NO_DEPENDENCIES = [
    "", "eligibility", "filter.eligibility", "filters.", "filters.A", "filters |score_terms",
    "filters.a.b",
]  # fmt: skip


def test_another_dependency_is_refused(own_registry):
    def says(text: str) -> str:
        return refusal(replace(made(), dependencies=(text,)))

    assert [t for t in NO_DEPENDENCIES if "a dependency is a kind" not in says(t)] == []


def test_one_text_is_no_list_of_texts(own_registry):
    for name in ("tags", "dependencies"):
        said = refusal(replace(made(), **{name: "filters"}))
        assert f"its {name} are the text 'filters'; a tuple of texts is due" in said


def test_a_module_tells_its_metadata_and_its_defaults_as_plain_values():
    found = module(Kind.FILTER, "diversity")

    assert (found.metadata.name, found.metadata.version, found.metadata.description) == (
        "diversity", found.version, found.summary,
    )  # fmt: skip
    assert found.default_params() == found.params().model_dump(mode="json")

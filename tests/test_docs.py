"""The documentation is held to the code: references, links, and what it says to type."""

from __future__ import annotations

import dataclasses
import gzip
import importlib.util
import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import jsonschema
import pytest
import typer.main
from typer.testing import CliRunner

from builders.importers import install
from builders.paths import ROOT
from steelyard import strategies
from steelyard.cli import app
from steelyard.engine import EngineSettings
from steelyard.importers import fx, holdings, limits, securities, targets, values
from steelyard.importers.prices import long
from steelyard.importers.registry import forms
from steelyard.modules.registry import PACKAGES, Kind
from steelyard.plans import plan as plans
from steelyard.rebalance import Thresholds
from steelyard.samples import sample
from steelyard.settings import Section
from steelyard.strategies.files import spellings

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])

FENCE = re.compile(
    r"^```(?P<language>\w+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
PLAIN = re.compile(r"steelyard [^|<>&;$*?~`]+")
"""A command that needs no shell."""
SKIPPED = "…"
GUIDE_LEVELS = [1, 2, 3, 3, 2, 3, 3, 3, 2, 3, 3, 2, 3, 3, 2, 3, 3, 3, 2, 3, 3, 3, 2, 2]
"""Of the usage guide's headings, in order."""
RUNNABLE = {"opportunities", "patterns", "sequences", "filters", "scoring"}


class Fence(NamedTuple):
    """A fenced block; `name` is a file to write, or `fails` for commands that must be refused."""

    language: str
    name: str
    text: str


def fences(page: str) -> list[Fence]:
    """The fenced blocks of a page of docs/, in order."""
    return blocks((DOCS / page).read_text(encoding="utf-8"))


def blocks(text: str) -> list[Fence]:
    """The fenced blocks of a text, in order."""
    return [Fence(one["language"], one["name"] or "", one["text"]) for one in FENCE.finditer(text)]


@pytest.fixture(scope="module")
def make_docs() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "scripts" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(make_docs: ModuleType) -> Mapping[str, str]:
    made: dict[str, str] = make_docs.pages()
    return made


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return shell(tmp_path)


def shell(folder: Path) -> dict[str, str]:
    """The user's shell: `steelyard` and `python` are these; nothing of the checkout."""
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    for name, arguments in (("steelyard", " -m steelyard"), ("python", "")):
        command = commands / name
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n', encoding="utf-8"
        )
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("COLUMNS", "LINES", "FORCE_COLOR", "STEELYARD"))
    }
    return {
        **kept, "PATH": f"{commands}{os.pathsep}{kept.get('PATH', '')}", "PYTHONUTF8": "1",
        "STEELYARD_HOME": os.environ["STEELYARD_HOME"],
    }  # fmt: skip


# the references


def test_every_generated_reference_is_what_the_code_says(
    make_docs: ModuleType, pages: Mapping[str, str]
):
    assert make_docs.stale(pages, DOCS) == [], "run `make docs`"


def test_a_reference_that_differs_is_named_with_its_repair(
    make_docs: ModuleType,
    pages: Mapping[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    for name, text in pages.items():
        (tmp_path / name).write_text(text, encoding="utf-8", newline="\n")
    assert make_docs.check(pages, tmp_path) == 0
    (tmp_path / "cli.md").write_text(pages["cli.md"] + "\n", encoding="utf-8")
    (tmp_path / "plan.md").unlink()

    code = make_docs.check(pages, tmp_path)

    told = capsys.readouterr().err
    assert code == 1
    assert all(part in told for part in ("docs/cli.md", "docs/plan.md", "make docs"))
    assert "modules.md" not in told


def test_the_references_do_not_depend_on_the_window_or_on_colours(
    make_docs: ModuleType, pages: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert make_docs.pages() == pages


def test_meanings_that_are_missing_told_twice_or_left_over_are_all_refused_at_once(
    make_docs: ModuleType,
):
    words = make_docs.Words(
        {"settings": {}, "plan": {"Plan": {"value": "everything owned", "weather": "that day"}}}
    )
    words.of("plan", "Plan", "colour", None)
    words.of("plan", "Plan", "value", "the model's own words")

    with pytest.raises(make_docs.DocsError) as refused:
        words.check()

    told = str(refused.value)
    assert "Plan.colour has no meaning" in told
    assert "Plan.value has a meaning of its own" in told
    assert "Plan.weather under [plan] is no field" in told


def test_every_module_is_documented_with_every_parameter(
    make_docs: ModuleType, pages: Mapping[str, str]
):
    for kind in Kind:
        for module in make_docs.built_in(kind):
            section = (
                pages["modules.md"]
                .partition(f"### {module.name}\n\n{module.summary}")[2]
                .partition("\n### ")[0]
            )
            assert module.version in section, module.qualified
            assert [
                name for name in module.params.model_fields if f"`{name}`" not in section
            ] == [], module.qualified


def test_every_setting_is_documented(make_docs: ModuleType, pages: Mapping[str, str]):
    for name, model in make_docs.SECTIONS.items():
        for path, part, section in make_docs.tables(model, name):
            text = pages["configuration.md"].partition(f"# [{path}]\n")[2].partition("\n## ")[0]
            keys = [
                info.alias or key
                for key, info in part.model_fields.items()
                if not isinstance(getattr(section, key), Section)
            ]
            assert [
                key for key in keys if f"`{key}`" not in text and f"`[{path}.{key}]`" not in text
            ] == [], path


def test_every_threshold_and_setting_of_the_engines_stands_beside_the_documents_own(
    make_docs: ModuleType, pages: Mapping[str, str]
):
    thresholds = [field.name for field in dataclasses.fields(Thresholds)]

    assert list(make_docs.REBALANCING) == thresholds
    assert list(make_docs.ENGINE_SAYS) == list(EngineSettings.model_fields)
    text = pages["configuration.md"].partition("## Exact rebalancing\n")[2]
    assert [
        name for name in (*thresholds, *make_docs.ENGINE_SAYS) if f"| `{name}` |" not in text
    ] == []


def test_the_example_strategy_is_the_default_one(make_docs: ModuleType, pages: Mapping[str, str]):
    example = "\n".join(make_docs.example())

    assert example in pages["configuration.md"]
    assert strategies.parse(example, "example").sha256 == strategies.default().sha256


def test_the_switches_in_the_text_are_a_strategy():
    switches = next(
        fence
        for fence in fences("configuration.md")
        if "[limits]" not in fence.text and fence.language == "toml"
    )

    strategy = strategies.parse(switches.text, "switches")

    usual = strategies.default().enabled(Kind.OPPORTUNITY)
    on = strategy.enabled(Kind.OPPORTUNITY)
    assert {choice.module.name for choice in usual} - {choice.module.name for choice in on} == {
        "opportunity_buys"
    }


def test_every_command_and_option_is_documented(pages: Mapping[str, str]):
    for name, command in typer.main.get_group(app).commands.items():
        section = pages["cli.md"].partition(f"## steelyard {name}\n")[2].partition("\n## ")[0]
        inner = getattr(command, "commands", {})
        assert [one for one in inner if f"### steelyard {name} {one}\n" not in section] == [], name
        parameters = [parameter for one in (command, *inner.values()) for parameter in one.params]
        options = [
            option
            for parameter in parameters
            for option in parameter.opts
            if option.startswith("-")
        ]
        assert [option for option in options if option not in section] == [], name


def test_every_spelling_and_every_preset_is_documented(pages: Mapping[str, str]):
    text = pages["configuration.md"]

    assert [key for _, key, _ in spellings.rows() if f"| `{key}` |" not in text] == []
    assert [name for name in strategies.PRESETS if f"| `{name}` |" not in text] == []
    assert [place for place in spellings.LEVELS.values() if place not in text] == []


def test_every_switch_and_changed_parameter_of_a_preset_is_documented(pages: Mapping[str, str]):
    tables = pages["modules.md"].partition("## What each preset runs\n")[2]
    for kind in Kind:
        for choice in strategies.preset("conservative").choices[kind]:
            row = next(
                line
                for line in tables.splitlines()
                if f"#{kind.value}{choice.module.name})" in line
            )
            assert row.split("|")[3].strip() == ("on" if choice.enabled else ""), (
                choice.module.qualified
            )
    assert "| `profit_taking.windfall_threshold` | `0.3` | `0.4` | `0.2` |" in tables


def test_every_field_of_the_plan_document_is_documented(
    make_docs: ModuleType, pages: Mapping[str, str]
):
    for record in make_docs.records(plans.Plan):
        section = pages["plan.md"].partition(f"## {record.__name__}\n")[2].partition("\n## ")[0]
        keys = [info.alias or name for name, info in record.model_fields.items()]
        assert [key for key in keys if f"| `{key}` |" not in section] == [], record.__name__


def test_the_schema_on_disk_is_a_json_schema():
    schema = json.loads((DOCS / "plan-schema.json").read_text(encoding="utf-8"))

    jsonschema.validators.validator_for(schema).check_schema(schema)


# links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_resolves(page: Path):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = [
        target
        for target in LINK.findall(text)
        if not target.startswith(("http:", "https:")) and not resolves(page, target)
    ]

    assert broken == []


def resolves(page: Path, target: str) -> bool:
    """Is there such a file, and in it such a heading or anchor?"""
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.exists() or not path.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors(path.read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """Where a link into a page may go, by GitHub's rule for headings."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    decisions = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")

    assert [
        page.name
        for page in DOCS.iterdir()
        if page.is_file() and page.name != "README.md" and f"({page.name})" not in index
    ] == []
    assert [
        page.name
        for page in (DOCS / "decisions").glob("0*.md")
        if f"({page.name})" not in decisions
    ] == []


def test_the_pipeline_page_names_every_file_at_the_root_every_step_and_no_other():
    page = (DOCS / "pipeline.md").read_text(encoding="utf-8")
    drawing = next(fence.text for fence in fences("pipeline.md") if fence.language == "text")
    named = set(re.findall(r"\b([\w/]+)(?:\.py\b|/ )", drawing))
    package = ROOT / "src" / "steelyard"

    assert [
        name
        for name in sorted(named)
        if not ((package / f"{name}.py").is_file() or (package / name).is_dir())
    ] == []
    files = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    assert [name for name in sorted(files) if f"`{name}.py`" not in page] == []
    steps = {path.stem for path in (package / "planning").glob("*.py")} - {"__init__"}
    assert [name for name in sorted(steps) if not re.search(rf"\b{name}\b", page)] == []


# what the pages say to type


def commands(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def plain(text: str) -> str:
    """Text as a person compares it: one space between words."""
    return " ".join(text.replace("\u00a0", " ").split())


def shows(output: str, shown: str) -> str | None:
    """The first line of `shown` that no line of `output` has after the one before; or None."""
    lines = iter([plain(line) for line in output.splitlines()])
    for wanted in map(plain, shown.splitlines()):
        if wanted and wanted != SKIPPED and not any(wanted in line for line in lines):
            return wanted
    return None


def walk(
    page: str, found: Iterable[Fence], folder: Path, environment: dict[str, str] | None
) -> None:
    """Type every command in one folder, write the files, compare what is shown and printed.

    environment   of the shell that every command is typed in; None = where one is needed
    """
    folder.mkdir()
    output = ""
    for fence in found:
        if fence.language == "sh":
            output = ""
            for command in commands(fence.text):
                code, answer = typed(command, folder, environment)
                assert code == (1 if fence.name == "fails" else 0), f"{command}\n{answer}"
                output += answer
        elif fence.language == "text":
            missing = shows(output, fence.text)
            assert missing is None, f"{page} shows {missing!r}, and this is printed:\n{output}"
        else:
            path = folder / fence.name
            path.parent.mkdir(exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")


def typed(command: str, folder: Path, environment: Mapping[str, str] | None) -> tuple[int, str]:
    """Code and output of a line of our own pages: in this process where no shell is needed."""
    if environment is None and PLAIN.fullmatch(command):
        with chdir(folder):
            result = CliRunner().invoke(app, shlex.split(command)[1:])
        return result.exit_code, result.output
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment or shell(folder.parent),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def sections(page: str) -> dict[str, list[Fence]]:
    """The parts of a page by headings of level two; each begins with what is above the first."""
    opening, *parts = re.split(
        r"^## ", (DOCS / page).read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    return {part.partition("\n")[0]: [*blocks(opening), *blocks(part)] for part in parts}


SECTIONS = [
    (page, title)
    for page in (
        *("guide.md", "importing.md", "classes.md", "flows.md", "bands.md", "lots.md"),
        *("saver.md", "retiree.md", "evaluation.md", "troubleshooting.md", "ab.md", "diff.md"),
        "worksheet.md",
        "observing.md",
        *("observability.md", "serving.md", "services.md", "services-requests.md", "security.md"),
        *("versions.md", "buckets.md", "batch.md", "brokers.md", "execution.md"),
        *("reconcile.md", "attribution.md", "rebalance.md", "runbooks.md", "fleet.md"),
        "watch.md",
        "web.md",
    )
    for title in sections(page)
]


def test_the_tutorial_runs_and_prints_what_it_shows(tmp_path: Path, environment: dict[str, str]):
    folder = tmp_path / "mine"

    walk("tutorial.md", fences("tutorial.md"), folder, environment)

    assert (folder / "plan.html").read_text(encoding="utf-8").startswith("<!")
    assert (
        json.loads((folder / "plan.json").read_text(encoding="utf-8"))["verdict"]["action"] == "act"
    )


@pytest.mark.parametrize(
    ("page", "title"), SECTIONS, ids=[f"{page}: {title}" for page, title in SECTIONS]
)
def test_every_section_runs_and_prints_what_it_shows(page: str, title: str, tmp_path: Path):
    walk(page, sections(page)[title], tmp_path / "mine", None)


def test_the_guide_has_the_headings_of_the_usage_guide():
    page = FENCE.sub("", (DOCS / "guide.md").read_text(encoding="utf-8"))

    assert [len(level) for level in re.findall(r"^(#+) ", page, re.MULTILINE)] == GUIDE_LEVELS


def test_every_trouble_of_the_documents_has_its_section():
    parts = re.split(
        r"^## ",
        FENCE.sub("", (DOCS / "troubleshooting.md").read_text(encoding="utf-8")),
        flags=re.MULTILINE,
    )
    found = {
        part.partition("\n")[0]: re.findall(r"^### (.*)$", part, re.MULTILINE) for part in parts
    }

    assert found["From the usage guide"] == [
        "A strategy does not validate", "A module is not found", "A plan takes long",
    ]  # fmt: skip
    assert found["From the services"] == [
        "Nothing starts", "Planning is slow", "A plan runs into its time limit",
    ]  # fmt: skip


def test_every_form_column_unit_and_limit_is_on_the_page_on_importing():
    page = (DOCS / "importing.md").read_text(encoding="utf-8")
    columns = {
        *(*holdings.COLUMNS, *securities.COLUMNS, *securities.ALIASES, *targets.COLUMNS),
        *(*long.READABLE, *fx.COLUMNS),
    }
    names = {*columns, *forms().by_name, *values.MINOR_UNITS, *limits.VARIABLES.values()}

    assert sorted(name for name in names - {"class.*"} if f"`{name}`" not in page) == []


CODES = re.compile(r"\*Code\*: ([^*]*)")


def test_every_code_of_the_troubles_is_one_that_the_sources_give():
    page = FENCE.sub("", (DOCS / "troubleshooting.md").read_text(encoding="utf-8"))
    quoted = {code for codes in CODES.findall(page) for code in re.findall(r"`(\w+)`", codes)}
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))

    assert quoted
    assert sorted(code for code in quoted if f'"{code}"' not in sources) == []


def test_what_a_trouble_shows_is_refused_with_a_code_that_it_names(tmp_path: Path):
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    opening, *parts = re.split(r"^## ", page, flags=re.MULTILINE)
    others = {}
    for number, part in enumerate(parts):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_files(opening, folder)
        for trouble in re.split(r"^### ", part, flags=re.MULTILINE)[1:]:
            write_files(trouble, folder)
            for named, command in refused_commands(trouble):
                _, answer = typed(f"{command} --json", folder, None)
                error, _ = json.JSONDecoder().raw_decode(answer[answer.index("{") :])
                if f"`{error['errors'][0]['code']}`" not in named:
                    others[command] = error["errors"][0]["code"]

    assert others == {}


def write_files(text: str, folder: Path) -> None:
    for fence in blocks(text):
        if fence.language in {"csv", "toml"}:
            path = folder / fence.name
            path.parent.mkdir(exist_ok=True)
            path.write_text(fence.text, encoding="utf-8")


def refused_commands(text: str) -> Iterator[tuple[str, str]]:
    """(codes that the text names, command that is refused and needs no shell)"""
    named = CODES.search(text)
    for fence in blocks(text):
        if named and fence.language == "sh" and fence.name == "fails":
            for line in commands(fence.text):
                if PLAIN.fullmatch(line):
                    yield named[1], line


def test_from_python_it_takes_under_ten_lines():
    script = next(fence for fence in fences("tutorial.md") if fence.name == "first.py")

    assert len([line for line in script.text.splitlines() if line.strip()]) < 10


def test_the_readme_shows_what_a_plan_of_the_bundled_portfolio_prints(tmp_path: Path):
    shown = next(
        fence.text
        for fence in blocks((ROOT / "README.md").read_text(encoding="utf-8"))
        if fence.language == "text"
    )

    code, printed = typed("steelyard plan", tmp_path, None)

    assert code == 0, printed
    assert shows(printed, shown) is None, printed


def test_the_python_of_the_readme_runs_on_its_own_two_files(
    tmp_path: Path, environment: dict[str, str]
):
    fences_of_readme = blocks((ROOT / "README.md").read_text(encoding="utf-8"))
    script = next(fence.text for fence in fences_of_readme if fence.language == "python")
    files = next(fence.text for fence in fences_of_readme if "holdings.csv  " in fence.text)
    for line in files.splitlines():
        for name, cell in zip(("holdings.csv", "targets.csv"), line.split(), strict=False):
            if not cell.endswith(".csv"):
                with (tmp_path / name).open("a", encoding="utf-8") as file:
                    file.write(cell + "\n")
    prices = gzip.decompress(sample("growth").prices.read_bytes())
    (tmp_path / "prices.csv").write_bytes(prices)

    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert result.returncode == 0, result.stderr
    assert re.match(r"(Act|Hold)\. ", result.stdout)


DROPPED_IN = """
import importlib, json, sys
from contextlib import chdir
from pathlib import Path
for package in sys.argv[2].split():
    folder = Path(sys.argv[1]) / package.rpartition(".")[2]
    importlib.import_module(package).__path__.append(str(folder))
from steelyard import importers, strategies
from steelyard.planning import planner
from steelyard.rebalance import Thresholds
from steelyard.samples import sample
growth = sample("growth")
files = importers.read(growth.holdings, prices=growth.prices, securities=growth.securities)
inputs = importers.assemble(files)
strategy = strategies.load(Path(sys.argv[1]) / "strategy.toml")
plan = planner.plan(inputs.snapshot, inputs.market, strategy)
print(json.dumps({run.name: [run.outcome, run.count, run.error] for run in plan.modules}))
"""


def test_the_five_modules_of_the_pipeline_page_run_when_they_are_dropped_in(
    tmp_path: Path, environment: dict[str, str]
):
    written = [fence for fence in fences("pipeline.md") if fence.name]
    for fence in written:
        path = tmp_path / fence.name
        path.parent.mkdir(exist_ok=True)
        path.write_text(fence.text, encoding="utf-8")
    names = [Path(fence.name).stem for fence in written if fence.language == "python"]
    assert {
        Path(fence.name).parent.name for fence in written if fence.language == "python"
    } == RUNNABLE

    done = subprocess.run(
        [sys.executable, "-c", DROPPED_IN, str(tmp_path), " ".join(PACKAGES.values())],
        env=environment, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    assert {name: runs[name][0] for name in names} == dict.fromkeys(names, "ok"), runs


def test_the_importer_of_its_page_is_installed_and_reads_the_file_of_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    written = {fence.name: fence.text for fence in fences("importers.md") if fence.name}
    project = tomllib.loads(written["pyproject.toml"])["project"]
    points = project["entry-points"]["steelyard.importers"]
    attributes = {name: target.partition(":")[2] for name, target in points.items()}
    code = written["steelyard_harbour.py"]
    install(tmp_path / "site", monkeypatch, project["name"], code, attributes)
    (tmp_path / "harbour.csv").write_text(written["harbour.csv"], encoding="utf-8")

    shown = CliRunner().invoke(app, ["import", str(tmp_path / "harbour.csv")])
    listed = CliRunner().invoke(app, ["import", "--list"])

    first = "Read as Harbour Bank holdings, as of 2026-11-20: 2 holdings, 1 cash row, 1 header"
    assert shown.stdout.startswith(first), shown.output
    assert "1,054.38" in shown.stdout
    assert "steelyard-harbour 1.0" in listed.stdout

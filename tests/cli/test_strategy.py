"""`steelyard strategy`, and `--strategy` of the commands that plan."""

import io
import json
import os
import tomllib
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from builders.commands import own_files, run
from steelyard.cli.strategy import draw, draw_problems, listed_files, listed_presets
from steelyard.strategies import PRESETS, check, load, preset, schema
from steelyard.strategies.planned import as_planned


def acts(strategy):
    """What acts without targets: a file that says everything names the scope of that."""
    return as_planned(strategy, targets=False, names=5).content


def test_a_new_file_is_valid_and_plans_like_its_preset(folder: Path):
    for name in PRESETS:
        file = f"{name}.toml"
        begun = run("strategy", "new", file, "--preset", name)
        checked = run("strategy", "validate", file)

        assert (begun.exit_code, checked.exit_code) == (0, 0), name
        assert f"{file} begins as the preset {name}." in begun.stdout
        assert f"steelyard plan --strategy {file}" in checked.stdout
        assert acts(load(folder / file)) == acts(preset(name)), name
    assert sorted(path.stem for path in folder.iterdir()) == sorted(PRESETS)


def test_a_new_file_never_overwrites_another_unless_told_to(folder: Path):
    (folder / "mine.toml").write_text("max_depth = 3\n")

    refused = run("strategy", "new", "mine.toml")

    assert refused.exit_code == 1
    assert "mine.toml is there already and was left as it is" in refused.stderr
    assert (folder / "mine.toml").read_text() == "max_depth = 3\n"
    assert run("strategy", "new", "mine.toml", "--force").exit_code == 0
    assert (folder / "mine.toml").read_text().startswith("#:schema")


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (
            ("new", "mine.toml", "--preset", "../default"),
            1,
            "'../default' is no preset: a name has no path in it.",
        ),
        (("new", "mine.toml", "--preset", "agressive"), 1, "Did you mean aggressive?"),
        (("new", "mine"), 2, "a strategy file ends in .toml: mine.toml"),
        (
            ("new", "none/mine.toml"),
            1,
            (
                "could not be written to none/mine.toml: there is no folder none. Nothing was "
                "written."
            ),
        ),
        (
            ("show", "agressive"),
            1,
            "There is no preset 'agressive', and no such file. Did you mean aggressive?",
        ),
        (("show", "../none.toml"), 1, "could not be read: No such file or directory"),
        (("validate", "none.toml"), 1, "none.toml is not usable: 1 error."),
        (
            ("validate", "aggressive"),
            1,
            (
                "aggressive is a preset, and presets are valid. To see it: steelyard strategy show "
                "aggressive"
            ),
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_leaves_nothing_behind(
    arguments: tuple[str, ...], code: int, expected: str, folder: Path
):
    result = run("strategy", *arguments)

    assert result.exit_code == code
    assert expected in result.stderr
    assert list(folder.iterdir()) == []


def test_validate_prints_all_errors_and_warnings_with_their_lines(folder: Path):
    (folder / "bad.toml").write_text(
        "batch_size = 9\nmax_depth = -1\n[limits]\nallow_buy = 1\n[planer]\n"
    )

    result = run("strategy", "validate", "bad.toml")

    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "warning  line 1", "error    line 2", "error    line 4", "error    line 5",
    ]  # fmt: skip
    assert result.stderr == "bad.toml is not usable: 3 errors, 1 warning.\n"


def test_validate_as_json_is_one_document(folder: Path):
    (folder / "bad.toml").write_text("max_depth = -1\n")
    (folder / "good.toml").write_text("batch_size = 9\n")

    bad, good = (
        run("strategy", "validate", "bad.toml", "--json"),
        run("strategy", "validate", "good.toml", "--json"),
    )

    assert (bad.exit_code, good.exit_code) == (1, 0)
    assert json.loads(bad.stdout) == {
        "valid": False,
        "errors": [
            (
                "line 1: max_depth is -1; it must be a whole number from 1 to 10. It sets "
                "search.max_depth."
            )
        ],
        "warnings": [],
        "sha256": None,
    }
    document = json.loads(good.stdout)
    assert (document["valid"], document["errors"], len(document["warnings"])) == (True, [], 1)
    assert document["sha256"] == preset("default").sha256


def test_show_prints_every_setting_and_who_set_it_as_a_file(folder: Path):
    (folder / "mine.toml").write_text("preset = 'aggressive'\nmax_depth = 3\n")

    text = run("strategy", "show", "mine.toml").stdout

    assert "max_depth = 3                       # strategy file" in text
    assert "beam_width = 20                     # preset aggressive" in text
    assert "max_nodes = 20000                   # default" in text
    (folder / "again.toml").write_text(text)
    assert acts(load(folder / "again.toml")) == acts(load(folder / "mine.toml"))


def test_show_as_json_names_key_value_and_source():
    document = json.loads(run("strategy", "show", "conservative", "--json").stdout)

    assert (document["name"], document["sha256"]) == ("conservative", preset("conservative").sha256)
    assert {"key": "search.max_depth", "value": 2, "source": "preset conservative"} in document[
        "settings"
    ]
    assert {"key": "limits.max_turnover_weight", "value": None, "source": "default"} in document[
        "settings"
    ]
    assert document["warnings"] == []


def test_list_shows_presets_and_the_files_of_the_folder(folder: Path):
    (folder / "mine.toml").write_text("max_depth = 3\ndescription = 'small steps'")
    (folder / "bad.toml").write_text("max_depth = 30")
    (folder / "pyproject.toml").write_text("[project]")

    text, documents = (
        run("strategy", "list").stdout,
        json.loads(run("strategy", "list", "--json").stdout),
    )

    assert [entry["name"] for entry in documents] == [*PRESETS, "bad", "mine"]
    assert [entry["kind"] for entry in documents[-2:]] == ["file", "file"]
    assert documents[-1]["max_depth"] == 3
    assert documents[-2]["sha256"] is None
    assert "small steps" in text
    assert "not usable: 1 error: steelyard strategy validate bad.toml" in text


def test_the_schema_is_the_schema():
    document = json.loads(run("strategy", "schema").stdout)

    assert document == schema()
    jsonschema.Draft202012Validator.check_schema(document)


def test_the_list_and_the_problems_fit_the_window(folder: Path):
    (folder / "bad.toml").write_text("max_depth = -1\n[limits]\nmax_position_weight = 2\n")
    for width in (40, 60, 100, 160):
        console = Console(width=width, file=io.StringIO(), color_system=None)

        draw([*listed_presets(), *listed_files(folder)], console)
        draw_problems(check(folder / "bad.toml")[0], console)

        assert max(map(len, console.file.getvalue().splitlines())) <= width


def test_plan_why_and_modules_take_a_preset_or_a_file(folder: Path):
    (folder / "mine.toml").write_text("preset = 'conservative'\nname = 'careful'\n")

    planned = json.loads(run("plan", "--strategy", "conservative", "--json").stdout)
    own = json.loads(run("plan", "--strategy", "mine.toml", "--json").stdout)
    modules = json.loads(run("modules", "--strategy", "conservative", "--json").stdout)

    assert (planned["strategy"]["name"], own["strategy"]["name"]) == ("conservative", "careful")
    asked = as_planned(preset("conservative"), targets=True, names=len(planned["holdings"]))
    assert planned["strategy"]["sha256"] == own["strategy"]["sha256"] == asked.sha256
    assert [entry["message"] for entry in planned["warnings"] if entry["code"] == "strategy"] == []
    off = next(
        entry
        for entry in modules
        if entry["name"] == "averaging_down" and entry["kind"] == "pattern_generators"
    )
    assert (off["enabled"], off["why"], off["source"]) == (False, "preset conservative", "built-in")
    assert run("why", "AAPL", "--strategy", "conservative").exit_code == 0
    unknown = run("plan", "--strategy", "agressive")
    assert (unknown.exit_code, "Did you mean aggressive?" in unknown.stderr) == (1, True)


def test_a_plan_refuses_a_file_with_an_error_and_says_its_line(folder: Path):
    (folder / "bad.toml").write_text("[search]\nmax_depth = -1\n")

    result = run("plan", "--strategy", "bad.toml")

    assert result.exit_code == 1
    assert "line 2: search.max_depth is -1" in result.stderr
    assert result.stdout == ""


def test_what_new_writes_is_accepted_by_the_schema(folder: Path):
    run("strategy", "new", "mine.toml", "--preset", "momentum_hunter")

    jsonschema.validate(tomllib.loads((folder / "mine.toml").read_text()), schema())


NEVER_READ = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a file of a gigabyte": lambda path: _sparse(path, 2**30),
}


def _sparse(path: Path, size: int) -> None:
    path.touch()
    os.truncate(path, size)


def test_what_is_no_small_file_is_refused_unread_by_every_command(folder: Path):
    for kind, make in NEVER_READ.items():
        make(folder / f"{kind}.toml")
        for command in (("plan", "--strategy"), ("strategy", "show"), ("strategy", "validate")):
            result = run(*command, f"{kind}.toml")

            assert result.exit_code == 1, (kind, command)
            assert (
                "not a regular file" in result.output
                or "1,073,741,824 bytes; at most 65,536 are read" in result.output
            ), (kind, command)


def test_what_is_no_strategy_at_all_is_refused():
    for strategy in ("/dev/zero", "-", "", "."):
        for command in (("plan", "--strategy", strategy), ("strategy", "show", strategy)):
            result = run(*command)

            assert result.exit_code == 1, command
            assert "is not a regular file" in result.stderr or "no preset" in result.stderr


def test_a_link_to_nothing_is_not_overwritten_and_too_long_a_name_is_said(folder: Path):
    (folder / "link.toml").symlink_to("nowhere")

    linked, long = run("strategy", "new", "link.toml"), run("strategy", "new", "x" * 300 + ".toml")

    assert (linked.exit_code, "is there already" in linked.stderr) == (1, True)
    assert (folder / "link.toml").is_symlink()
    assert (long.exit_code, "File name too long. Nothing was written." in long.stderr) == (1, True)


def test_a_file_with_the_name_of_a_preset_is_meant_only_where_it_is_named_as_a_file(folder: Path):
    (folder / "default.toml").write_text("max_depth = 1\n")
    (folder / "default").write_text("max_depth = 2\n")

    assert "max_depth = 5 " in run("strategy", "show", "default").stdout
    assert "max_depth = 1 " in run("strategy", "show", "default.toml").stdout
    assert "max_depth = 2 " in run("strategy", "show", "./default").stdout


def test_nothing_that_a_file_says_or_is_called_reaches_a_terminal_to_be_obeyed(folder: Path):
    name = "a\x1b[2J\nb.toml"
    run("strategy", "new", name)
    (folder / "named.toml").write_text(
        'name = "x\\u001b[31m\\u202e\\u009b"\ndescription = "1\\n2\\u009b2J"\n'
    )
    (folder / "bad.toml").write_text('"\\u001b[31m" = 1\n[filters."\\u009b2J"]\n')

    commands = [
        ("list",), ("list", "--json"), ("new", name), ("validate", name), ("show", "named.toml"),
        ("show", "named.toml", "--json"), ("validate", "bad.toml"),
        ("validate", "bad.toml", "--json"), ("show", "bad.toml"), ("show", "none\x1b.toml"),
    ]  # fmt: skip
    for command in commands:
        assert all(line.isprintable() for line in run("strategy", *command).output.split("\n")), (
            command
        )


def test_what_show_prints_is_a_file_that_plans_the_same(folder: Path):
    for name in PRESETS:
        (folder / "again.toml").write_text(run("strategy", "show", name).stdout)

        assert acts(load(folder / "again.toml")) == acts(preset(name)), name


TERM = """
from steelyard import BlackBox, ModuleParams, Part, Term, score_term


class Params(ModuleParams):
    pass


@score_term("even", version="1.0.0", params=Params, shape="black_box")
def even(ctx, params):
    def flat(weights, cash):
        return -float(weights.max())

    return Term("even", (Part("even", 1.0, 0.0, 1.0, flat, BlackBox()),))
"""


@pytest.mark.parametrize("missing", ["changed", "gone"])
def test_validate_tells_of_a_plugin_that_cannot_be_loaded_and_a_plan_goes_on_without_it(
    missing: str, folder: Path
):
    (folder / "mine").mkdir()
    if missing == "changed":
        (folder / "mine" / "even.py").write_text(TERM)
    pin = "sha256:" + "0" * 64
    text = (
        f"[plugins]\nfolder = 'mine'\nfiles = {{ 'even.py' = '{pin}' }}\n[score.further]\neven = "
        "0.1\n"
    )
    (folder / "mine.toml").write_text(text)

    checked, planned = (
        run("strategy", "validate", "mine.toml"),
        run("plan", *own_files(folder), "--strategy", "mine.toml", "--json"),
    )

    assert checked.exit_code == 1
    assert "even.py" in checked.stdout
    assert "there is no such score term" in checked.stdout
    assert "mine.toml is usable, but without what is missing: 1 error, 1 warning." in checked.stderr
    assert planned.exit_code == 0
    assert "even.py" in json.loads(planned.stdout)["problems"][0]["message"]

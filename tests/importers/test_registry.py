"""Importers of other packages: there by their entry point, never in the way of ours."""

from __future__ import annotations

import pytest

from builders.importers import install, opened
from steelyard.errors import InputError
from steelyard.importers import registry

HEAD = """
from steelyard.errors import InputError
from steelyard.importers.registry import Importer
from steelyard.importers.statement import Statement

def importer(name, begins, read=None):
    return Importer(
        name=name,
        title=f"{name} holdings",
        recognises=lambda source: source.text.startswith(begins),
        read=read or (lambda source: Statement(file=source.name, form=name)),
    )

def fails(*_):
    raise RuntimeError("out of luck \\x1b[31m" + 500 * "x")
"""
TILLY = HEAD + '\nTILLY = importer("tilly", "Tilly,")\n'


@pytest.fixture
def tilly(tmp_path, monkeypatch):
    """Installs the package of Tilly's importer, with more code and more entry points."""

    def add(more="", **points):
        install(tmp_path / "site", monkeypatch, "tilly-importer", TILLY + more, points)
        return opened(tmp_path / "any.csv", "Tilly,2026\na,b\n")

    return add


def test_an_entry_point_is_chosen_by_what_is_in_the_file_and_by_its_name(tilly, tmp_path):
    source = tilly(tilly="TILLY")
    other = opened(tmp_path / "other.csv", "Quill;1\n")

    assert registry.choose(source).title == "tilly holdings"
    assert registry.choose(other, "Tilly").title == "tilly holdings"
    assert registry.forms().by_name["tilly"].source == "tilly-importer 1.0"


def test_a_broken_entry_point_is_said_and_keeps_no_other_from_reading(tilly):
    more = """
WRONG = 7
ASKS = importer("asks", "Tilly,").__class__(
    name="asks", title="asks", recognises=fails, read=fails)
OTHER = importer("somebody", "Tilly,")
"""
    source = tilly(more, tilly="TILLY", absent="NOBODY", wrong="WRONG", asks="ASKS", other="OTHER")
    problems = []

    importer = registry.choose(source, problems=problems)

    assert importer.name == "tilly"
    texts = {notice.message.split("'")[1]: notice.message for notice in problems}
    assert texts.keys() == {"absent", "wrong", "asks", "other"}
    assert "cannot be loaded: AttributeError" in texts["absent"]
    assert "no Importer: int" in texts["wrong"]
    assert "failed when it was asked about any.csv: RuntimeError out of luck" in texts["asks"]
    assert "both need one name" in texts["other"]
    assert all(notice.head and "\x1b" not in notice.message for notice in problems)
    assert all(len(notice.message) < 400 for notice in problems)
    with pytest.raises(InputError, match=r"'absent'.* cannot be loaded") as refused:
        registry.choose(source, "absent")
    assert refused.value.fault.code == "unknown_form"


def test_a_package_that_fails_on_import_is_a_problem_of_its_own(tilly, tmp_path, monkeypatch):
    source = tilly(tilly="TILLY")
    install(tmp_path / "more", monkeypatch, "broken-importer", "1 / 0", {"broken": "X"})
    problems = []

    assert registry.choose(source, problems=problems).name == "tilly"
    assert ["ZeroDivisionError" in notice.message for notice in problems] == [True]


def test_no_entry_point_takes_the_name_of_another(tilly, tmp_path, monkeypatch):
    source = tilly(tilly="TILLY")
    code = HEAD + '\nX = importer("tilly", "Other,")\n'
    install(tmp_path / "more", monkeypatch, "zz-importer", code, {"tilly": "X"})
    problems = []

    registry.choose(source, problems=problems)

    assert ["another has its name" in notice.message for notice in problems] == [True]
    built_in = list(registry.forms().by_name)
    for form in built_in:
        if registry.forms().by_name[form].source == registry.BUILT_IN:
            install(tmp_path / form, monkeypatch, f"yy-{form}", code, {form: "X"})
    assert list(registry.forms().by_name) == built_in


def test_a_file_that_two_recognise_is_refused_with_both_until_one_is_named(tilly):
    source = tilly('TWIN = importer("twin", "Till")', tilly="TILLY", twin="TWIN")

    with pytest.raises(InputError, match=r"--as tilly\).*--as twin\)") as refused:
        registry.choose(source)

    assert refused.value.fault.code == "several_forms"
    assert registry.choose(source, "twin").name == "twin"


def test_a_file_that_none_recognises_is_shown_with_what_is_known_and_the_way_on(tilly, tmp_path):
    tilly(tilly="TILLY")
    texts = ("Who\x1b[31m;" + 90 * "x" + "\n\nsecond\n", "\0\0")
    whats = ("begins 'Who\\x1b[31m;x", "it is no text")

    for text, what in zip(texts, whats, strict=True):
        with pytest.raises(InputError) as refused:
            registry.choose(opened(tmp_path / "who.csv", text))

        message = str(refused.value)
        assert what in message
        assert all(part in message for part in ("who.csv", "tilly holdings", "--map symbol="))
        assert 50 * "x" not in message
        assert refused.value.fault.code == "unknown_file"


def test_a_name_of_none_is_refused_with_the_nearest(tilly):
    with pytest.raises(InputError, match=r"no form 'tily'\. Did you mean tilly\?"):
        registry.choose(tilly(tilly="TILLY"), "tily")


def test_what_an_importer_of_a_package_raises_is_a_refusal_of_the_file(tilly):
    more = """
def refuses(source):
    raise InputError("no such day", code="mine")
FAILS = importer("fails", "F", fails)
REFUSES = importer("refuses", "R", refuses)
NOTHING = importer("nothing", "N", lambda source: None)
"""
    source = tilly(more, fails="FAILS", refuses="REFUSES", nothing="NOTHING")

    codes = []
    for name in ("fails", "refuses", "nothing"):
        with pytest.raises(InputError) as refused:
            registry.choose(source, name).read(source)
        codes.append((refused.value.fault.code, str(refused.value)))

    assert [code for code, _ in codes] == ["importer_failed", "mine", "importer_failed"]
    assert "fails of tilly-importer 1.0 failed on any.csv: RuntimeError out of luck" in codes[0][1]
    assert "it gives no Statement" in codes[2][1]

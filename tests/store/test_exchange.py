"""An export is the text and what people say of it; it comes apart again exactly."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steelyard.errors import SettingsError
from steelyard.strategies.files.exchange import METADATA, apart, together

TITLES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
TEXTS = st.sampled_from(
    [
        "",
        "max_depth = 3",
        "max_depth = 3\n",
        "max_depth = 3\r\n",
        'name = "x"\n\n[search]\nmax_depth = 3\n',
        "description = '''\n[metadata]\nname = \"y\"\n'''\n[search]\nmax_depth = 2",
        '# Name: other\n# Title: t\nmax_depth = 3\n',
    ]
)  # fmt: skip


@given(TEXTS, TITLES, TITLES)
@example("max_depth = 3", '"\nmax_depth = 99\n#', "[limits]\nallow_buy = false")
def test_text_and_metadata_come_apart_as_they_were_put_together(
    text: str, title: str, description: str
):
    values = {"name": "mine", "title": title, "description": description, "version": 7}

    whole = together(text, values)
    back, metadata = apart(whole)

    assert back == text
    assert {key: metadata[key] for key in values} == values
    settings = {k: v for k, v in tomllib.loads(whole).items() if k != METADATA}
    assert settings == tomllib.loads(text)


@given(TEXTS, TITLES)
def test_metadata_is_never_put_around_metadata(text: str, title: str):
    once = together(text, {"name": "mine", "title": title})

    again = together(apart(once)[0], {"name": "mine", "title": title})

    assert again == once


def test_a_text_that_was_changed_after_its_export_still_comes_apart():
    whole = together("max_depth = 3\n", {"name": "mine", "title": "T"})

    text, metadata = apart(whole.replace("max_depth = 3", "max_depth = 4"))

    assert text.strip() == "max_depth = 4"
    assert metadata["title"] == "T"


@pytest.mark.parametrize(
    "line", ["title = 5", 'title = ["x"]', "name = 7", "description = {a = 1}"]
)
def test_metadata_that_is_no_text_is_refused(line: str):
    with pytest.raises(SettingsError, match="must be a text"):
        apart(f'preset = "aggressive"\n[metadata]\n{line}\n')

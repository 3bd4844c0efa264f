"""Scripts of others are exactly those that were published, and their page says so."""

from __future__ import annotations

import hashlib
import re

import pytest

from steelyard.web.assets import HERE

PUBLISHED = {
    "htmx-4.0.1.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "hx-sse-4.0.1.min.js": "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
}
"""Of the npm package htmx.org 4.0.1: dist/htmx.min.js and dist/ext/hx-sse.min.js."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_script_of_others_is_the_published_one(name: str):
    digest = hashlib.sha256((HERE / name).read_bytes()).hexdigest()

    assert digest == PUBLISHED[name]
    assert f"`{digest}`" in (HERE / "README.md").read_text(encoding="utf-8")


def test_every_script_is_ours_or_told_of():
    scripts = {path.name for path in HERE.rglob("*.js")}

    assert scripts == {"app.js", *PUBLISHED}
    told = re.findall(r"`([\w.-]+\.js)`", (HERE / "README.md").read_text(encoding="utf-8"))
    assert scripts <= {*told}

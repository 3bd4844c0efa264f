"""What pages load: one style sheet, scripts, fonts; each under a name that has its content's hash.

A content that is another has another name, so a browser keeps each for ever. Style sheet and
scripts travel packed; nothing secret is in them.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from steelyard.errors import NotStored
from steelyard.report.page import look

HERE = Path(__file__).parent / "static"
SCRIPTS = ("htmx-4.0.1.min.js", "hx-sse-4.0.1.min.js", "app.js")
FOR_EVER = "public, immutable, max-age=31536000"
HASH_DIGITS = 12
TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
}
PACKED = (".css", ".js", ".svg")

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file under its name with a hash; packed: gzip, where that is worth it."""

    name: str
    content: bytes
    media_type: str
    packed: bytes | None


@cache
def assets() -> Mapping[str, Asset]:
    """Every asset by the name that it is asked for."""
    return {asset.name: asset for asset in _assets().values()}


def address(name: str) -> str:
    """Where a file is, by its own name: `app.css` is /assets/app.0123456789ab.css."""
    return f"/assets/{_assets()[name].name}"


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    """A style sheet, a script, a font."""
    entry = assets().get(name)
    if entry is None:
        raise NotStored(
            f"There is no asset {name[:80]!r}. Load the page again.",
            code="no_such_asset",
            place="path",
            hint="load the page again",
        )
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if entry.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(entry.packed, headers=headers, media_type=entry.media_type)
    return Response(entry.content, headers=headers, media_type=entry.media_type)


@router.get("/robots.txt")
async def robots() -> PlainTextResponse:
    """Nothing here is for search engines."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")


@cache
def _assets() -> Mapping[str, Asset]:
    fonts = {file: (look.HERE / "fonts" / file).read_bytes() for _, file in look.FONTS}
    scripts = {name: (HERE / name).read_bytes() for name in SCRIPTS}
    files = {**fonts, **scripts, "icon.svg": (HERE / "icon.svg").read_bytes()}
    named = {name: _asset(name, content) for name, content in files.items()}
    named["app.css"] = _asset("app.css", _style(named).encode())
    return named


def _asset(name: str, content: bytes) -> Asset:
    path = Path(name)
    digest = hashlib.sha256(content).hexdigest()[:HASH_DIGITS]
    packed = gzip.compress(content, 9, mtime=0) if path.suffix in PACKED else None
    return Asset(f"{path.stem}.{digest}{path.suffix}", content, TYPES[path.suffix], packed)


def _style(fonts: Mapping[str, Asset]) -> str:
    """Fonts, the report's tokens and rules, those of all pages and of each screen, in one sheet."""
    faces = [
        f'@font-face{{font-family:"{name}";font-weight:{look.WEIGHTS};font-display:swap;'
        f'src:url(/assets/{fonts[file].name}) format("woff2")}}'
        for name, file in look.FONTS
    ]
    sheets = (*look.SHEETS, HERE / "app.css", *sorted((HERE / "screens").glob("*.css")))
    own = [look.squeezed(file.read_text("utf-8")) for file in sheets]
    return re.sub(r"\n+", "\n", "\n".join([*faces, *own]))

"""The lines of a large text file, a piece at a time: as bytes for who can, else as rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from steelyard.errors import InputError
from steelyard.importers import opening, reading
from steelyard.importers.limits import FileLimits
from steelyard.importers.opening import Where
from steelyard.importers.values import NOTHING

LONGEST = 4 * 1024 * 1024
"""Most bytes in a line."""
MARK = b"\xef\xbb\xbf"
"""What some programs write before UTF-8."""


class Lines:
    """What has not been read yet of a file.

    name   of the file, for messages
    line   number of the next line, 1-based
    sign   between cells
    """

    def __init__(self, path: Where, blocks: Iterator[bytes]) -> None:
        self.path, self.name, self.line, self.sign = path, path.name, 1, ","
        self._blocks, self._rest, self._queue = blocks, b"", deque[bytes]()

    def header(self) -> list[str]:
        """The cells of the first row that is not blank; raises InputError where there is none."""
        chunk = self.chunk().removeprefix(MARK)
        while chunk and not chunk.strip():
            self.passed(len(chunk.splitlines()))
            chunk = self.chunk()
        if not chunk:
            raise opening.empty(self.path)
        if chunk.startswith(reading.UTF_16):
            raise InputError(
                f"{self.path} is UTF-16 text. {NOTHING} Save it as UTF-8.",
                code="utf_16",
                place=str(self.path),
                hint="save it as UTF-8",
            )
        self.sign = reading.delimiter_of(chunk.lstrip().splitlines()[0].decode("latin-1"))
        self.back(chunk)
        return next(self.rows(), (1, list[str]()))[1]

    def chunk(self) -> bytes:
        """The next whole lines, about a block of them; empty at the end of the file."""
        if self._queue:
            lines = b"".join(self._queue)
            self._queue.clear()
            return lines
        for block in self._blocks:
            # where no line ends in \n they may end in \r, whose \n may be in the next block
            cut = block.rfind(b"\n") + 1 or block.rfind(b"\r", 0, -1) + 1
            if cut:
                lines, self._rest = self._rest + block[:cut], block[cut:]
                return lines
            self._rest += block
            if len(self._rest) > LONGEST:
                what = f"{self.name} line {self.line} has more than {LONGEST:,} bytes"
                raise InputError(
                    f"{what}. {NOTHING} Give a CSV file.",
                    limit=LONGEST,
                    code="line_too_long",
                    place=f"{self.name} line {self.line}",
                    hint="give a CSV file",
                )
        lines, self._rest = self._rest, b""
        return lines

    def passed(self, count: int) -> None:
        """Count lines of a chunk that were used."""
        self.line += count

    def back(self, chunk: bytes) -> None:
        """Give a chunk back, to be read as rows."""
        if b"\0" in chunk:
            line = self.line + chunk.count(b"\n", 0, chunk.find(b"\0"))
            what = f"{self.path} is not text: line {line} holds a NUL byte"
            raise InputError(
                f"{what}. {NOTHING} Give a CSV file.",
                code="nul_byte",
                place=f"{self.path} line {line}",
                hint="give a CSV file",
            )
        self._queue.extend(chunk.splitlines(keepends=True))

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """(line, cells) of what was given back, and of the lines into which its last cell goes."""
        rows = reading.csv_rows(self._texts(), self.name, self.sign, self.line)
        while self._queue:
            yield from (row for row in (next(rows, None),) if row)

    def _texts(self) -> Iterator[str]:
        while self._queue or (chunk := self.chunk()):
            if not self._queue:
                self.back(chunk)
            line = self._queue.popleft()
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise reading.bad_byte(self.path, line, self.line) from error
            self.passed(1)
            yield text


def opened(path: Where, limits: FileLimits) -> tuple[bytes, Lines]:
    """A price file: how it begins, and its lines from there on."""
    blocks = opening.blocks(path, limits, "max_price_bytes")
    first = next(blocks)

    def again() -> Iterator[bytes]:
        yield first
        yield from blocks

    return first, Lines(path, again())

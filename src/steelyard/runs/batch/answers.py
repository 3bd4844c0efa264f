"""What slow formulas said: each is asked once of an end state, in whatever process."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from steelyard.arrays import FloatArray
from steelyard.modules.terms import BlackBox, Part, Term
from steelyard.planning.score.objective import Objective
from steelyard.runs.batch.work import Note, Work
from steelyard.store import batches

ANSWERS = "answers:"
NUMBER = struct.Struct("<d")
Raw = Callable[[FloatArray, float], float]


@dataclass
class Answers:
    """Of the black boxes of one run, by what they were asked."""

    work: Work
    _values: dict[str, float] = field(default_factory=dict)
    _read: bool = False

    def remembered(self, objective: Objective, inputs: str) -> Objective:
        """The objective whose black boxes are asked of nothing twice.

        inputs   the hash of all that a formula's answer is a function of, beside the end state
        """
        self._look()
        terms = tuple(
            replace(term, parts=tuple(self._part(term, k, inputs) for k in range(len(term.parts))))
            for term in objective.terms
        )
        return replace(objective, terms=terms)

    def _part(self, term: Term, k: int, inputs: str) -> Part:
        part = term.parts[k]
        if not isinstance(part.shape, BlackBox):
            return part
        return replace(part, raw=self._asked(part.raw, f"{term.name}/{k}/{inputs}"))

    def _asked(self, raw: Raw, name: str) -> Raw:
        def answer(weights: FloatArray, cash: float) -> float:
            state = weights.astype("<f8").tobytes() + NUMBER.pack(cash)
            digest = hashlib.sha256(name.encode() + b"\0" + state).hexdigest()
            if digest not in self._values:
                value = float(raw(weights, cash))
                self._values[digest] = value
                self.work.note(Note(f"{ANSWERS}{digest}", digest, NUMBER.pack(value)))
            return self._values[digest]

        return answer

    def _look(self) -> None:
        if self._read:
            return
        self._read = True
        with self.work.store.reading() as connection:
            rows = batches.parts(connection, self.work.run.id, ANSWERS)
        for part, body in rows:
            self._values[part.removeprefix(ANSWERS)] = NUMBER.unpack(body)[0]

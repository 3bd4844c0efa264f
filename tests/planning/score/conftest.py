"""The contexts of the score terms' tests, for the tests of the evaluators over them."""

from modules.scoring.conftest import (  # noqa: F401 - fixtures
    context_for,
    golden,
    golden_context,
    some_context,
    terms_of,
)

"""Messages as numbers."""

from collections.abc import Callable
from types import ModuleType

import pytest


def test_a_message_of_which_nothing_is_read(training: Callable[[str], ModuleType]) -> None:
    """It is named before hours are spent on the others."""
    texts = training("texts")
    quoted = texts._text(
        {"id": "en-shop-01", "language": "en", "batch": "shop", "topic": "other", "tags": [], "subject": "", "body": [["quote", "> Hello"]]}
    )
    with pytest.raises(ValueError, match="en-shop-01"):
        training("data").Data([quoted])

"""The order of trust."""

import itertools
import operator
from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.authentication import Trust


def test_order() -> None:
    """FORGED < UNVERIFIED < FORWARDER < AMAZON."""
    ranks = [Trust.FORGED, Trust.UNVERIFIED, Trust.FORWARDER, Trust.AMAZON]
    for (i, one), (j, other) in itertools.product(enumerate(ranks), repeat=2):
        assert (one < other, one <= other, one > other, one >= other) == (i < j, i <= j, i > j, i >= j)


@pytest.mark.parametrize("other", [Trust.AMAZON, Trust.FORGED, Trust.TEMPORARY, "amazon", 1])
@pytest.mark.parametrize("compare", [operator.lt, operator.ge])
def test_temporary_stands_outside(compare: Callable[[Any, Any], bool], other: Any) -> None:
    """Nobody may take it for more or less than anything by mistake."""
    for pair in ((Trust.TEMPORARY, other), (other, Trust.TEMPORARY)):
        with pytest.raises(TypeError):
            compare(*pair)

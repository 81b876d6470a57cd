"""The names of the room: all of them are there, and those that bring more are loaded when they are used."""

import subprocess
import sys

import pytest

from optoutkit import stores


@pytest.mark.parametrize("name", stores.__all__)
def test_each_name_is_there(name: str) -> None:
    """It leads to what bears that name."""
    assert getattr(stores, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match=r"optoutkit\.stores.*nonesuch"):
        _ = stores.nonesuch


def test_who_only_opens_a_store_loads_no_other() -> None:
    """Neither the wrappers nor what they stand on."""
    script = "import sys, optoutkit.stores; print(*sorted({'asyncio', 'cachetools', 'optoutkit.stores.wrapping'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "\n"

"""Telephone numbers of all the countries in which Amazon has a store. This is the one module that needs ``phonenumbers``."""

import re
from functools import lru_cache

from optoutkit.errors import MissingExtra
from optoutkit.marketplaces import MARKETPLACES

__all__ = ["is_number", "require"]

_REGIONS = tuple("GB" if store.country == "UK" else store.country for store in MARKETPLACES)
_NOT_DIGITS = re.compile(r"[^0-9+]")


def require() -> None:
    """Make sure that the library is there.

    Raises:
        MissingExtra: It is not.
    """
    try:
        import phonenumbers  # noqa: F401, PLC0415 - an extra
    except ImportError:
        raise MissingExtra("The rule on phone numbers", "phones") from None


def is_number(text: str) -> bool:
    """Whether a run of digits, with ``+`` in front or not, is a valid number in one of the countries."""
    return _is_valid(_NOT_DIGITS.sub("", text))


@lru_cache(maxsize=4096)
def _is_valid(digits: str) -> bool:
    import phonenumbers  # noqa: PLC0415 - an extra

    for region in (None,) if digits.startswith("+") else _REGIONS:
        try:
            number = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return True
    return False

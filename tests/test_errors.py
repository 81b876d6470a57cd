"""The error tree."""

import re

from optoutkit import errors


def test_tree_is_drawn_as_it_is() -> None:
    """The drawing on top of the module shows each class under its parent."""
    assert errors.__doc__ is not None
    parents: list[str] = []
    drawn = {}
    for line in errors.__doc__.splitlines():
        if match := re.match(r"    ((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)", line):
            depth = len(match[1]) // 4 + ("── " in line)
            parents[depth:] = [match[2]]
            drawn[match[2]] = parents[depth - 1] if depth else "Exception"
    assert drawn == {name: getattr(errors, name).__bases__[0].__name__ for name in errors.__all__}


def test_one_root() -> None:
    """Whoever catches OptOutKitError catches them all."""
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.OptOutKitError)


def test_missing_extra_says_how_to_get_it() -> None:
    """The text can be pasted into a shell."""
    error = errors.MissingExtra("The command line", "cli")
    assert "pip install 'optoutkit[cli]'" in str(error)
    assert isinstance(error, ImportError)
    assert error.extra == "cli"

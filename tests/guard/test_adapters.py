"""Finding the adapter for a sender."""

import importlib
import smtplib
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import attrs
import pytest

from optoutkit.errors import UnknownSender
from optoutkit.guard import Guard, adapters
from optoutkit.messages import Message
from optoutkit.stores.memory import MemoryStore


@attrs.frozen
class Postman:
    """Somebody else's sender; it can even be called."""

    def __call__(self) -> None:
        """Carry nothing."""


class PostmanAdapter:
    """Somebody else's adapter."""

    wraps = "Postman"

    def knows(self, sender: object) -> bool:
        """Whether it is a postman."""
        return isinstance(sender, Postman)

    def wrap(self, sender: Any, guard: Any) -> Any:
        """Say who is wrapped."""
        return ("guarded", sender, guard)


ADAPTER = PostmanAdapter()


@pytest.fixture
def guard() -> Guard:
    """Any guard."""
    return Guard(MemoryStore())


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """What other packages have registered: nothing at first. optoutkit's own metadata is not there."""
    found: list[EntryPoint] = []
    monkeypatch.setattr(adapters, "entry_points", lambda group: [entry for entry in found if entry.group == group])
    return found


def test_built_in_adapters_need_no_installed_metadata(guard: Guard, installed: list[EntryPoint]) -> None:
    """They are found in a plain source tree, too."""
    assert not installed
    assert isinstance(guard.wrap(smtplib.SMTP()), smtplib.SMTP)
    assert callable(guard.wrap(lambda _message: None))


def test_an_installed_adapter_is_found(guard: Guard, installed: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes before the one for whatever can be called; one that cannot be loaded stands in nobody's way."""
    own = EntryPoint("postman", "postman:ADAPTER", "optoutkit.senders")
    monkeypatch.setattr(EntryPoint, "load", lambda entry, load=EntryPoint.load: ADAPTER if entry == own else load(entry))
    installed += [EntryPoint("broken", "no_such_package:ADAPTER", "optoutkit.senders"), own]
    sender = Postman()
    assert guard.wrap(sender) == ("guarded", sender, guard)  # type: ignore[comparison-overlap]
    assert isinstance(guard.wrap(smtplib.SMTP()), smtplib.SMTP)


def test_a_package_that_is_really_installed_is_found(guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its entry point, as pip leaves it behind."""
    (tmp_path / "carrier_pigeon.py").write_text(
        """
class Pigeon:
    pass

class ADAPTER:
    wraps = "Pigeon"
    knows = staticmethod(lambda sender: isinstance(sender, Pigeon))
    wrap = staticmethod(lambda sender, guard: ("guarded", sender))
"""
    )
    about = tmp_path / "carrier_pigeon-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Name: carrier-pigeon\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[optoutkit.senders]\npigeon = carrier_pigeon:ADAPTER\n")
    monkeypatch.syspath_prepend(tmp_path)
    library = importlib.import_module("carrier_pigeon")
    pigeon = library.Pigeon()
    assert guard.wrap(pigeon) == ("guarded", pigeon)
    with pytest.raises(UnknownSender, match="Pigeon"):
        guard.wrap({})
    del sys.modules[library.__name__]


def test_a_broken_adapter_is_logged(guard: Guard, installed: list[EntryPoint], caplog: pytest.LogCaptureFixture) -> None:
    """With its name, so that somebody can mend it."""
    installed.append(EntryPoint("broken", "no_such_package:ADAPTER", "optoutkit.senders"))
    guard.wrap(lambda _message: None)
    assert "broken (no_such_package:ADAPTER) could not be loaded" in caplog.text


def test_an_unknown_sender_is_refused_and_told_what_there_is(guard: Guard) -> None:
    """An object that cannot send, or the class in place of an object of it."""
    with pytest.raises(UnknownSender, match=r"a dict object; .*smtplib\.SMTP .*aiosmtplib\.SMTP.*async def send") as caught:
        guard.wrap({})
    assert isinstance(caught.value, TypeError)
    with pytest.raises(UnknownSender, match="the class SMTP itself"):
        guard.wrap(smtplib.SMTP)


def test_a_method_by_another_name_is_a_function_like_any_other(guard: Guard) -> None:
    """The object that it belongs to has none of its own name that could be guarded in its place."""

    class Mailer(smtplib.SMTP):
        hand_over = lambda _self, message: message  # noqa: E731 - a method without a name

    message = Message("Hello", "Thank you.", to="abc123@marketplace.amazon.de")
    mailer: Any = Mailer()
    assert guard.wrap(mailer.hand_over)(message) is message


def test_an_object_with_methods_that_no_adapter_knows(guard: Guard) -> None:
    """A method of it is a function like any other, though the object itself could be called."""

    class Mailer:
        def __call__(self, message: Message) -> str:
            return "called"

        def send(self, message: Message) -> str:
            return "sent"

    message = Message("Hello", "Thank you.", to="abc123@marketplace.amazon.de")
    assert guard.wrap(Mailer().send)(message) == "sent"

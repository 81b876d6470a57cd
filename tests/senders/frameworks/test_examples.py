"""The examples for Celery and Flask-Mail of the documentation, as they stand there, against a real server."""

import functools
import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker

from optoutkit import Address, OptOut
from optoutkit.testing.guards import RecordingGuard

DOCS = Path(__file__).parents[3] / "docs"
OPTED_OUT, BUYER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de"


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def leave_logging_alone(**_kwargs: Any) -> None:
    """A worker would change the root logger for all tests that come later."""


def example(name: str) -> dict[str, Any]:
    """What the block of the page defines that begins with this comment."""
    found = re.search(rf"```py\n# {re.escape(name)}\n(.*?)```", (DOCS / "senders.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    values: dict[str, Any] = {"__name__": "examples"}
    exec(found[1], values)
    return values


@functools.cache
def example_of_celery() -> dict[str, Any]:
    """That one only once in a process, as Celery shares tasks of the same name among all apps; with a broker in memory."""
    names = example("tasks.py")
    names["guard"]._store.close()
    names["app"].conf.update(broker_url="memory://", result_backend="cache+memory://")
    return names


@pytest.fixture(autouse=True)
def _beside_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples name a store in the current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tasks(server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The example's names, with a guard whose store can have an outage."""
    monkeypatch.setattr(smtplib.SMTP, "default_port", server.port)
    names = example_of_celery()
    names["guard"] = RecordingGuard(OPTED_OUT)
    yield names
    names["app"].control.purge()
    names["app"].conf.task_always_eager = False


def mail(*to: str) -> str:
    """A mail that is not critical."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@shop.example", ", ".join(to), "Hello"
    message.set_content("Thank you for your order!")
    return message.as_string()


class OneOutage:
    """Takes the place of a store's lookup, and fails once."""

    def __init__(self, guard: RecordingGuard) -> None:
        self._lookup = guard.store.lookup
        self._fails = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Ask the store, the first time in vain."""
        if self._fails:
            self._fails = False
            raise TimeoutError
        return self._lookup(*args, **kwargs)


def test_a_task_checks_when_it_leaves(tasks: dict[str, Any], server: Any) -> None:
    """A worker of Celery's own asks who is opted out by then, knows what is declared within a task, and waits out an outage."""
    app: Celery = tasks["app"]
    guard, send = tasks["guard"], tasks["send"]

    @app.task  # type: ignore[untyped-decorator]
    def ask(text: str) -> list[str]:
        with guard.declare(topic="shipping_address"):
            refused: list[str] = send(text)
        return refused

    with guard.declare(topic="shipping_address"):  # which is not where the task runs
        waiting = send.delay(mail(BUYER, "sales@supplier.example"))
    guard.store.record([OptOut(Address(BUYER))])
    retried = Event()

    def note(**_kwargs: Any) -> None:
        retried.set()

    signals.task_retry.connect(note)
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=60):
        assert waiting.get(timeout=60) == [BUYER]
        assert ask.delay(mail(OPTED_OUT)).get(timeout=60) == []
        assert not retried.is_set()
        guard.store.down = True
        send.delay(mail("another@marketplace.amazon.de"))
        assert retried.wait(60)
    assert [arrived.recipients for arrived in server.arrived] == [["sales@supplier.example"], [OPTED_OUT]]


def test_a_held_task_is_tried_again_and_a_suppressed_one_is_done(tasks: dict[str, Any], server: Any) -> None:
    """At once here, as Celery runs tasks in tests; what was suppressed is a result, and no failure."""
    tasks["app"].conf.task_always_eager = True
    tasks["guard"].store.lookup = OneOutage(tasks["guard"])
    assert tasks["send"].delay(mail(BUYER, OPTED_OUT)).get() == [OPTED_OUT]
    assert tasks["send"].delay(mail(OPTED_OUT)).get() == [OPTED_OUT]
    assert [[decision.action.value for decision in event.verdict.decisions] for event in tasks["guard"].events] == [
        ["hold", "hold"],
        ["send", "suppress"],
        ["suppress"],
    ]
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]


def test_the_example_for_flask_mail_is_guarded(server: Any) -> None:
    """The extension is wrapped before there is an app."""
    names = example("app.py")
    names["guard"]._store.record([OptOut(Address(OPTED_OUT))])
    app = names["create_app"]()
    app.extensions["mail"].server, app.extensions["mail"].port = "localhost", server.port
    with app.app_context():
        names["mail"].send_message("Hello", [OPTED_OUT, BUYER], "Thank you.")
    names["guard"]._store.close()
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]

"""The backend for Django's settings, the system checks and the command, in the settings that the documentation shows."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core import checks, mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, send_mail, send_mass_mail
from django.core.management import CommandError, call_command
from django.test import override_settings
from tests.senders.frameworks.project import HAS_MAILERS, SHOP

import optoutkit.senders.django
from optoutkit import Address, Guard, OptOut, Policy, open_store
from optoutkit.errors import Held
from optoutkit.senders.django import EmailBackend, get_guard
from optoutkit.senders.django.checks import check_settings, check_stores
from optoutkit.testing.guards import RecordingGuard

DOCS = Path(__file__).parents[3] / "docs"
BACKEND = "optoutkit.senders.django.EmailBackend"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
OPTED_OUT, BUYER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de"
ADDRESS = "Your address is incomplete. Please send us the house number, or we cannot ship your order."

# Django 6.1 warns of all that belongs to the settings it had before.
pytestmark = [pytest.mark.filterwarnings("ignore::django.utils.deprecation.RemovedInDjango2028Warning")] if HAS_MAILERS else []
with_mailers = pytest.mark.skipif(not HAS_MAILERS, reason="Django has mailers from 6.1 on, which needs Python 3.12")

OUR_GUARD = RecordingGuard(OPTED_OUT)


def make_our_guard() -> Guard:
    """What the setting GUARD may lead to."""
    return OUR_GUARD


def documented(name: str) -> dict[str, Any]:
    """The block of the page that begins with this comment, as far as it holds settings."""
    found = re.search(rf"```py\n# {re.escape(name)}\n(.*?)```", (DOCS / "senders.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    values: dict[str, Any] = {}
    exec(found[1], values)
    return {key: value for key, value in values.items() if key.isupper()}


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """A store in which one buyer is opted out of one seller's messages, and of the owner's."""
    uri = f"sqlite:///{tmp_path}/optouts.db"
    with open_store(uri) as store:
        store.record([OptOut(Address(OPTED_OUT)), OptOut(Address(BUYER), "other")])
    return uri


@pytest.fixture(autouse=True)
def outbox(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What Django's backend for tests keeps."""
    messages: list[Any] = []
    monkeypatch.setattr(mail, "outbox", messages, raising=False)
    return messages


@contextmanager
def project(values: Mapping[str, Any], **ours: Any) -> Iterator[None]:
    """Settings as given, but for some of ``OPTOUTKIT``."""
    with override_settings(**{**values, "OPTOUTKIT": {**values.get("OPTOUTKIT", {}), **ours}}):
        yield


def classic(**ours: Any) -> Any:
    """Settings as Django had them before it had mailers, with its backend for tests as the one that sends."""
    return project({"EMAIL_BACKEND": BACKEND}, BACKEND=LOCMEM, **ours)


def test_the_settings_of_the_documentation_guard_the_project(uri: str, server: Any) -> None:
    """Whatever Django sends passes, is counted as Django counts it, and what the view declares counts."""
    with project(documented("settings.py"), STORE=uri), override_settings(EMAIL_HOST="localhost", EMAIL_PORT=server.port):
        assert send_mail("Hello", "Thank you!", SHOP, [OPTED_OUT]) == 0
        assert send_mail("Hello", "Thank you!", SHOP, [BUYER, OPTED_OUT]) == 1
        assert send_mass_mail([("Hello", "Thank you!", SHOP, [to]) for to in (OPTED_OUT, BUYER, SHOP)]) == 2
        view = re.search(r"```py\n# views.py\n(.*?)```", (DOCS / "senders.md").read_text(encoding="utf-8"), re.DOTALL)
        assert view is not None
        names: dict[str, Any] = {"buyer": OPTED_OUT}
        exec(view[1], names)
        assert names["sent"] == 1
        assert [problem.id for problem in checks.run_checks()] == []
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [BUYER], [SHOP], [OPTED_OUT]]


@with_mailers
def test_mailers_of_the_documentation_have_options_of_their_own(uri: str, server: Any, outbox: list[Any]) -> None:
    """Each its backend and its policy, beside the backend's own options; without a warning of Django's."""
    from django.core.mail import InvalidMailer, mailers

    values = documented("settings.py, with mailers")
    values["MAILERS"]["default"]["OPTIONS"]["port"] = server.port
    with project(values, STORE=uri):
        assert EmailMessage("Hello", "Thank you!", SHOP, [BUYER, OPTED_OUT]).send() == 1
        assert EmailMessage("Hello", "Thank you!", SHOP, [SHOP, OPTED_OUT]).send(using="newsletter") == 1
        assert mailers["default"].alias == "default"
        assert mailers["default"].timeout == 30
        assert get_guard() is not get_guard("newsletter")
        assert (get_guard().policy, get_guard("newsletter").policy) == (Policy.AMAZON, Policy.STRICT)
        with get_guard("newsletter").declare(reply_to_buyer=True):
            assert EmailMessage("Hello", "Thank you!", SHOP, [OPTED_OUT]).send(using="newsletter") == 1
        values["MAILERS"]["newsletter"]["OPTIONS"]["colour"] = "red"
        with override_settings(MAILERS=values["MAILERS"]), pytest.raises(InvalidMailer, match="colour"):
            mailers["newsletter"]
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]
    assert [message.to for message in outbox] == [[SHOP], [OPTED_OUT]]


def test_mailers_are_checked_one_by_one(uri: str) -> None:
    """Each problem says which one has it. Django before 6.1 has no use for the setting, and lets it be."""
    values = documented("settings.py, with mailers")
    mailers = values["MAILERS"]
    with project(values, STORE=uri):
        assert [problem.id for problem in (*check_settings(), *check_stores())] == []
        mailers["newsletter"]["OPTIONS"] = {"policy": "MILD"}
        mailers["past"] = {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
        mailers["default"]["OPTIONS"]["store"] = "sqlite:////nowhere/optouts.db"
        problems = [*check_settings(), *check_stores()]
    assert [(problem.id, problem.msg.partition(" ")[0]) for problem in problems] == [
        ("optoutkit.E001", "MAILERS['newsletter']:"),
        ("optoutkit.W002", "MAILERS['past']"),
        ("optoutkit.W001", "MAILERS['default']:"),
    ]


def test_the_settings_for_anymail_send_by_it(uri: str) -> None:
    """Its own settings are read by it; nothing is sent for a message of which nobody is left."""
    with project(documented("settings.py, with anymail"), STORE=uri):
        message = EmailMessage("Hello", "Thank you!", SHOP, [OPTED_OUT])
        backend: Any = EmailBackend()
        assert backend.esp_name == "Mailgun"
        assert backend.send_messages([message]) == 0
        assert message.anymail_status.status == {"rejected"}


def test_options_of_the_inner_backend_reach_it() -> None:
    """Such as the ones that ``send_mail(auth_user=...)`` gives, and whether it is to fail silently."""
    with project({"EMAIL_BACKEND": BACKEND}, STORE="memory://"):
        backend: Any = mail.get_connection(fail_silently=True, username="shop", password="secret", seller="other")
        assert (backend.username, backend.password, backend.fail_silently) == ("shop", "secret", True)
        assert backend._guard.seller == "other"
        assert isinstance(backend, mail.backends.smtp.EmailBackend)


def test_equal_settings_have_one_guard(uri: str) -> None:
    """So that what is declared holds for whatever sends; with another seller it is another one."""
    with classic(STORE=uri):
        first = get_guard()
        assert get_guard() is first
        backend: Any = EmailBackend()
        assert backend._guard is first
    with classic(STORE=uri, SELLER="other"):
        assert get_guard() is not first
        assert send_mail("Hello", "Thank you!", SHOP, [BUYER]) == 0


@pytest.mark.parametrize("policy", ["AUDIT", Policy.AUDIT, "tests.senders.frameworks.test_django_settings.AUDIT"])
def test_a_policy_is_named_or_imported_or_given(uri: str, policy: Any) -> None:
    """Its rules are those that hold."""
    with classic(STORE=uri, POLICY=policy):
        assert get_guard().policy is Policy.AUDIT
        assert send_mail("Hello", "Thank you!", SHOP, [OPTED_OUT]) == 1


AUDIT = Policy.AUDIT


@pytest.mark.parametrize("name", ["OUR_GUARD", "make_our_guard"])
def test_a_guard_of_ones_own_is_taken(name: str) -> None:
    """An object, or what makes one."""
    with classic(GUARD=f"tests.senders.frameworks.test_django_settings.{name}"):
        assert get_guard() is OUR_GUARD
        assert send_mail("Hello", "Thank you!", SHOP, [OPTED_OUT]) == 0
        assert [problem.id for problem in checks.run_checks()] == []


def test_a_ledger_counts_requests(tmp_path: Path) -> None:
    """It may lie beside the store."""
    uri = f"sqlite:///{tmp_path}/optouts.db"
    with classic(STORE=uri, LEDGER=uri):
        text = "How do you like it? Please leave us a review!"
        counts = [send_mail("Your order 302-1234567-1234567", text, SHOP, [BUYER]) for _ in range(2)]
    assert counts == [1, 0]


def test_a_store_that_is_not_there_yet_holds_no_critical_mail(tmp_path: Path, outbox: list[Any]) -> None:
    """It is opened by the first message that asks it and finds it."""
    with classic(STORE=f"sqlite:///{tmp_path}/later/optouts.db"):
        assert send_mail("Your order", ADDRESS, SHOP, [OPTED_OUT]) == 1
        with pytest.raises(Held):
            send_mail("Hello", "Thank you!", SHOP, [BUYER])
        assert [problem.id for problem in check_stores()] == ["optoutkit.W001"]
        (tmp_path / "later").mkdir()
        assert [send_mail("Hello", "Thank you!", SHOP, [BUYER]) for _ in range(2)] == [1, 1]
        assert [problem.id for problem in check_stores()] == []
    assert [message.to for message in outbox] == [[OPTED_OUT], [BUYER], [BUYER]]


@pytest.mark.parametrize(
    ("ours", "problem", "said"),
    [
        ({}, "E001", "there is no STORE"),
        ({"STORE": 7}, "E001", "STORE is not a string"),
        ({"STORE": "nowhere://user:secret@host"}, "E001", "no store for nowhere://"),
        ({"STORE": "memory://", "LEDGER": "nowhere://"}, "E001", "LEDGER"),
        ({"STORE": "memory://", "POLICY": None}, "E001", "POLICY is neither"),
        ({"STORE": "memory://", "POLICY": "MILD"}, "E001", "MILD"),
        ({"STORE": "memory://", "POLICY": "optoutkit.Policy.AUDIT"}, "E001", "POLICY: "),
        ({"STORE": "memory://", "STROE": ""}, "E001", "knows no STROE"),
        ({"store": "memory://"}, "E001", "knows no store"),
        ({"GUARD": "optoutkit.open_store.nothing"}, "E001", "GUARD"),
        ({"GUARD": "optoutkit.Policy"}, "E001", "GUARD leads to no Guard"),
        ({"STORE": "memory://", "BACKEND": "nowhere.EmailBackend"}, "E002", "nowhere"),
        ({"STORE": "memory://", "BACKEND": BACKEND}, "E002", "not the guard itself"),
    ],
)
def test_wrong_settings_are_found_at_the_start(ours: Any, problem: str, said: str) -> None:
    """By a system check, and by whatever sends; without the password that a URI may hold."""
    with override_settings(EMAIL_BACKEND=BACKEND, OPTOUTKIT=ours):
        (found,) = check_settings()
        assert found.id == f"optoutkit.{problem}"
        assert said in found.msg
        assert "secret" not in found.msg
        with pytest.raises(ImproperlyConfigured, match=re.escape(said)):
            EmailBackend()


def test_settings_that_are_no_dict_are_found() -> None:
    """The setting may hold anything."""
    with override_settings(EMAIL_BACKEND=BACKEND, OPTOUTKIT="memory://"):
        assert [found.msg for found in check_settings()] == ["OPTOUTKIT is not a dict"]
        assert check_stores() == []


def test_a_way_past_the_guard_is_found() -> None:
    """Whoever installs the app wants one; Django's backend for tests is meant to be there."""
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.console.EmailBackend", OPTOUTKIT={"STORE": "memory://"}):
        (found,) = checks.run_checks(tags=["mail"])
    assert found.id == "optoutkit.W002"
    assert BACKEND in found.hint
    with override_settings(EMAIL_BACKEND=LOCMEM, OPTOUTKIT={"STORE": "memory://"}):
        assert checks.run_checks() == []


def test_the_command_works_on_the_store_of_the_settings(uri: str, capfd: pytest.CaptureFixture[str]) -> None:
    """With its seller; the exit code is the command's own."""
    with classic(STORE=uri, SELLER="other"):
        call_command("optoutkit", "list", "--format", "json")
        assert BUYER in capfd.readouterr().out
        with pytest.raises(SystemExit) as ended:
            call_command("optoutkit", "no-such-command")
    assert ended.value.code == 2


def test_the_command_says_what_is_wrong_with_the_settings() -> None:
    """In Django's way."""
    with classic(), pytest.raises(CommandError, match="there is no STORE"):
        call_command("optoutkit", "list", stderr=io.StringIO())
    with classic(GUARD="tests.senders.frameworks.test_django_settings.OUR_GUARD"), pytest.raises(CommandError, match="a guard of your own"):
        call_command("optoutkit", "list")


def test_nothing_is_imported_to_look_for_adapters() -> None:
    """Not by ``import optoutkit``, and not by ``guard.wrap``."""
    script = """
import sys, optoutkit
guard = optoutkit.Guard(optoutkit.open_store("memory://"))
guard.wrap(lambda message: None)
print([name for name in ("django", "anymail", "flask_mail", "flask", "celery") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert done.stderr == ""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        optoutkit.senders.django.nothing  # noqa: B018 - that is what is tested

"""The examples that hand over raw mails, run with the frameworks that they are for."""

import contextlib
import importlib.util
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from optoutkit import OrderId, open_store
from optoutkit.intake import intake as intake_room

FOLDER = Path(__file__).parents[1] / "examples" / "webhooks"
ORDER = OrderId("302-1234567-7654321")
SENT = {"Authorization": "Bearer secret", "Content-Type": "message/rfc822"}


def load(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def notice(sender: str = "auto-communication@amazon.de") -> bytes:
    """A notice."""
    return (
        f"From: Amazon.de <{sender}>\r\nDate: Mon, 02 Nov 2026 08:00:00 +0000\r\nMessage-ID: <1@amazonses.com>\r\nSubject: x\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\nDear Seller,\r\n\r\n"
        f"We were unable to deliver the message you sent for order [{ORDER}] "
        "because the buyer has chosen to opt out of receiving unsolicited messages from sellers.\r\n"
    ).encode()


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dns_server: Any, caplog: Any) -> None:
    """What the examples expect of their environment; DNS is a server of the test's."""
    caplog.set_level(logging.CRITICAL, "optoutkit.intake")
    monkeypatch.setenv("OPTOUTKIT_STORE", f"sqlite:///{tmp_path}/optouts.db?timeout=0.01")
    monkeypatch.setenv("QUARANTINE", str(tmp_path / "quarantine"))
    monkeypatch.setenv("WEBHOOK_TOKEN", "secret")
    monkeypatch.setattr(intake_room, "default_resolver", dns_server.resolver)
    monkeypatch.setattr(intake_room, "default_async_resolver", dns_server.async_resolver)


def is_recorded(folder: Path) -> bool:
    """Whether the opt-out is in the store."""
    with open_store(f"sqlite:///{folder}/optouts.db") as store:
        return bool(store.lookup([ORDER]))


@contextlib.contextmanager
def outage(folder: Path) -> Iterator[None]:
    """Let somebody hold a lock on the store."""
    with contextlib.closing(sqlite3.connect(folder / "optouts.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture(params=["with_flask", "with_fastapi"])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Post a body: ``client(raw)`` is the answer."""
    example = load(request.param)
    if request.param == "with_flask":
        with example.create_app().test_client() as flask:
            yield lambda raw, headers=SENT: flask.post("/notices", data=raw, headers=headers)
    else:
        from fastapi.testclient import TestClient

        with TestClient(example.app) as fastapi:
            yield lambda raw, headers=SENT: fastapi.post(
                "/notices", content=raw, headers={name: value.encode("latin-1") for name, value in headers.items()}
            )


def body(answer: Any) -> Any:
    """The JSON of an answer."""
    return answer.json if isinstance(answer.json, dict) else answer.json()


class TestWebhooks:
    """Both of them."""

    def test_a_genuine_notice(self, client: Any, signer: Any, tmp_path: Path) -> None:
        """Arrives byte for byte, so that Amazon's signature verifies, and is recorded."""
        answer = client(signer.sign(notice(), "amazon.de"))
        assert (answer.status_code, body(answer)["status"]) == (200, "recorded")
        assert is_recorded(tmp_path)

    def test_what_is_not_believed(self, client: Any, tmp_path: Path) -> None:
        """Is taken, and lies in quarantine."""
        answer = client(notice("auto-communication@arnazon.de"))
        assert (answer.status_code, body(answer)["status"]) == (200, "quarantined")
        assert (tmp_path / "quarantine" / f"{body(answer)['mail_id']}.eml").exists()
        assert not is_recorded(tmp_path)

    def test_strangers(self, client: Any, signer: Any, tmp_path: Path) -> None:
        """Are sent away."""
        for headers in ({}, {"Authorization": "Bearer guess"}, {"Authorization": "Bearer \xe9"}):
            assert client(signer.sign(notice(), "amazon.de"), headers).status_code == 401
        assert not is_recorded(tmp_path)

    def test_outages(self, client: Any, signer: Any, dns_server: Any, tmp_path: Path) -> None:
        """The sender is told to try again: nothing is lost."""
        signed = signer.sign(notice(), "amazon.de")
        dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SERVFAIL
        answer = client(signed)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        signer.publish("amazon.de")
        with outage(tmp_path):
            assert client(signed).status_code == 503
        assert client(signed).status_code == 200
        assert is_recorded(tmp_path)

    def test_too_large(self, client: Any) -> None:
        """Is refused."""
        assert client(b"x" * (32 * 2**20 + 1)).status_code == 413


class TestBucket:
    """SES to S3; the client is boto3, and moto answers in place of AWS."""

    @pytest.fixture
    def s3(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """A bucket with a notice that is signed by nobody."""
        import boto3
        from moto import mock_aws

        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with mock_aws():
            made = boto3.client("s3")
            made.create_bucket(Bucket="mails")
            yield made
            made.close()

    def test_read_and_deleted(self, s3: Any, signer: Any, tmp_path: Path, capsys: Any) -> None:
        """What is under the prefix and saved is deleted; a second run finds nothing."""
        for key, raw in (("in/1", signer.sign(notice(), "amazon.de")), ("in/2", notice("x@arnazon.de")), ("other", notice())):
            s3.put_object(Bucket="mails", Key=key, Body=raw)
        example = load("from_s3")
        for shown in ("s3://mails/in/1 recorded\ns3://mails/in/2 quarantined\n", ""):
            assert example.main("mails", "in/") == 0
            assert capsys.readouterr().out == shown
        assert is_recorded(tmp_path)
        assert len(list((tmp_path / "quarantine").glob("*.eml"))) == 1
        assert [found["Key"] for found in s3.list_objects_v2(Bucket="mails")["Contents"]] == ["other"]

    def test_an_outage(self, s3: Any, signer: Any, dns_server: Any, tmp_path: Path) -> None:
        """The mail stays, and the exit code says that it has to be tried again."""
        s3.put_object(Bucket="mails", Key="1", Body=signer.sign(notice(), "amazon.de"))
        dns_server.zone["s1._domainkey.amazon.de"] = dns_server.SERVFAIL
        example = load("from_s3")
        assert example.main("mails") == 75
        signer.publish("amazon.de")
        assert example.main("mails") == 0
        assert is_recorded(tmp_path)
        assert "Contents" not in s3.list_objects_v2(Bucket="mails")

"""``optoutkit sendmail`` in place of sendmail(8): called as cron, PHP and others call it, in front of real mail servers."""

import contextlib
import io
import os
import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
from aiosmtpd.controller import UnixSocketController
from aiosmtpd.lmtp import LMTP
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.cli.program import PROGRAM
from optoutkit.cli.submissions import completed, header_recipients, read_mail_from, without_bcc
from optoutkit.cli.sysexits import SysExit, of_reply
from optoutkit.errors import InvalidMessage, MessageTooLarge
from optoutkit.identities import Address
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_store

SHOP, SUPPLIER = "shop@shop.example", "sales@supplier.example"
OPTED_OUT, BUYER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de"
REVIEW = b"\nThank you! Please leave us a product review on Amazon.\n"
CRITICAL = b"\nThe house number of your shipping address is missing. Please send us the complete address.\n"


@attrs.frozen
class Done:
    """What it did."""

    code: int
    err: str


Send = Callable[..., Done]


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store in which one buyer is opted out, in the current folder; no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPTOUTKIT_STORE", "OPTOUTKIT_SMTP", "OPTOUTKIT_LMTP", "OPTOUTKIT_THROUGH", "OPTOUTKIT_SENDMAIL"):
        monkeypatch.delenv(name, raising=False)
    with open_store("sqlite:///optouts.db") as store:
        store.record([OptOut(Address(OPTED_OUT))])


@pytest.fixture
def send(server: Any) -> Send:
    """Call it in this process; it hands over to the server."""

    def send(mail: bytes, *arguments: str, relay: Sequence[str] | None = None) -> Done:
        to = ["--smtp", f"127.0.0.1:{server.port}"] if relay is None else list(relay)
        result = CliRunner().invoke(PROGRAM, ["sendmail", *to, *arguments], input=mail, catch_exceptions=False)
        assert result.stdout == ""
        return Done(result.exit_code, result.stderr)

    return send


def mail(**fields: str) -> bytes:
    """A header without its empty line."""
    return "".join(f"{name.title()}: {value}\n" for name, value in fields.items()).encode()


def shell(command: str, stdin: bytes, **environment: str) -> Done:
    """Run a command line as cron and PHP do; ``sendmail`` in it is ours."""
    ours = f"{sys.executable} -m optoutkit.cli sendmail"
    run = subprocess.run(
        ["/bin/sh", "-c", command.replace("sendmail", ours, 1)],
        input=stdin,
        capture_output=True,
        env=os.environ | environment,
        check=False,
    )
    assert run.stdout == b""
    return Done(run.returncode, run.stderr.decode())


class TestAsAProcess:
    def test_cron(self, server: Any) -> None:
        """Debian's cron names the recipient, cronie lets it be read from the mail; a local name is left to the relay."""
        at = {"OPTOUTKIT_SMTP": f"127.0.0.1:{server.port}"}
        report = b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> backup\n\ndone\n"
        assert shell("sendmail -FCronDaemon -i -B8BITMIME -oem root", report, **at) == Done(0, "")
        assert shell("sendmail -FCronDaemon -i -odi -oem -oi -t -f root", report, **at) == Done(0, "")
        assert [arrived.recipients for arrived in server.arrived] == [["root"], ["root"]]
        assert server.arrived[1].sender == "root"
        assert server.arrived[0].raw.endswith(report.replace(b"\n", b"\r\n"))

    def test_php(self, server: Any) -> None:
        """Its sendmail_path is a command line, to which mail() adds its last argument; the answer is the exit code."""
        path = f"sendmail --smtp 127.0.0.1:{server.port} --report-suppressed -t -i"
        done = shell(f"{path} '-f{SHOP}'", mail(to=f"{OPTED_OUT}, {BUYER}", subject="Your order") + b"X-PHP-Script: x\n" + REVIEW)
        assert done.code == SysExit.NO_PERMISSION
        assert done.err.startswith("note: not sent to recipient 1 of 2. It must not go: ")
        (arrived,) = server.arrived
        assert (arrived.sender, arrived.recipients) == (SHOP, [BUYER])

    def test_with_nothing_to_read_it_sends_an_empty_mail(self, server: Any) -> None:
        """As others do: standard input may even be closed. What cannot be read is another matter."""
        assert shell(f"sendmail --smtp 127.0.0.1:{server.port} {SUPPLIER} <&-", b"") == Done(0, "")
        assert server.arrived[0].recipients == [SUPPLIER]
        assert shell(f"sendmail --smtp 127.0.0.1:{server.port} {SUPPLIER} 0>write-only", b"").code == SysExit.TEMPORARY
        assert len(server.arrived) == 1


class TestRecipients:
    def test_who_opted_out_does_not_get_it_and_that_is_no_failure(self, send: Send, server: Any) -> None:
        """A script goes on; standard error names the recipient by number, as it may end in a log."""
        done = send(mail(subject="Your order") + REVIEW, OPTED_OUT, SUPPLIER)
        assert done.code == 0
        assert done.err.startswith("note: not sent to recipient 1 of 2. ")
        assert OPTED_OUT not in done.err
        assert send(mail(subject="Your order") + REVIEW, OPTED_OUT).code == 0
        assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER]]

    def test_a_caller_that_wants_to_know_is_told(self, send: Send, server: Any) -> None:
        """By the code for what is not permitted; the others get the mail."""
        assert send(mail() + REVIEW, "--report-suppressed", OPTED_OUT, SUPPLIER).code == SysExit.NO_PERMISSION
        assert send(mail() + REVIEW, "--report-suppressed", SUPPLIER).code == 0
        assert len(server.arrived) == 2

    def test_a_critical_mail_goes(self, send: Send, server: Any) -> None:
        """By its text, or by what the caller says it is about."""
        assert send(mail(subject="Your order") + CRITICAL, OPTED_OUT) == Done(0, "")
        assert send(mail(subject="Your order") + b"\nHello\n", "--topic", "customization", OPTED_OUT) == Done(0, "")
        assert [arrived.recipients for arrived in server.arrived] == [[OPTED_OUT]] * 2

    def test_bcc_never_goes_along(self, send: Send, server: Any) -> None:
        """Whether its recipients were read from it or not; nothing else of the mail is touched."""
        header = mail(to=SUPPLIER) + b"BCC :\n " + BUYER.encode() + b",\n\tboss@shop.example\nResent-Bcc: x@y.example\nX-Bcc: kept\n"
        assert send(header + b"\nBcc: in the text\n", SUPPLIER).code == 0
        assert send(header.replace(b"Resent-Bcc: x@y.example\n", b"") + b"\nBcc: in the text\n", "-t").code == 0
        assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER], [SUPPLIER, BUYER, "boss@shop.example"]]
        for arrived in server.arrived:
            assert arrived.raw.endswith(b"\r\nTo: sales@supplier.example\r\nX-Bcc: kept\r\n\r\nBcc: in the text\r\n")

    def test_named_and_read_recipients_are_joined(self, send: Send, server: Any) -> None:
        """As in Postfix's sendmail; each gets it once."""
        send(mail(to=f"{BUYER}, {SUPPLIER}", cc="A: b@shop.example, c@shop.example;") + CRITICAL, "-t", SUPPLIER, "--", "-odd@shop.example")
        assert server.arrived[0].recipients == [SUPPLIER, "-odd@shop.example", BUYER, "b@shop.example", "c@shop.example"]

    def test_an_argument_may_name_several(self, send: Send, server: Any) -> None:
        """With names and commas, as sendmail reads it."""
        assert send(mail() + REVIEW, f"The Supplier <{SUPPLIER}>, {OPTED_OUT},{BUYER}", "root").code == 0
        assert server.arrived[0].recipients == [SUPPLIER, BUYER, "root"]
        assert send(mail() + REVIEW, SUPPLIER, "<").code == SysExit.DATA_ERROR
        assert len(server.arrived) == 1

    def test_of_a_mail_sent_anew_the_resent_fields_count(self) -> None:
        """RFC 5322 section 3.6.6."""
        assert header_recipients(mail(to=BUYER, **{"resent-to": SUPPLIER, "resent-bcc": "boss"}) + b"\n") == [SUPPLIER, "boss"]

    def test_without_any_there_is_nothing_to_do(self, send: Send) -> None:
        """Which is wrong usage."""
        for arguments in ((), ("-t",)):
            done = send(mail(subject="x") + REVIEW, *arguments)
            assert (done.code, "there is no recipient" in done.err) == (SysExit.USAGE, True)
        assert send(mail(to="undisclosed-recipients:;") + REVIEW, "-t").code == SysExit.USAGE

    @pytest.mark.parametrize("field", ["(" * 5000, "a@b.example <c@d.example> <"])
    def test_a_field_that_cannot_be_read_loses_nobody(self, send: Send, server: Any, field: str) -> None:
        """It is refused, rather than sent to those who could be made out."""
        done = send(mail(to=field) + REVIEW, "-t", SUPPLIER)
        assert done.code == SysExit.DATA_ERROR
        assert "To cannot be read" in done.err
        assert server.arrived == []


class TestMail:
    def test_bytes_pass_untouched(self, send: Send, server: Any) -> None:
        """Whatever the charset, with lines that begin with dots; the line ends are SMTP's."""
        fields = {"date": "Thu, 10 Sep 2026 10:00:00 +0000", "message-id": "<x@y>"}
        raw = mail(From=SHOP, **fields) + b"Subject: Gr\xc3\xbc\xdf\n\n.\n..x\nJ\xfcrgen\n"
        assert send(raw, "-i", SUPPLIER).code == 0
        assert send(raw, "-oi", SUPPLIER).code == 0
        assert [arrived.raw for arrived in server.arrived] == [raw.replace(b"\n", b"\r\n")] * 2

    def test_a_dot_ends_the_mail_unless_told_otherwise(self, send: Send, server: Any) -> None:
        """What comes after it is not read."""
        for mark in (b".\n", b".\r\n", b"."):
            send(mail(subject="x") + b"\none\n.. \n" + mark, SUPPLIER)
        send(mail(subject="x") + b"\none\n.. \n.\ntwo\n", SUPPLIER)
        assert all(arrived.raw.endswith(b"\r\n\r\none\r\n.. \r\n") for arrived in server.arrived)

    def test_what_a_mail_lacks_is_put_in(self, send: Send, server: Any) -> None:
        """From, Date and Message-ID; a text without a header gets its empty line, and lines of a mailbox file are left out."""
        send(b"Hello\nthere\n", "-F", "J\u00fcrgen, the Shop", "-f", SHOP, SUPPLIER)
        send(b"From a@b Thu Sep 10\n>From c@d Thu Sep 10\nSubject: x\n\nHello\n", "-F", "The Shop", "-f", f"<{SHOP}>", SUPPLIER)
        first, second = (arrived.raw.decode() for arrived in server.arrived)
        assert re.fullmatch(
            r"From: =\?utf-8\?.*\?= <shop@shop.example>\r\nDate: .* [+-]0000\r\nMessage-ID: <.*@shop.example>\r\n\r\nHello\r\nthere\r\n",
            first,
        )
        assert second.startswith("From: The Shop <shop@shop.example>\r\nDate: ")
        assert second.endswith(">\r\nSubject: x\r\n\r\nHello\r\n")

    def test_the_null_sender_is_no_author(self, send: Send, server: Any) -> None:
        """It is used for what must not be answered."""
        for sender in ("", "<>"):
            send(b"Subject: x\n\nHello\n", "-f", sender, SUPPLIER)
        assert [arrived.sender for arrived in server.arrived] == ["<>", "<>"]
        assert not any(b"From:" in arrived.raw for arrived in server.arrived)

    def test_without_a_sender_it_is_this_user(self, send: Send, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Or nobody, where the user has no name."""
        monkeypatch.setenv("LOGNAME", "someone")
        send(b"Subject: x\n\nHello\n", SUPPLIER)
        for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("os.getuid", lambda: 4_000_000)
        send(b"Subject: x\n\nHello\n", SUPPLIER)
        assert [arrived.sender.partition("@")[0] for arrived in server.arrived] == ["someone", "nobody"]

    def test_one_that_is_too_large_is_refused(self, send: Send, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before it fills the memory."""
        monkeypatch.setattr("optoutkit.cli.sendmail._LONGEST", 100)
        for arguments in (("-i",), ()):
            done = send(b"Subject: x\n\n" + b"x" * 100, *arguments, SUPPLIER)
            assert (done.code, "more than 100 bytes" in done.err) == (SysExit.DATA_ERROR, True)
        assert server.arrived == []

    @given(st.binary(max_size=300), st.booleans(), st.integers(1, 300))
    def test_reading_is_bounded_and_keeps_every_byte(self, raw: bytes, dot_ends: bool, longest: int) -> None:
        """Of anything at all; what is read is what was there, up to the dot."""
        try:
            read = read_mail_from(io.BytesIO(raw), dot_ends=dot_ends, longest=longest)
        except MessageTooLarge:
            assert len(raw) > longest
            return
        assert read.removeprefix(b"\n") in raw
        if not dot_ends:
            assert raw.endswith(read.removeprefix(b"\n"))

    @given(
        st.lists(
            st.sampled_from(
                [b"Bcc: a@b", b"bCC :x", b"To: c@d", b" folded bcc: e@f", b"\tx", b"Resent-Bcc:", b"X-Bcc: k", b"nonsense", b""]
            )
        ),
        st.sampled_from([b"\n", b"\r\n", b"\r"]),
    )
    def test_no_bcc_is_left_in_any_header(self, lines: list[bytes], end: bytes) -> None:
        """However it is folded, whatever stands beside it; the rest is as it was."""
        from optoutkit.text.headers import read_headers

        raw = b"".join(line + end for line in lines)
        left = without_bcc(raw)
        before, body = read_headers(raw)
        after, rest = read_headers(left)
        assert not {"bcc", "resent-bcc"} & set(after)
        assert [name for name in before if name not in {"bcc", "resent-bcc"}] == list(after)
        assert left[rest:] == raw[body:]

    @given(st.text(max_size=60))
    def test_recipients_are_read_or_refused(self, value: str) -> None:
        """Nothing else comes of a hostile field."""
        raw = b"To:" + value.encode("utf-8", "surrogatepass").replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"
        with contextlib.suppress(InvalidMessage):
            assert all(header_recipients(raw))

    def test_a_complete_mail_stays_as_it_is(self) -> None:
        """Nothing is put in twice."""
        raw = mail(From=SHOP, date="Thu, 10 Sep 2026 10:00:00 +0000", **{"message-id": "<x@y>"}) + b"\n"
        assert completed(raw, sender="x@y.example", full_name="X", now=datetime.now(UTC)) == raw


class TestOutage:
    def test_a_mail_to_a_buyer_is_to_be_tried_again(self, send: Send, server: Any, tmp_path: Path) -> None:
        """75, and nobody gets it; a critical one goes, also where the store cannot even be opened."""
        tmp_path.joinpath("damaged.db").write_bytes(b"no database at all" * 1000)
        damaged = ("--store", f"sqlite:///{tmp_path}/damaged.db")
        done = send(mail() + REVIEW, *damaged, SUPPLIER, BUYER)
        assert (done.code, server.arrived) == (SysExit.TEMPORARY, [])
        assert "Nothing of the message was sent" in done.err
        assert send(mail() + CRITICAL, *damaged, BUYER).code == 0
        assert send(mail() + REVIEW, *damaged, SUPPLIER).code == 0
        assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [SUPPLIER]]

    def test_a_store_that_fails_when_it_is_closed_changes_nothing(self, send: Send, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """The mail has gone."""
        from optoutkit.errors import StoreUnavailable
        from optoutkit.stores.sqlite import SqliteStore

        def fail(_store: Any) -> None:
            raise StoreUnavailable("disk full")

        monkeypatch.setattr(SqliteStore, "close", fail)
        assert send(mail() + REVIEW, SUPPLIER) == Done(0, "")
        assert len(server.arrived) == 1

    def test_a_store_that_is_not_there_is_a_wrong_setting(self, send: Send, server: Any) -> None:
        """A slip in its name must not let everything through."""
        for uri in ("sqlite:///slip.db", "nosuch://store"):
            assert send(mail() + REVIEW, "--store", uri, SUPPLIER).code == SysExit.CONFIG
        assert server.arrived == []


class TestRelay:
    def test_who_is_refused_is_told_and_the_others_get_it(self, send: Send, server: Any) -> None:
        """By the code for an unknown user; where the relay takes nobody, too."""
        done = send(mail() + REVIEW, "refused@shop.example", SUPPLIER)
        assert done == Done(SysExit.NO_USER, "error: the relay refused a recipient: 550 5.1.1 no such user\n")
        assert send(mail() + REVIEW, "refused@shop.example") == Done(SysExit.NO_USER, "error: the relay says: 550 5.1.1 no such user\n")
        assert send(mail() + REVIEW, "--report-suppressed", "refused@shop.example", OPTED_OUT, SUPPLIER).code == SysExit.NO_USER
        assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER], [SUPPLIER]]

    def test_who_cannot_be_taken_now_holds_the_mail_back(self, send: Send, server: Any) -> None:
        """So that it can be tried again as a whole, and nobody gets it twice."""
        server.answers[BUYER] = "451 4.2.0 greylisted"
        assert send(mail() + REVIEW, SUPPLIER, BUYER) == Done(SysExit.TEMPORARY, "error: the relay says: 451 4.2.0 greylisted\n")
        assert server.arrived == []

    @pytest.mark.parametrize(
        ("verdict", "code"),
        [
            ("451 4.3.0 later", SysExit.TEMPORARY),
            ("554 5.3.4 too big", SysExit.UNAVAILABLE),
            ("550 5.7.1 policy", SysExit.NO_PERMISSION),
            ("552", SysExit.UNAVAILABLE),
        ],
    )
    def test_what_it_says_to_the_mail_counts(self, send: Send, server: Any, verdict: str, code: SysExit) -> None:
        """A temporary answer is worth another try, others are not."""
        server.verdict = verdict
        assert send(mail() + REVIEW, SUPPLIER).code == code

    @pytest.mark.parametrize(
        ("reply", "text", "code"),
        [
            (550, "5.1.2 no such domain", 68),
            (550, "5.1.1", 67),
            (550, "", 69),
            (421, "5.1.1", 75),
            (553, "5.7.0 x", 77),
            (354, "go on", 69),
        ],
    )
    def test_replies_are_sorted_by_their_enhanced_codes(self, reply: int, text: str, code: int) -> None:
        """RFC 3463; a reply that makes no sense is none that a second try would mend."""
        assert of_reply(reply, text) == code

    def test_one_that_does_not_answer_is_tried_again(self, send: Send) -> None:
        """Nobody listens there, or the connection ends at once."""

        class HangUp(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                """Hang up."""

        class Closed(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                """Be out of service."""
                self.request.sendall(b"554 5.3.2 not today\r\n")

        for handler, code in ((HangUp, SysExit.TEMPORARY), (Closed, SysExit.UNAVAILABLE)):
            with socketserver.TCPServer(("127.0.0.1", 0), handler) as listener:
                threading.Thread(target=listener.handle_request, daemon=True).start()
                at = listener.server_address[1]
                assert send(mail() + REVIEW, SUPPLIER, relay=["--smtp", f"127.0.0.1:{at}"]).code == code
        assert send(mail() + REVIEW, SUPPLIER, relay=["--smtp", f"127.0.0.1:{at}"]).code == SysExit.TEMPORARY

    def test_addresses_beyond_ascii_need_a_relay_that_takes_them(self, send: Send, serve: Any, server: Any) -> None:
        """SMTPUTF8 is asked for; where there is none the mail is refused, and nothing is guessed."""
        assert send(mail() + REVIEW, "-F", "Jürgen", "-f", "büro@shop.example", "jürgen@shop.example") == Done(0, "")
        assert "From: büro@shop.example\r\n".encode() in server.arrived[0].raw
        old = serve(enable_SMTPUTF8=False, data_size_limit=None)
        relay = ["--smtp", f"127.0.0.1:{old.port}"]
        assert send(mail() + REVIEW, "jürgen@shop.example", relay=relay).code == SysExit.UNAVAILABLE
        assert [arrived.recipients for arrived in server.arrived + old.arrived] == [["jürgen@shop.example"]]
        assert send(mail() + REVIEW, SUPPLIER, relay=relay).code == 0

    @pytest.mark.parametrize("address", ["a@shop.example\r\nRCPT TO:<b@shop.example>", "a\tb@shop.example", "\udce4@shop.example"])
    def test_an_address_that_cannot_be_written_is_refused(self, send: Send, server: Any, address: str) -> None:
        """A line end in it would begin a command of its own."""
        assert send(mail() + REVIEW, address).code == SysExit.DATA_ERROR
        assert send(mail() + REVIEW, "-f", address, SUPPLIER).code == SysExit.DATA_ERROR
        assert send(mail() + REVIEW, "-F", address, SUPPLIER).code == SysExit.DATA_ERROR
        assert send(b"To: a\0b@shop.example\n" + REVIEW, "-t").code == SysExit.DATA_ERROR
        assert server.arrived == []


class LmtpHandler:
    """Answers a mail once for each recipient, as RFC 2033 section 4.2 demands, and keeps whom it said yes to."""

    def __init__(self) -> None:
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """An answer a recipient."""
        answers = {"full": "452 4.2.2 mailbox full", "never": "550 5.2.1 disabled"}
        said = [answers.get(recipient.partition("@")[0], "250 2.0.0 ok") for recipient in envelope.rcpt_tos]
        self.recipients += [recipient for recipient, answer in zip(envelope.rcpt_tos, said, strict=True) if answer.startswith("250")]
        return "\r\n".join(said)


@pytest.fixture
def lmtp(tmp_path: Path) -> Iterator[tuple[str, LmtpHandler]]:
    """A server at a Unix socket."""

    class Controller(UnixSocketController):
        def factory(self) -> Any:
            return LMTP(self.handler)

    path = str(tmp_path / "lmtp")
    handler = LmtpHandler()
    controller = Controller(handler, unix_socket=path)
    controller.start()
    yield path, handler
    controller.stop()


class TestLmtp:
    def test_each_recipient_has_his_own_answer(self, send: Send, lmtp: Any) -> None:
        """The worst of them is the exit code; whoever could be served was."""
        path, handler = lmtp
        relay = ["--lmtp", path]
        assert send(mail() + REVIEW, SUPPLIER, OPTED_OUT, "b@shop.example", relay=relay).code == 0
        assert handler.recipients == [SUPPLIER, "b@shop.example"]
        done = send(mail() + REVIEW, "never@shop.example", SUPPLIER, relay=relay)
        assert done == Done(SysExit.UNAVAILABLE, "error: the relay refused a recipient: 550 5.2.1 disabled\n")
        assert send(mail() + REVIEW, "never@shop.example", SUPPLIER, "full@shop.example", relay=relay).code == SysExit.TEMPORARY
        assert send(mail() + REVIEW, "never@shop.example", "full@shop.example", relay=relay).code == SysExit.TEMPORARY
        assert send(mail() + REVIEW, "never@shop.example", relay=relay).code == SysExit.UNAVAILABLE

    def test_by_host_and_port(self, send: Send, lmtp_server: Any) -> None:
        """From the environment, too."""
        assert send(mail() + REVIEW, SUPPLIER, relay=["--lmtp", f"127.0.0.1:{lmtp_server.port}"]).code == 0
        assert lmtp_server.arrived[0].recipients == [SUPPLIER]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    """Write another sendmail, as a shell script."""

    def program(script: str) -> list[str]:
        path = tmp_path / "other-sendmail"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return ["--through", str(path)]

    return program


class TestThrough:
    def test_another_sendmail_gets_the_mail_and_who_is_left(self, send: Send, program: Any, tmp_path: Path) -> None:
        """With an envelope of its own, the options that are for it, and nothing put in."""
        relay = program('printf "%s\\n" "$@" > arguments; cat > stdin')
        raw = mail(to=f"{OPTED_OUT}, {SUPPLIER}", bcc="boss@shop.example") + REVIEW + b".\nmore\n"
        options = ("-FThe Shop", "-B8BITMIME", "-N", "never", "-R", "hdrs", "-V", "id", "-v", "-Ac", "-h", "5", "-X", "log", "-O", "x=y")
        assert send(raw, "-ti", *options, relay=relay).code == 0
        lines = (tmp_path / "arguments").read_text().splitlines()
        assert lines[:11] == ["-i", "-F", "The Shop", "-B", "8BITMIME", "-N", "never", "-R", "hdrs", "-V", "id"]
        assert (lines[11], lines[13:]) == ("-f", ["--", SUPPLIER, "boss@shop.example"])
        assert (tmp_path / "stdin").read_bytes() == mail(to=f"{OPTED_OUT}, {SUPPLIER}") + REVIEW + b".\nmore\n"
        assert send(mail() + REVIEW, "-f", "", SUPPLIER, relay=relay).code == 0
        assert (tmp_path / "arguments").read_text().splitlines() == ["-i", "-f", "<>", "--", SUPPLIER]

    def test_its_exit_code_is_handed_on(self, send: Send, program: Any) -> None:
        """Whatever it is; one that was killed is tried again."""
        assert send(mail() + REVIEW, SUPPLIER, relay=program("exit 71")).code == 71
        assert send(mail() + REVIEW, SUPPLIER, relay=program("kill -9 $$")).code == SysExit.TEMPORARY
        assert send(mail() + REVIEW, OPTED_OUT, relay=program("exit 71")).code == 0

    def test_one_that_cannot_be_run_is_a_wrong_setting(self, send: Send, tmp_path: Path) -> None:
        """Missing, or no program."""
        tmp_path.joinpath("text").write_text("x")
        for path in ("/nowhere/sendmail", str(tmp_path / "text"), "a\0b"):
            assert send(mail() + REVIEW, SUPPLIER, relay=["--through", path]).code == SysExit.CONFIG

    def test_one_that_leads_back_does_not_run_for_ever(self, tmp_path: Path) -> None:
        """Where somebody has put this program in place of the system's sendmail, and names that."""
        path = tmp_path / "sendmail"
        path.write_text(f'#!/bin/sh\nexec {sys.executable} -m optoutkit.cli sendmail --through {path} "$@"\n')
        path.chmod(0o755)
        done = subprocess.run([path, SUPPLIER], input=b"Subject: x\n\nHello\n", capture_output=True, check=False)
        assert done.returncode == SysExit.CONFIG
        assert b"--through leads back to this program" in done.stderr


class TestOptions:
    @pytest.mark.parametrize("arguments", [("-bs",), ("-bd",), ("-b", "p"), ("-q",), ("--no-such",), ("--policy", "x")])
    def test_what_it_does_not_do_it_refuses(self, send: Send, arguments: tuple[str, ...]) -> None:
        """With the code for wrong usage, rather than as if it had been done."""
        done = send(b"", *arguments)
        assert done.code == SysExit.USAGE
        assert done.err.startswith("error: ")
        assert send(b"Subject: x\n\n", "-bm", SUPPLIER).code == 0

    @pytest.mark.parametrize(
        "relay",
        [
            [],
            ["--smtp", "a", "--lmtp", "b"],
            ["--smtp", "a:b"],
            ["--smtp", "a:0"],
            ["--smtp", "a:65536"],
            ["--smtp", "/a"],
            ["--lmtp", "a b"],
        ],
    )
    def test_the_relay_must_be_clear(self, send: Send, relay: list[str]) -> None:
        """One place, and one that can be understood."""
        assert send(b"Subject: x\n\n", SUPPLIER, relay=relay).code == SysExit.CONFIG

    def test_the_command_line_goes_before_the_environment(self, send: Send, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wrapper may have set the relay, and one call another."""
        monkeypatch.setenv("OPTOUTKIT_LMTP", "/nowhere")
        assert send(b"Subject: x\n\n", SUPPLIER).code == 0
        assert send(b"Subject: x\n\n", SUPPLIER, relay=()).code == SysExit.TEMPORARY
        assert len(server.arrived) == 1

    def test_an_ipv6_address_stands_in_brackets(self) -> None:
        """So that its port can be told."""
        from optoutkit.cli import sendmail

        place = sendmail._PLACE.fullmatch("[::1]:2525")
        assert place is not None
        assert place.groups() == ("[::1]", "2525")


class TestDocumentation:
    def test_the_page_tells_every_exit_code_and_option(self) -> None:
        """No more and no fewer than there are; ignored ones, too."""
        from optoutkit.cli.sendmail import sendmail

        page = (Path(__file__).parents[2] / "docs" / "sendmail.md").read_text(encoding="utf-8")
        assert re.findall(r"^\| (\d+) \|", page, re.MULTILINE) == [str(code.value) for code in SysExit]
        _, _, table = page.partition("## Options of sendmail")
        cells = re.findall(r"^\| (`-.*?) \|", table, re.MULTILINE)
        documented = {option for cell in cells for option in re.findall(r"`(-\w)", cell)}
        assert documented == {option for parameter in sendmail.params for option in parameter.opts if re.fullmatch(r"-\w", option)} | {"-q"}

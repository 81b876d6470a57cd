"""The standard library's SMTP clients behind a guard, against a real server: what arrives, what comes back, what is left alone."""

import copy
import functools
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.mime.text import MIMEText
from typing import Any

import pytest

from optoutkit.errors import Held, InvalidMessage, Suppressed, UnknownSender
from optoutkit.guard import Guard, Policy
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.senders.smtplib import GuardedSMTP, HeldSMTP

SHOP, SUPPLIER = "shop@shop.example", "sales@supplier.example"
OPTED_OUT, BUYER = "optedout@marketplace.amazon.de", "buyer@marketplace.amazon.de"


def mail(**headers: str) -> EmailMessage:
    """A mail that is not critical."""
    message = EmailMessage()
    message["From"] = SHOP
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Thank you, Jürgen.\n.\n..dots")
    return message


@pytest.fixture
def smtp(server: Any, guard: Guard) -> Iterator[smtplib.SMTP]:
    """A guarded client, connected."""
    with guard.wrap(smtplib.SMTP("127.0.0.1", server.port)) as smtp:
        yield smtp


@pytest.fixture
def bare(server: Any) -> Iterator[smtplib.SMTP]:
    """A client without a guard, connected to the same server."""
    with smtplib.SMTP("127.0.0.1", server.port) as bare:
        yield bare


def test_suppressed_recipients_come_back_as_refused(smtp: Any, server: Any) -> None:
    """With 550 5.7.1 and the reason, beside those that the server refused, as given and in order; the others get the mail."""
    to = [SUPPLIER, f"Opted Out <{OPTED_OUT}>", "refused@shop.example", OPTED_OUT.upper(), BUYER]
    refused = smtp.send_message(mail(To="somebody@else.example"), SHOP, to)
    assert list(refused) == [to[1], to[2], to[3]]
    code, text = refused[to[1]]
    assert code == 550
    assert text.startswith(b"5.7.1 It must not go: the buyer opted out of messages that are not critical")
    assert refused[to[2]] == (550, b"5.1.1 no such user")
    assert server.arrived[0].recipients == [SUPPLIER, BUYER]


def test_sendmail_is_guarded_alike(smtp: Any, server: Any) -> None:
    """A list or a single string; the answer is that of sendmail."""
    raw = mail(To=OPTED_OUT).as_bytes()
    assert list(smtp.sendmail(SHOP, (OPTED_OUT, BUYER), raw)) == [OPTED_OUT]
    assert smtp.sendmail(SHOP, BUYER, raw) == {}
    assert list(smtp.sendmail(SHOP, OPTED_OUT, raw)) == [OPTED_OUT]
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [BUYER]]


def test_with_all_suppressed_nothing_is_sent_and_nothing_raised(smtp: Any, server: Any) -> None:
    """A script that sends in a loop goes on, over the same connection."""
    assert list(smtp.send_message(mail(To=OPTED_OUT))) == [OPTED_OUT]
    assert server.arrived == []
    assert smtp.send_message(mail(To=BUYER)) == {}
    assert len(server.arrived) == 1


def test_a_critical_message_goes_to_everybody(smtp: Any, server: Any) -> None:
    """Opted out or not."""
    message = mail(To=f"{OPTED_OUT}, {BUYER}")
    message.set_content("Your address is incomplete.")
    assert smtp.send_message(message) == {}
    assert server.arrived[0].recipients == [OPTED_OUT, BUYER]


def test_what_arrives_is_what_arrives_without_a_guard(smtp: Any, bare: Any, server: Any) -> None:
    """Same envelope sender, same bytes, by send_message and sendmail, for new and legacy messages, str and bytes."""
    text = f"From: {SHOP}\nTo: {BUYER}\n\nHello\n.\n"
    binary = f"From: {SHOP}\r\nTo: {BUYER}\r\n\r\nGr\xfc\xdfe\r\n".encode("latin-1")
    legacy = MIMEText("Thank you.", "plain", "utf-8")
    legacy["To"], legacy["From"], legacy["Sender"] = BUYER, SHOP, "boss@shop.example"
    for client in (smtp, bare):
        client.send_message(mail(To=BUYER, Subject="Grüße"))
        client.send_message(legacy)
        client.send_message(mail(To="x@y.example"), "bounces@shop.example", BUYER)
        client.sendmail(SHOP, [BUYER], text)
        client.sendmail(SHOP, [BUYER], binary)
        client.sendmail(SHOP, [BUYER], "no header at all")
        client.sendmail(SHOP, [BUYER], bytearray(binary))
    assert server.arrived[:7] == server.arrived[7:]
    assert server.arrived[1].sender == "boss@shop.example"
    assert server.arrived[4].raw == binary


def test_bcc_counts_and_never_leaks(smtp: Any, server: Any) -> None:
    """A suppressed Bcc recipient gets nothing, another one gets the mail, and the header does not arrive."""
    message = mail(To=SUPPLIER, Cc="colleague@shop.example", Bcc=f"{OPTED_OUT}, boss@shop.example")
    before = message.as_bytes()
    assert list(smtp.send_message(message)) == [OPTED_OUT]
    assert server.arrived[0].recipients == [SUPPLIER, "boss@shop.example", "colleague@shop.example"]
    assert b"bcc" not in server.arrived[0].raw.lower()
    assert b"boss" not in server.arrived[0].raw
    assert message.as_bytes() == before, "the caller's message is not changed"


def test_an_explicit_envelope_wins(smtp: Any, server: Any) -> None:
    """The headers may name an opted-out buyer, if the envelope does not; and the other way round."""
    assert smtp.send_message(mail(To=OPTED_OUT), to_addrs=[SUPPLIER]) == {}
    assert list(smtp.send_message(mail(To=SUPPLIER), to_addrs=OPTED_OUT)) == [OPTED_OUT]
    assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER]]


def test_resent_headers_are_the_envelope_of_a_resent_mail(smtp: Any, bare: Any, server: Any) -> None:
    """As smtplib reads them, also where it refuses to."""
    message = mail(To=SUPPLIER, Resent_Date="Thu, 10 Sep 2026 10:00:00 +0000", Resent_From=SHOP, Resent_To=OPTED_OUT, Resent_Bcc=BUYER)
    assert list(smtp.send_message(message)) == [OPTED_OUT]
    assert server.arrived[0].recipients == [BUYER]
    assert b"Resent-Bcc" not in server.arrived[0].raw
    message["Resent-Date"] = "Fri, 11 Sep 2026 10:00:00 +0000"
    for client in (smtp, bare):
        with pytest.raises(ValueError, match="more than one 'Resent-' header block"):
            client.send_message(message)


def test_the_envelope_is_read_as_smtplib_reads_it(smtp: Any, bare: Any, server: Any) -> None:
    """Groups, odd quoting, header objects, several fields of one name: nobody gets more mail, or less, than without a guard."""
    from email.header import Header

    def odd(**headers: Any) -> MIMEText:
        message = MIMEText("Thank you.")
        for name, value in headers.items():
            message[name] = value
        return message

    twice = odd(To=BUYER)
    twice["To"] = SUPPLIER
    messages = [
        mail(To=f"Buyers: {BUYER}, B <b@shop.example>;"),
        mail(To=f'"{SUPPLIER}" <{BUYER}>'),
        odd(To=Header(f"{BUYER}, {SUPPLIER}")),
        odd(To=f"=?utf-8?q?J=C3=BCrgen=2C_B?= <{BUYER}>", Cc=""),
        twice,
    ]
    for client in (smtp, bare):
        for message in messages:
            client.send_message(message, SHOP)
    assert server.arrived[: len(messages)] == server.arrived[len(messages) :]


def test_options_are_handed_on(smtp: Any, server: Any) -> None:
    """By position or by name."""
    assert smtp.send_message(mail(To=BUYER), SHOP, [BUYER], ["BODY=8BITMIME"], []) == {}
    assert smtp.sendmail(from_addr=SHOP, to_addrs=[BUYER], msg=b"Subject: Hello\r\n\r\nHello\r\n", mail_options=["BODY=8BITMIME"]) == {}
    assert len(server.arrived) == 2


def test_an_empty_envelope_is_the_clients_business(smtp: Any, bare: Any) -> None:
    """It answers as it does without a guard."""
    for client in (smtp, bare):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail(SHOP, [], b"Subject: 302-1234567-1234567\r\n\r\nHello\r\n")


def test_where_the_server_refuses_the_rest_the_exception_names_all(smtp: Any) -> None:
    """As without a guard it raises; whoever reads ``recipients`` finds the suppressed ones there, too."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        smtp.sendmail(SHOP, [OPTED_OUT, "refused@shop.example"], b"Subject: Hello\r\n\r\nHello\r\n")
    assert [(recipient, text[:5]) for recipient, (_, text) in caught.value.recipients.items()] == [
        (OPTED_OUT, b"5.7.1"),
        ("refused@shop.example", b"5.1.1"),
    ]


def test_an_outage_holds_the_whole_message_as_a_temporary_failure(server: Any, down_guard: Guard) -> None:
    """Held is caught as such and as the client's own 451; nothing arrives, and the connection is good for what may go."""
    with down_guard.wrap(smtplib.SMTP("127.0.0.1", server.port)) as smtp:
        for catch in (Held, smtplib.SMTPResponseException):
            with pytest.raises(catch):
                smtp.send_message(mail(To=f"{SUPPLIER}, {BUYER}"))
        with pytest.raises(HeldSMTP) as caught:
            smtp.send_message(mail(To=f"{SUPPLIER}, {BUYER}"))
        assert caught.value.smtp_code == 451
        assert str(caught.value).startswith("(451, b'4.3.0 Nothing of the message was sent")
        assert caught.value.verdict is not None
        assert caught.value.verdict.held
        assert server.arrived == []
        assert smtp.send_message(mail(To=SUPPLIER)) == {}
        critical = mail(To=BUYER)
        critical.set_content("Your address is incomplete.")
        assert smtp.send_message(critical) == {}
    assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER], [BUYER]]


def test_who_wants_an_exception_for_suppression_gets_it(server: Any, guard: Guard, uncritical: Any) -> None:
    """Before anything is sent."""
    raising = Guard(guard._store, classify=uncritical, policy=Policy(on_suppressed="raise"))
    with raising.wrap(smtplib.SMTP("127.0.0.1", server.port)) as smtp, pytest.raises(Suppressed):
        smtp.send_message(mail(To=f"{SUPPLIER}, {OPTED_OUT}"))
    assert server.arrived == []


def test_the_guard_decides_once_and_learns_the_link(smtp: Any, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    """send_message ends in sendmail inside smtplib; the order in the subject belongs to the buyer from then on."""
    told: list[Any] = []
    monkeypatch.setattr(guard, "_hook", told.append)
    smtp.send_message(mail(To=BUYER, Subject="Your order 302-1234567-1234567"))
    assert [type(event).__name__ for event in told] == ["Decided"]
    guard._store.record([OptOut(OrderId("302-1234567-1234567"))])
    assert guard._store.lookup([Address(BUYER)])


def test_a_wrapped_client_is_still_that_client(server: Any, guard: Guard) -> None:
    """Attributes are read, set and deleted on it, isinstance holds, ``with`` yields the guarded one, and leaving quits."""
    client: Any = smtplib.SMTP("127.0.0.1", server.port)
    wrapped: Any = guard.wrap(client)
    assert isinstance(guard.wrap(client), smtplib.SMTP)
    assert repr(wrapped).startswith("<guarded <smtplib.SMTP")
    wrapped.timeout = 7
    assert client.timeout == 7
    wrapped.mark = "x"
    del wrapped.mark
    assert not hasattr(client, "mark")
    with wrapped as entered:
        assert entered is wrapped
        assert wrapped.noop()[0] == 250
    assert client.sock is None
    with pytest.raises(smtplib.SMTPServerDisconnected):
        wrapped.send_message(mail(To=BUYER))


def test_two_guards_can_stand_in_a_row(smtp: Any, server: Any, uncritical: Any) -> None:
    """Wrapping what is wrapped asks both; each suppressed recipient comes back once."""
    from optoutkit.stores.memory import MemoryStore

    store = MemoryStore()
    store.record([OptOut(Address(BUYER))])
    both = Guard(store, classify=uncritical).wrap(smtp)
    assert list(both.send_message(mail(To=f"{OPTED_OUT}, {BUYER}, {SUPPLIER}"))) == [OPTED_OUT, BUYER]
    assert server.arrived[0].recipients == [SUPPLIER]


def test_the_same_guard_does_not_stand_there_twice(smtp: Any, guard: Guard) -> None:
    """It would hold a request of its own that is on its way."""
    assert guard.wrap(smtp) is smtp


def test_the_whole_way(server: Any, guard: Guard) -> None:
    """The package's own classifier, a SQLite file and a server: the buyer who opted out gets what is critical, and nothing else."""
    review = mail(To=f"{OPTED_OUT}, {BUYER}", Subject="Your order 302-1234567-1234567")
    review.set_content("Hello,\n\nplease leave us a product review on Amazon. We would love five stars!\n")
    address = mail(To=f"{OPTED_OUT}, {BUYER}", Subject="Your order 302-1234567-1234567")
    address.set_content("Hello,\n\nthe house number of your shipping address is missing. Please send us the complete address.\n")
    with Guard(guard._store).wrap(smtplib.SMTP("127.0.0.1", server.port)) as smtp:
        assert list(smtp.send_message(review)) == [OPTED_OUT]
        assert smtp.send_message(address) == {}
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER], [OPTED_OUT, BUYER]]


def one_by_one(smtp: Any, *recipients: str, text: str = "Thank you.") -> Any:
    """Send a mail by SMTP's single commands."""
    smtp.ehlo()
    smtp.mail(SHOP)
    for recipient in recipients:
        smtp.rcpt(recipient)
    return smtp.data(f"Subject: Hello\n\n{text}\n")


def test_single_commands_are_no_way_round(smtp: Any, server: Any) -> None:
    """``data`` raises where one of the recipients is suppressed, and nobody gets the mail; the connection is good for the next one."""
    for to in ([OPTED_OUT], [BUYER, OPTED_OUT]):
        with pytest.raises(smtplib.SMTPDataError, match=r"5\.7\.1 It must not go: the buyer opted out") as caught:
            one_by_one(smtp, *to)
        assert caught.value.smtp_code == 550
    assert one_by_one(smtp, BUYER, SUPPLIER)[0] == 250
    assert one_by_one(smtp, OPTED_OUT, text="Your address is incomplete.")[0] == 250
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER, SUPPLIER], [OPTED_OUT]]


def test_whom_the_server_did_not_take_does_not_keep_the_others_waiting(smtp: Any, server: Any) -> None:
    """Who is refused by ``rcpt`` gets nothing anyway; without anybody it is the server that answers to ``data``."""
    server.answers[OPTED_OUT] = "550 5.1.1 no such user"
    assert one_by_one(smtp, OPTED_OUT, BUYER)[0] == 250
    with pytest.raises(smtplib.SMTPDataError, match="503"):
        one_by_one(smtp, OPTED_OUT)
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]


def test_an_outage_holds_what_is_sent_by_single_commands(server: Any, down_guard: Guard) -> None:
    """The connection is good for what may go."""
    with down_guard.wrap(smtplib.SMTP("127.0.0.1", server.port)) as smtp:
        with pytest.raises(HeldSMTP):
            one_by_one(smtp, SUPPLIER, BUYER)
        assert one_by_one(smtp, SUPPLIER)[0] == 250
    assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER]]


def test_a_connection_that_breaks_fails_as_it_does_without_a_guard(smtp: Any) -> None:
    """Though it can no longer be told that the mail is not to go."""
    smtp.ehlo()
    smtp.mail(SHOP)
    smtp.rcpt(OPTED_OUT)
    smtp.close()
    with pytest.raises(smtplib.SMTPDataError):
        smtp.data(b"Subject: Hello\r\n\r\nThank you.\r\n")


class Notifier(smtplib.SMTP):
    """A subclass whose own method calls that of the library."""

    def notify(self, *to: str) -> Any:
        """Send, past what is left of ``sendmail``."""
        return super().sendmail(SHOP, to, mail().as_bytes())


def test_what_a_subclass_calls_of_its_base_is_no_way_round(server: Any, guard: Guard) -> None:
    """``super().sendmail`` gives the single commands."""
    with guard.wrap(Notifier("127.0.0.1", server.port)) as smtp:
        with pytest.raises(smtplib.SMTPDataError):
            smtp.notify(SUPPLIER, OPTED_OUT)
        assert smtp.notify(SUPPLIER, BUYER) == {}
    assert [arrived.recipients for arrived in server.arrived] == [[SUPPLIER, BUYER]]


def test_a_method_is_guarded_with_the_client_it_belongs_to(server: Any, guard: Guard) -> None:
    """So an envelope beside the mail counts; of a partial, too."""
    with smtplib.SMTP("127.0.0.1", server.port) as bare:
        assert list(guard.wrap(bare.send_message)(mail(To=SUPPLIER), to_addrs=[OPTED_OUT, BUYER])) == [OPTED_OUT]
        assert list(guard.wrap(functools.partial(bare.sendmail, SHOP, [OPTED_OUT]))(mail(To=SUPPLIER).as_bytes())) == [OPTED_OUT]
    assert [arrived.recipients for arrived in server.arrived] == [[BUYER]]


def test_a_client_that_can_copy_itself_leaves_no_guard_behind(guard: Guard) -> None:
    """Neither shallow nor deep."""

    class Copying(smtplib.SMTP):
        def __copy__(self) -> smtplib.SMTP:
            return smtplib.SMTP()

        def __deepcopy__(self, _memo: Any) -> smtplib.SMTP:
            return smtplib.SMTP()

    for copied in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a guarded Copying can be neither pickled nor copied"):
            copied(guard.wrap(Copying()))


class Named(smtplib.SMTP):
    """A subclass with a name that the stand-in has, too."""

    def rename(self, name: str) -> None:
        """Take such a name later."""
        setattr(self, name, "x")


@pytest.mark.parametrize("name", ["_sender", "_guard"])
def test_names_that_the_stand_in_has_itself_are_refused(guard: Guard, name: str) -> None:
    """In place of a method that reads the wrong one."""
    with pytest.raises(AttributeError, match=name):
        guard.wrap(Named()).rename(name)
    named = Named()
    named.rename(name)
    with pytest.raises(UnknownSender, match=f"Named has an attribute {name}"):
        guard.wrap(named)


class Chatty(smtplib.SMTP):
    """A subclass with a method of its own; it answers with nothing."""

    def send_message(self, *args: Any, **kwargs: Any) -> Any:
        """Send, and say nothing."""
        super().send_message(*args, **kwargs)

    def both(self) -> str:
        """Something else it can do."""
        return "both"


def test_subclasses_are_known(server: Any, guard: Guard) -> None:
    """With their own methods and answers; a suppressed recipient is told all the same."""
    with guard.wrap(Chatty("127.0.0.1", server.port)) as smtp:
        assert smtp.both() == "both"
        assert smtp.send_message(mail(To=BUYER)) is None
        assert list(smtp.send_message(mail(To=f"{BUYER}, {OPTED_OUT}"))) == [OPTED_OUT]


def test_lmtp(lmtp_server: Any, guard: Guard) -> None:
    """The same for a local mail server."""
    with guard.wrap(smtplib.LMTP("127.0.0.1", lmtp_server.port)) as lmtp:
        assert list(lmtp.send_message(mail(To=f"{BUYER}, {OPTED_OUT}"))) == [OPTED_OUT]
    assert lmtp_server.arrived[0].recipients == [BUYER]


def test_smtp_over_tls(tls_server: Any, tls_context: ssl.SSLContext, guard: Guard) -> None:
    """The same for SMTP_SSL."""
    with guard.wrap(smtplib.SMTP_SSL("localhost", tls_server.port, context=tls_context)) as smtp:
        assert list(smtp.send_message(mail(To=f"{BUYER}, {OPTED_OUT}"))) == [OPTED_OUT]
    assert tls_server.arrived[0].recipients == [BUYER]


def test_tls_can_be_begun_later(serve: Any, tls_of_server: ssl.SSLContext, tls_context: ssl.SSLContext, guard: Guard) -> None:
    """By STARTTLS, on the guarded client."""
    server = serve(tls_context=tls_of_server, require_starttls=True)
    with guard.wrap(smtplib.SMTP("localhost", server.port)) as smtp:
        assert smtp.starttls(context=tls_context)[0] == 220
        assert isinstance(smtp.sock, ssl.SSLSocket)
        assert list(smtp.send_message(mail(To=f"{BUYER}, {OPTED_OUT}"))) == [OPTED_OUT]
    assert server.arrived[0].recipients == [BUYER]


def test_what_is_no_mail_is_refused(smtp: Any) -> None:
    """With an error of ours, before anything is sent."""
    with pytest.raises(InvalidMessage):
        smtp.send_message("just a text", SHOP, [BUYER])


def test_text_that_smtplib_cannot_send_fails_as_it_does_there(smtp: Any, bare: Any) -> None:
    """A str must be ASCII."""
    for client in (smtp, bare):
        with pytest.raises(UnicodeEncodeError):
            client.sendmail(SHOP, [BUYER], "Subject: Grüße\n\nHallo\udc80")


def test_a_mail_too_large_to_read_is_judged_by_its_envelope(smtp: Any, server: Any) -> None:
    """Its buyer is looked up; and a supplier gets it if the server takes it (this one does not)."""
    huge = b"Subject: Hello\r\n\r\n" + b"x" * 70 + b"\r\n" * 17 * 2**20
    assert list(smtp.sendmail(SHOP, [OPTED_OUT], huge)) == [OPTED_OUT]
    with pytest.raises(smtplib.SMTPSenderRefused):
        smtp.sendmail(SHOP, [SUPPLIER], huge)
    assert server.arrived == []


def test_an_async_guard_does_not_take_a_client_that_blocks(async_guard: Any) -> None:
    """It says what to use."""
    with pytest.raises(UnknownSender, match="wrap them with a Guard"):
        async_guard.wrap(smtplib.SMTP())


def test_the_reply_is_ascii_whatever_the_topic(server: Any, guard: Guard, uncritical: Any) -> None:
    """A topic of one's own may be named in any language."""
    from optoutkit.classifier.results import Classification

    answer = Classification(critical=False, solicits=False, topic="grüße", confidence=0.5, language="de")
    with Guard(guard._store, classify=lambda _message: answer).wrap(smtplib.SMTP("127.0.0.1", server.port)) as smtp:
        assert isinstance(smtp, GuardedSMTP)
        ((_, text),) = smtp.send_message(mail(To=OPTED_OUT)).values()
    assert text.endswith(b"(topic: gr??e).")

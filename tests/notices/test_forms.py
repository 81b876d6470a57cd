"""How notices come: straight, forwarded by servers and by hand, attached, in digests."""

import email
import email.policy
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from optoutkit.identities import Address
from optoutkit.notices import Form, Notice, NoticeKind, NoticeParser, parse_notice
from optoutkit.testing.forwarding import CLIENTS, SERVERS, Client, Server, forward_as_attachment, forward_automatically, forward_inline
from optoutkit.testing.notices import notice_mail
from optoutkit.text.wordlists import LANGUAGES as READ_LANGUAGES

ORDER = "112-4821973-6650218"
ENGLISH = (
    f"We were unable to deliver the message you sent for order [{ORDER}] because the buyer has chosen to opt out of receiving "
    "unsolicited messages from sellers."
)
ALIAS = "7yxwc3c8k00p1k3@marketplace.amazon.it"
SENT_AT = datetime(2026, 9, 10, 8, 15, tzinfo=UTC)

Write = Callable[..., bytes]
Read = Callable[..., Notice | None]


def orders_of(notice: Notice | None) -> list[str]:
    """The order IDs as text; fails where there is no notice."""
    assert notice is not None
    return [str(order) for order in notice.order_ids]


@pytest.mark.parametrize("by", SERVERS)
@pytest.mark.parametrize("typed", [True, False])
def test_auto_forwarded(by: Server, typed: bool) -> None:
    """What servers and rules pass on keeps its own header, but for a list that puts itself into From."""
    raw = forward_automatically(notice_mail(order_ids=[ORDER], typed=typed), by=by)
    notice = parse_notice(raw)
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.form, notice.source) == (Form.AUTO_FORWARDED, raw)


@pytest.mark.parametrize("field", ["Reply-To", "X-Original-From"])
def test_a_service_that_puts_itself_into_from(read: Read, field: str) -> None:
    """Some keep Amazon's address in another field only."""
    notice = read(ENGLISH, sender="Forwarder <fwd@service.example>", more=f"{field}: Amazon.it <auto-communication@amazon.com>\n")
    assert notice is not None
    assert (notice.form, notice.marketplace and notice.marketplace.country) == (Form.AUTO_FORWARDED, "IT")
    assert read(ENGLISH, sender="Forwarder <fwd@service.example>", more=f"{field}: Bob <bob@shop.example>\n") is None


@pytest.mark.parametrize("words", ["", "Hi,\n\nplease stop writing to this one.\n\nThanks\nTom"], ids=["", "words"])
@pytest.mark.parametrize("language", READ_LANGUAGES)
@pytest.mark.parametrize("by", CLIENTS)
def test_forwarded_by_hand(by: Client, language: str, words: str) -> None:
    """Every mail program in every language it writes its header lines in: the notice inside, its orders, buyer, date and store."""
    mail = notice_mail(language="it", buyer=ALIAS, order_ids=[ORDER], sent_at=SENT_AT)
    raw = forward_inline(mail, by=by, language=language, words=words)
    notice = parse_notice(raw)
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.kind, notice.form, notice.language, notice.sent_at) == (NoticeKind.OPT_OUT, Form.INLINE_FORWARD, "it", SENT_AT)
    assert (notice.buyer, notice.source, notice.message_id) == (Address(ALIAS), raw, email.message_from_bytes(raw)["Message-ID"])
    assert notice.marketplace is not None
    assert notice.marketplace.country == "IT"
    plain_only = parse_notice(forward_inline(mail, by=by, language=language, words=words, as_html=False))
    assert orders_of(plain_only) == [ORDER]


@pytest.mark.parametrize("outer", CLIENTS)
@pytest.mark.parametrize("inner", CLIENTS)
def test_forwarded_twice(inner: Client, outer: Client) -> None:
    """A colleague forwards it, the seller forwards that: the notice is the innermost mail, and so is its date."""
    once = forward_inline(
        notice_mail(language="ja", order_ids=[ORDER], sent_at=SENT_AT),
        by=inner,
        language="de",
        words="Zur Info",
        sender="Jo <jo@shop.example>",
    )
    notice = parse_notice(forward_inline(once, by=outer, language="fr", words="Voilà"))
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.form, notice.sent_at, notice.language) == (Form.INLINE_FORWARD, SENT_AT, "ja")


def test_a_forward_whatever_its_subject() -> None:
    """People write their own subject, or forward inside an answer; then the banner tells that it is a forward."""
    mail = notice_mail(order_ids=[ORDER])
    assert orders_of(parse_notice(forward_inline(mail, by="outlook", subject="opt out"))) == [ORDER]
    assert orders_of(parse_notice(forward_inline(mail, by="outlook", subject=""))) == [ORDER]
    assert orders_of(parse_notice(forward_inline(mail, by="gmail", subject="Re: our buyers"))) == [ORDER]
    assert parse_notice(forward_inline(mail, by="outlook", subject="Re: our buyers")) is None


OUTLOOK_FOR_MAC = [
    ("FW", 'On 9/10/26, 8:15 AM, "Amazon.it" <{}> wrote:'),
    ("WG", 'Am 10.09.26, 08:15 schrieb "Amazon.it" <{}>:'),
    ("TR", "Le 10/09/2026 08:15, « Amazon.it » <{}> a écrit :"),
    ("I", 'Il giorno 10/09/26, 08:15 "Amazon.it" <{}> ha scritto:'),
    ("RV", 'El 10/9/26 8:15, "Amazon.it" <{}> escribió:'),
    ("FW", 'Op 10-09-2026 08:15 heeft "Amazon.it" <{}> geschreven:'),
    ("ENC", 'Em 10/09/2026 08:15, "Amazon.it" <{}> escreveu:'),
    ("PD", 'Dnia 10.09.2026 08:15 "Amazon.it" <{}> napisał(a):'),
    ("VB", 'Den 2026-09-10 08:15 skrev "Amazon.it" <{}>:'),
    ("FW", '2026/09/10 8:15 に、"Amazon.it" <{}> さんが書きました:'),
    ("转发", '在 2026/9/10 08:15，"Amazon.it" <{}> 写道:'),
    ("Fwd", "Begin forwarded message:\n\nOn Thursday, September 10, 2026, 8:15 AM, Amazon.it <{}> wrote:"),
]


@pytest.mark.parametrize("words", ["", "Hi,\n\nplease stop writing to this one.\n\n"], ids=["", "words"])
@pytest.mark.parametrize(("prefix", "line"), OUTLOOK_FOR_MAC)
def test_forwarded_below_a_line_as_answers_have_it(write: Write, prefix: str, line: str, words: str) -> None:
    """Outlook for Mac and Yahoo's apps write such a line, and no header lines; the subject tells that it is a forward."""

    def read(subject: str, between: str) -> Notice | None:
        body = f"{words}{line.format('auto-communication@amazon.com')}\n\n{between}Dear Seller,\n{between}\n{between}{ENGLISH}\n"
        return parse_notice(write(body, sender="Tom <tom@shop.example>", subject=subject).replace(b"10 Sep", b"11 Sep"))

    notice = read(f"{prefix}: Your message", "    ")
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.form, notice.sent_at) == (Form.INLINE_FORWARD, SENT_AT)
    assert notice.marketplace is not None
    assert notice.marketplace.country == "IT"
    if "forwarded message" not in line:
        assert read("Your message", "") is None
        assert read("Re: Your message", "") is None
        assert read(f"{prefix}: Re: Your message", "") is None
        assert read(f"{prefix}: Your message", "> ") is None


def test_a_thread_forwarded_below_a_line_as_answers_have_it(read: Read) -> None:
    """What a colleague writes about a notice is not one, whatever he quotes; nor is a line without an address Amazon's."""
    amazon = f'On 9/10/26, 8:15 AM, "Amazon.it" <auto-communication@amazon.com> wrote:\n\n{ENGLISH}'
    for line in ('On 9/10/26, 9:15 AM, "Jo" <jo@shop.example> wrote:', "On 9/10/26, 9:15 AM, Jo wrote:"):
        assert read(f"{line}\n\nIs this bad?\n\n{amazon}", sender="Tom <tom@shop.example>", subject="FW: Your message") is None


@pytest.mark.parametrize("language", READ_LANGUAGES)
@pytest.mark.parametrize("by", ["gmail", "apple_mail", "yahoo", "thunderbird"])
def test_the_banner_of_every_language_is_known(by: Client, language: str) -> None:
    """Inside an answer, nothing but the banner tells a forward from a quotation."""
    mail = notice_mail(order_ids=[ORDER])
    assert orders_of(parse_notice(forward_inline(mail, by=by, language=language, subject="Re: our buyers"))) == [ORDER]


BLOCKS = [
    ("From", "Date", "To", "Subject"),
    ("From", "Sent", "To", "Subject"),
    ("差出人", "Date", "To", "Subject"),
    ("寄件者", "傳送日期", "收件者", "主旨"),
    ("寄件人", "日期", "收件人", "主旨"),
    ("发件人", "日期", "收件人", "主题"),
    ("Von", "Gesendet am", "An", "Betreff"),
    ("Absender", "Datum", "Empfänger", "Betreff"),
    ("Expéditeur", "Envoyé le", "Destinataire", "Objet"),
    ("De", "Enviada em", "Para", "Assunto"),
    ("Remitente", "Enviado el", "Destinatario", "Asunto"),
    ("Mittente", "Inviato il", "Destinatario", "Oggetto"),
    ("Afzender", "Verzonden op", "Ontvanger", "Onderwerp"),
    ("Nadawca", "Wysłane", "Adresat", "Temat"),
    ("Gönderen", "Gönderme Tarihi", "Alıcı", "Konu"),
    ("المرسل", "تاريخ الإرسال", "المستلم", "الموضوع"),
    ("से", "भेजा गया", "प्रति", "विषय"),
]


@pytest.mark.parametrize("mark", ["", "*"])
@pytest.mark.parametrize("words", BLOCKS, ids=lambda words: words[0])
def test_header_lines_in_other_words(read: Read, words: tuple[str, ...], mark: str) -> None:
    """Older versions of programs, other programs, traditional Chinese; in any order, bold or not, the subject wrapped."""
    values = (
        "Amazon.it <auto-communication@amazon.com>",
        "Thu, 10 Sep 2026 08:15:00 +0000",
        "shop@example.com",
        "Your message\n to a buyer",
    )
    lines = [f"{mark}{word}:{mark} {value}" for word, value in zip(words, values, strict=True)]
    for block in (lines, [lines[3], *lines[:3]]):
        notice = read("\n".join(["FYI", "", *block, "", ENGLISH]), sender="Tom <tom@shop.example>", subject="FW: x")
        assert orders_of(notice) == [ORDER]
        assert notice is not None
        assert notice.sent_at == SENT_AT


def test_quoted_as_a_whole(write: Write) -> None:
    """Some programs set ``>`` before every line of a forward, the banner too."""
    lines = [
        "---------- Forwarded message ---------",
        "From: Amazon.com",
        "Date: 10 September 2026 at 10:15",
        "Subject: Notice",
        "",
        *ENGLISH.split(" for "),
        "> order 113-1212121-3434343",
    ]
    body = "Please see below.\n\n" + "\n".join(f"> {line}" for line in lines)
    assert orders_of(parse_notice(write(body, sender="Tom <tom@shop.example>", subject="Fwd: Notice"))) == [ORDER]


def test_a_hand_made_digest(write: Write) -> None:
    """Several notices forwarded in one mail: each is found, and together they are one notice with the orders of all."""
    forward = "---------- Forwarded message ---------\nFrom: Amazon.it <a@amazon.com>\nDate: {date}\nSubject: Notice\n\n{text}\n\n"
    second = ENGLISH.replace(ORDER, "112-7777777-8888888")
    raw = write(
        forward.format(date="9 September 2026 at 10:15", text=ENGLISH) + forward.format(date="8 September 2026 at 10:15", text=second),
        sender="Tom <tom@shop.example>",
        subject="Fwd: two",
    )
    notices = NoticeParser().parse_all(raw)
    assert [orders_of(notice) for notice in notices] == [[ORDER], ["112-7777777-8888888"]]
    notice = parse_notice(raw)
    assert orders_of(notice) == [ORDER, "112-7777777-8888888"]
    assert notice is not None
    assert (notice.form, notice.source, notice.sent_at) == (Form.INLINE_FORWARD, raw, datetime(2026, 9, 8, 10, 15, tzinfo=UTC))
    assert notice.marketplace is not None
    assert len(notice.evidence) == 2


@pytest.mark.parametrize("as_file", [True, False])
def test_attached(as_file: bool) -> None:
    """The notice's own bytes are its source: its signature is good for nothing else."""
    mail = notice_mail(language="de", order_ids=[ORDER], sent_at=SENT_AT)
    raw = forward_as_attachment(mail, as_file=as_file)
    notice = parse_notice(raw)
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.form, notice.sent_at, notice.source.rstrip()) == (Form.ATTACHED, SENT_AT, mail.rstrip())
    assert notice.message_id.endswith("amazonses.com>")


def test_attached_in_an_attached_mail_and_forwarded_inside_one() -> None:
    """Nested either way; what is only text inside another mail stays an inline forward."""
    mail = notice_mail(order_ids=[ORDER])
    nested = parse_notice(forward_as_attachment(forward_as_attachment(mail), as_file=True))
    assert nested is not None
    assert (nested.form, nested.source.rstrip()) == (Form.ATTACHED, mail.rstrip())
    forward = forward_inline(mail)
    inside = parse_notice(forward_as_attachment(forward))
    assert inside is not None
    assert (inside.form, inside.source.rstrip()) == (Form.INLINE_FORWARD, forward.rstrip())


def _digest(*mails: bytes) -> bytes:
    parts = b"".join(b"--d\r\n\r\n" + mail + b"\r\n" for mail in mails)
    return b"From: List <list@shop.example>\r\nSubject: digest\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n" + parts + b"--d--\r\n"


def test_a_digest_speaks_for_itself_only() -> None:
    """One genuine mail in a digest must not vouch for the orders of another: the source of all together is the whole."""
    first = notice_mail(order_ids=[ORDER], buyer="aaa@marketplace.amazon.com")
    second = notice_mail(order_ids=["112-7777777-8888888"], buyer="bbb@marketplace.amazon.com", language="fr")
    raw = _digest(notice_mail(kind=NoticeKind.ACCOUNT_RESTRICTED, order_ids=["112-6666666-8888888"]), first, second)
    notice = parse_notice(raw)
    assert orders_of(notice) == [ORDER, "112-7777777-8888888"]
    assert notice is not None
    assert (notice.source, notice.message_id, notice.buyer, notice.marketplace, notice.language) == (raw, "", None, None, None)
    assert (notice.kind, notice.form) == (NoticeKind.OPT_OUT, Form.ATTACHED)
    sources = [each.source.rstrip() for each in NoticeParser().parse_all(raw)]
    assert sources[1:] == [first.rstrip(), second.rstrip()]
    assert len(sources) == 3


def test_the_same_notice_twice_is_the_surer_one() -> None:
    """Forwarded in the text and attached as well: the attached mail can be proved, so it is the notice."""
    mail = notice_mail(order_ids=[ORDER])
    inline = forward_inline(mail, as_html=False)
    raw = (
        b"From: Tom <tom@shop.example>\nSubject: Fwd: x\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\nContent-Type: text/plain; charset=utf-8\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n"
        + inline.partition(b"\r\n\r\n")[2]
        + b"\n--b\nContent-Type: message/rfc822\n\n"
        + mail
        + b"\n--b--"
    )
    assert [notice.form for notice in NoticeParser().parse_all(raw)] == [Form.INLINE_FORWARD, Form.ATTACHED]
    notice = parse_notice(raw)
    assert notice is not None
    assert (notice.form, notice.source.rstrip()) == (Form.ATTACHED, mail.rstrip())

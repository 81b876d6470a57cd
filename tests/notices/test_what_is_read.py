"""Notices as they come: every language, wording, layout, charset and encoding; and who claims to have sent them."""

import base64
import quopri
from collections.abc import Callable

import pytest

from optoutkit.identities import Address
from optoutkit.marketplaces import MARKETPLACES
from optoutkit.notices import Form, Notice, NoticeKind, parse_notice
from optoutkit.notices.wordings import Wording, load_wordings
from optoutkit.testing.notices import LANGUAGES, notice_mail

AMAZON = '"Amazon.com" <auto-communication@amazon.com>'
ORDER = "112-4821973-6650218"
ENGLISH = (
    f"We were unable to deliver the message you sent for order [{ORDER}] because the buyer has chosen to opt out of receiving "
    "unsolicited messages from sellers."
)
ALIAS = "7yxwc3c8k00p1k3@marketplace.amazon.it"

Write = Callable[..., bytes]
Read = Callable[..., Notice | None]


def orders_of(notice: Notice | None) -> list[str]:
    """The order IDs as text; fails where there is no notice."""
    assert notice is not None
    return [str(order) for order in notice.order_ids]


@pytest.mark.parametrize("wording", load_wordings().wordings, ids=lambda wording: f"{wording.language}-{wording.kind}")
def test_every_wording(read: Read, wording: Wording) -> None:
    """The example of every wording in the data is read as what the data says, with its order, its language and its confidence."""
    example = wording.example.format(order=ORDER, buyer="Anna", date="2026-09-10")
    notice = read(f"Hello,\n\n{example}\n\nAmazon")
    assert notice is not None
    assert (notice.kind, notice.language, notice.confidence) == (wording.kind, wording.language, wording.confidence)
    assert orders_of(notice) == ([ORDER] if "{order}" in wording.example else [])
    (evidence,) = notice.evidence
    assert evidence.kind == "wording"
    assert evidence.text in example
    assert (evidence.source, evidence.verified) == (wording.source, wording.verified)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_header_needs_no_language(language: str) -> None:
    """In the layout of 2026 the header decides, and the wording adds language and certainty."""
    notice = parse_notice(notice_mail(language=language, buyer=ALIAS, order_ids=[ORDER]))
    assert notice is not None
    assert (notice.kind, notice.form, notice.language) == (NoticeKind.OPT_OUT, Form.DIRECT, language)
    assert notice.buyer == Address(ALIAS)
    assert orders_of(notice) == [ORDER]
    assert [evidence.kind for evidence in notice.evidence] == ["header", "wording"]
    assert notice.evidence[0].text == "BUYER_OPTED_OUT_BSM_MESSAGES"
    assert notice.confidence == 0.99


def test_the_header_in_a_wording_nobody_knows(write: Write) -> None:
    """A header is enough: the orders are those of the first line that names any, the language is guessed."""
    body = f"Dear Seller,\n\nYour note about {ORDER} has stayed with us, and we are sorry.\n\nCase 111-2345678-7654321 is another matter.\n"
    raw = write(body, more="X-Space-Notification-Type: buyer_opted_out_bsm_messages \nX-Marketplace-ID: a1pa6795ukmfr9\n")
    notice = parse_notice(raw)
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.language, notice.confidence) == ("en", 0.98)
    assert notice.marketplace is not None
    assert notice.marketplace.country == "DE"


@pytest.mark.parametrize(
    ("mail", "orders"),
    [
        (
            "Content-Type: text/html\n\n<div style='display:none'>Order 112-4821973-6650218, order 112-4821973-6650218</div><p>Sorry.</p>",
            [ORDER],
        ),
        ("Subject: Order 112-4821973-6650218\n\nSorry.", [ORDER]),
        ("Subject: Sorry\n\nOrder 111-1111111-1111111", []),
        ("Content-Type: application/pdf\n\n%PDF", []),
        (
            "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n112-4821973-6650218\n--b\nContent-Type: text/html\n\nSorry\n--b--",
            [ORDER],
        ),
        ("\n\n", []),
    ],
)
def test_the_header_where_the_text_says_little(mail: str, orders: list[str]) -> None:
    """Then the hidden preview, the other body or the subject may name the order; if nothing does, the notice has none, and is one still."""
    notice = parse_notice(f"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\n{mail}".encode())
    assert orders_of(notice) == orders


def test_a_link_tells_where_the_header_is_lost(read: Read) -> None:
    """The survey link of the body names the type, and gets through where a mail is forwarded by hand."""
    link = "https://www.amazon.it/gp/survey?customAttribute1Value=BUYER_OPTED_OUT_BSM_MESSAGES&x=1"
    notice = read(f"Dear Seller,\n\nyour note about order {ORDER} has stayed with us.\n\n{link}")
    assert orders_of(notice) == [ORDER]
    assert notice is not None
    assert (notice.kind, notice.evidence[0].kind, notice.confidence) == (NoticeKind.OPT_OUT, "link", 0.9)
    assert notice.marketplace is not None
    assert notice.marketplace.country == "US"
    assert read(f"Here is what happened. Your note about order {ORDER} has stayed with us.\n\n{link}") is None
    assert read(f"Dear Seller,\n\nyour note has stayed with us.\n\n{link}") is None


@pytest.mark.parametrize(
    "body",
    [
        "Dear Seller,\n\n{s}\n",
        "{s}",
        "Dear ACME Tools Ltd,\n{s}",
        "Amazon.com\n\nYour message to a buyer could not be delivered\n\nDear Seller,\n{s}",
        "[EXTERNAL] This email originated outside of your firm. Do not click\nlinks unless you know the sender.\n\nDear Seller,\n\n{s}",
        "CAUTION: External email\n\nDear Seller,\n\n{s}",
        "[image: Amazon]\nhttps://sellercentral.amazon.com\n\nHello!\n\n{s}",
        "Your message for order 112-4821973-6650218 could not be delivered.\nDear Seller,\n\n{s}",
        "{s}\n\nSome messages may be needed, even if a buyer has opted out of unsolicited messages.\n\nAmazon Seller Support",
        "{s}\n\nYour message:\n> Hello Tom,\n> about order 113-9999999-0000000 of May",
    ],
)
def test_what_may_stand_round_the_deciding_sentence(read: Read, body: str) -> None:
    """Greetings, the subject said again, a preview, what mail servers put on top, and anything below."""
    assert orders_of(read(body.format(s=ENGLISH))) == [ORDER]


@pytest.mark.parametrize(
    ("order", "clause"),
    [
        ("112-4821973-\n6650218", "be-\ncause the buyer has chosen to opt\nout of\n receiving unsolicited\nmessages"),
        ("112-\n4821973-6650218", "because the buyer\u00a0has chosen to opt\u00a0out of receiving unsolicited messages"),
        ("１１２－４８２１９７３－６６５０２１８", "BECAUSE THE BUYER HAS CHOSEN TO OPT\u200b OUT OF RECEIVING UNSOLICITED MESSAGES"),
        ("112\u20114821973\u20116650218", "because the *buyer* has chosen to _opt out_ of receiving unsolicited messages"),
        (
            "112-4821973-6650218 <https://www.amazon.com/o>",
            "because the buyer <mailto:a@x.example?subject= [x]> has chosen to opt out<https://x.cc> of receiving unsolicited messages",
        ),
        ("112-4821973-6650218", "because “the buyer” has chosen to opt‐out of receiving ‘unsolicited’ messages"),
    ],
)
def test_the_sentence_in_every_state(read: Read, order: str, clause: str) -> None:
    """Wrapped anywhere, inside the order too; with hard blanks, full-width digits, hard hyphens, marks of emphasis, invisible signs."""
    assert orders_of(read(f"Dear Seller,\n\nWe were unable to deliver the message you sent for order [{order}] {clause}.")) == [ORDER]


@pytest.mark.parametrize("place", range(1, len(ORDER)))
@pytest.mark.parametrize("end", ["\n", " \n  "])
def test_an_order_wrapped_anywhere(read: Read, place: int, end: str) -> None:
    """A line may end between any two characters of the order, and other numbers may stand on the lines next to it."""
    order = ORDER[:place] + end + ORDER[place:]
    assert orders_of(read(ENGLISH.replace(ORDER, order))) == [ORDER]
    assert orders_of(read(ENGLISH.replace(f"[{ORDER}]", f"7\n{order}\n12"))) == [ORDER]


def test_lines_that_make_no_order_together(read: Read) -> None:
    """Digits too many or too few, a letter before or after them."""
    for numbers in ("112-4821973-\n66502181", "112-4821973\n6650218", "x112-4821973-\n6650218", "112-4821973-\n6650218x", "112-4\n8\n2"):
        assert read(ENGLISH.replace(ORDER, numbers)) is None, numbers


def test_a_preview_that_became_visible() -> None:
    """A mail program may drop the style that hides the preview; then the notice begins with it."""
    page = (
        "<div>il messaggio inviato a Anna per l'ordine 402-4821973-6650218 non è stato recapitato</div><p>Gentile Venditore,<p>Non siamo "
        "stati in grado di recapitare il messaggio per l'ordine [402-4821973-6650218] perché l'acquirente ha scelto di non ricevere "
        "messaggi non richiesti dai venditori"
    )
    raw = f"From: Amazon.it <auto-communication@amazon.com>\nContent-Type: text/html; charset=utf-8\n\n{page}"
    assert orders_of(parse_notice(raw.encode())) == ["402-4821973-6650218"]


def test_hidden_text_alone_is_no_notice() -> None:
    """What the reader cannot see does not make a notice of what he sees."""
    raw = f"From: {AMAZON}\nContent-Type: text/html\n\n<div style='display:none'>{ENGLISH}</div><p>Your payment is on the way.</p>"
    assert parse_notice(raw.encode()) is None


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        *((encoding, encoding) for encoding in ("utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "utf-16")),
        *((encoding, "") for encoding in ("utf-8", "iso-2022-jp")),  # of the others without a label nobody can know
        ("utf-8", "us-ascii"),
        ("iso-2022-jp", "utf-8"),
    ],
)
@pytest.mark.parametrize("cte", ["base64", "quoted-printable", "8bit"])
def test_japanese_in_every_charset(encoding: str, label: str, cte: str) -> None:
    """Japanese follows the order without a blank, and comes in charsets that are labelled wrongly as often as not."""
    text = (
        "出品者様\n\n購入者が出品者からの未承諾広告メールを受信しないように設定しているため、"
        "注文249-4821973-6650218に関するメッセージを送信できませんでした。"
    )
    data = text.encode(encoding)
    encoders: dict[str, Callable[[bytes], bytes]] = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring, "8bit": bytes}
    body = encoders[cte](data)
    charset = f"; charset={label}" if label else ""
    head = f"From: auto-communication@amazon.co.jp\nContent-Type: text/plain{charset}\nContent-Transfer-Encoding: {cte}\n\n"
    notice = parse_notice(head.encode() + body)
    assert orders_of(notice) == ["249-4821973-6650218"]
    assert notice is not None
    assert notice.language == "ja"
    assert notice.marketplace is None  # neither the sender's domain nor the order tells


def test_latin_charsets_wrong_labels_and_broken_encodings() -> None:
    """A wrong charset, base64 with junk, a byte order mark or a blank line before the header, a text part with a name."""
    french = (
        "Cher vendeur,\n\nNous ne sommes pas parvenus à transmettre votre message au sujet de la commande 403-4821973-6650218 car "
        "l’acheteur a choisi de ne pas recevoir de messages non sollicités de la part des vendeurs."
    )
    head = b"From: Amazon.fr <auto-communication@amazon.fr>\nMIME-Version: 1.0\n"
    coded = base64.encodebytes(french.encode()).replace(b"\n", b"\n!\n", 2)
    for raw in (
        head + b"Content-Type: text/plain; charset=us-ascii\n\n" + french.encode("cp1252"),
        head + b"Content-Type: text/plain; charset=iso-8859-1\n\n" + french.encode(),
        head + b"Content-Type: text/plain; charset=nonsense\n\n" + french.encode(),
        b"\xef\xbb\xbf\r\n" + head + b"Content-Type: text/plain; charset=utf-8; name=mail.txt\n\n" + french.encode(),
        head + b"Content-Type: text/plain\nContent-Transfer-Encoding: BASE64\n\n" + coded,
        (head + b"Content-Type: text/plain; charset=utf-8\n\n" + french.encode()).replace(b"\n", b"\r\n"),
        (head + b"Content-Type: text/plain; charset=utf-8\n\n" + french.encode()).replace(b"\n", b"\r"),
    ):
        notice = parse_notice(raw)
        assert orders_of(notice) == ["403-4821973-6650218"], raw
        assert notice is not None
        assert (notice.language, notice.marketplace) == ("fr", next(store for store in MARKETPLACES if store.country == "FR"))
        assert notice.source == raw


@pytest.mark.parametrize(
    "sender",
    [
        '"auto-communication@amazon.com" <x@evil.example>',
        "Amazon.com <notice@mail.example>",
        "auto-communication@amaz0n-seller.example",
        "Amazon Seller Support <help@arnazon.example>",
        "auto-communication@amazon.com.evil.example",
        "Amаzon.com <x@evil.example>",
        "=?utf-8?b?QW1hem9uLmNvbQ==?= <x@evil.example>",
        "auto-communication@amazon.com, other@evil.example",
        "auto-communication@xn--mazon-3ve.com",
    ],
)
def test_a_forgery_is_read_as_what_it_claims(read: Read, sender: str) -> None:
    """Parsing does not judge: whoever claims to be Amazon is read, and what the claim is worth is for authentication to say."""
    assert orders_of(read(f"{ENGLISH}\n\nAmazon Seller Support", sender=sender)) == [ORDER]

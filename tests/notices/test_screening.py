"""Turning mail away without taking it apart: never a notice."""

import base64
import quopri

import pytest

from optoutkit.notices import parse_notice
from optoutkit.notices.screening import Screen
from optoutkit.notices.wordings import Wording, Wordings, load_wordings
from optoutkit.testing.notices import notice_mail

WORDINGS = load_wordings()
SCREEN = Screen(WORDINGS)
HEAD = b"From: Amazon <x@example.com>\n"


def encoded(text: str, encoding: str) -> list[bytes]:
    """A mail with this text in every transfer encoding, and in a mail attached in base64."""
    data = text.encode(encoding)
    quoted = HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(data)
    coded = HEAD + b"content-transfer-ENCODING : BASE64\r\n\r\n" + base64.encodebytes(data).replace(b"\n", b"\r\n")
    inside = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(coded)
        + b"\n--b--\n"
    )
    return [HEAD + b"\n" + data, quoted, quoted.replace(b"\n", b"\r"), coded, inside]


@pytest.mark.parametrize("wording", WORDINGS.wordings, ids=lambda wording: f"{wording.language}-{wording.kind}")
def test_every_wording_passes(wording: Wording) -> None:
    """In every variant of the clause, whatever the charset and the encoding; wrapped anywhere between words."""
    longest = max(len(piece) for piece in wording.pieces)
    for number in range(longest):
        clause = "".join(piece[min(number, len(piece) - 1)] for piece in wording.pieces)
        charsets = {"ja": ("utf-8", "iso-2022-jp", "cp932", "euc-jp"), "zh": ("utf-8", "gb18030"), "ar": ("utf-8", "cp1256")}.get(
            wording.language, ("utf-8",)
        )
        for charset in charsets:
            assert all(map(SCREEN.passes, encoded(clause.replace(" ", "\n"), charset))), (clause, charset)


def test_entities_and_odd_charsets_pass() -> None:
    """What cannot be told from the bytes is left to be read."""
    text = "未承諾広告メールを受信しないように設定しているため"
    assert SCREEN.passes(HEAD + b"\n" + "".join(f"&#{ord(letter)};" for letter in text).encode())
    assert SCREEN.passes(HEAD + b"Content-Type: text/plain; charset=UTF-16\n\n")
    assert SCREEN.passes(HEAD + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(text.encode("utf-16")))
    assert SCREEN.passes(b"X-SPACE-Notification-Type: x\n\n")


def test_the_type_in_a_link_passes() -> None:
    """A link may be all that tells."""
    assert SCREEN.passes(HEAD + b"\nhttps://x.example/?communicationName=BUYER_OPTED_OUT_BSM_MESSAGES")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        HEAD + b"\nYour order 112-4821973-6650218 has shipped.",
        "From: Amazon\n\nご注文を承りました。商品は明日発送いたします。".encode(),
        "From: Amazon\n\nご注文を承りました。商品は明日発送いたします。".encode("iso-2022-jp"),
        b"From: Bob <bob@example.com>\n\nbecause the buyer has chosen to opt out of receiving unsolicited messages",
        HEAD + b"Content-Transfer-Encoding: base64",
        HEAD + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"Thank you."),
    ],
)
def test_plainly_no_notice(raw: bytes) -> None:
    """Ordinary mail is turned away, and is no notice."""
    assert not SCREEN.passes(raw)
    assert parse_notice(raw) is None


def test_base64_in_base64_without_end_passes() -> None:
    """Nesting that nobody needs, or header lines that promise base64 again and again, are not followed."""
    raw = notice_mail()
    for _ in range(6):
        raw = b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(raw)
    assert SCREEN.passes(raw)
    assert SCREEN.passes(b"Content-Transfer-Encoding: base64\n" * 1000 + b"\n" + b"A" * 100_000)


def test_a_wording_without_a_rare_word() -> None:
    """Then every mail that names Amazon is read; slow, but nothing is lost."""
    screen = Screen(Wordings([("x", 'language = "xx"\n[[wordings]]\nkind = "opt_out"\nclause = "ab cd ef gh ij kl mn"')]))
    assert screen.passes(HEAD + b"\nHello")
    assert not screen.passes(b"From: Bob\n\nHello")


@pytest.mark.parametrize("cut", ["<b>", "</span><span style='color:red'>", "<!-- x -->", "&shy;", "&#8203;", "\u00ad", "\u200b", "\u2060"])
def test_words_cut_in_two_are_read(cut: str) -> None:
    """Markup and invisible characters inside the words of the clause do not hide a notice, in any encoding."""
    clause = f"because the buyer has chosen to opt out of receiving uns{cut}olicited mes{cut}sages from sel{cut}lers"
    page = f"<p>We were unable to deliver the message for order 112-4821973-6650218 {clause}.</p>"
    plain, quoted, _, coded, _ = encoded(page, "utf-8")
    for raw in (plain, quoted, coded):
        mail = raw.replace(HEAD, b"From: Amazon <x@amazon.com>\nContent-Type: text/html; charset=utf-8\n")
        assert SCREEN.passes(mail)
        assert (notice := parse_notice(mail)) is not None
        assert [str(order) for order in notice.order_ids] == ["112-4821973-6650218"]
    latin = f"From: Amazon <x@amazon.com>\nContent-Type: text/html; charset=iso-8859-1\n\n{page.replace(cut, chr(0xAD))}".encode("latin-1")
    assert parse_notice(latin) is not None

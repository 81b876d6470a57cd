"""Hostile mails: each as large as is allowed, and made of what would keep a careless reader busy longest."""

import base64
from collections.abc import Callable, Iterator

from optoutkit.testing.notices import notice_mail

__all__ = ["hostile_mails"]

CLAUSE = b"because the buyer has chosen to opt out of receiving unsolicited messages "
NOTICE = b"We were unable to deliver the message you sent for order [302-1234567-7654321] " + CLAUSE
FROM = b'From: "Amazon.de" <auto-communication@amazon.de>\n'
TYPE = b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\n"
BANNER = b"---------- Forwarded message ---------\nFrom: Amazon.de <a@amazon.de>\nDate: 1 May 2026\nSubject: x\nTo: b@c.example\n\n"
HEADER_LINES = b"From: Amazon.de\nSent: 1 May 2026\nTo: x\nSubject: y\n\n"

# What is repeated wherever text stands: in the subject, in text, in HTML, in a mail inside.
TEXTS = {
    "one huge line": b"a",
    "one huge line of words": b"word ",
    "short lines": b"a\n",
    "empty lines": b"\n",
    "blanks": b" ",
    "blank lines": b" \n",
    "tabs": b"\t",
    "bare CR": b"\r",
    "NUL": b"\0",
    "open angle brackets": b"<",
    "unfinished tags": b"<a ",
    "unfinished tags without a blank": b"<a",
    "unfinished tags with a quote": b"<a b='",
    "closed tags": b"<b>",
    "tags closed and opened": b"<b></b>",
    "nested blocks": b"<div><p>",
    "nested tables": b"<table><tr><td>",
    "lists": b"<ol><li>",
    "badly nested": b"<b><div></b>",
    "links": b"<a href=x>y",
    "links with stores": b"<a href=https://www.amazon.de/>y</a>",
    "links with types": b'<a href="http://x/?communicationName=NONE_SUCH">y</a>',
    "attributes": b"<p a=b c=d e=f>",
    "one tag of many attributes": b"a=b ",
    "styles at elements": b"<p style='display:none;color:red'>x</p>",
    "long styles at elements": b"<p style='" + b"a" * 3900 + b"'>",
    "styles of blanks": b"<p style='a" + b" " * 3900 + b"'>",
    "style blocks": b"<style>p{}</style>",
    "open style blocks": b"<style>",
    "hidden blocks": b"<div style=display:none>x",
    "comments": b"<!-- x -->",
    "open comments": b"<!--",
    "declarations": b"<!x>",
    "unfinished declarations": b"<!",
    "pre": b"<pre>\n",
    "pictures": b"<img alt=x>",
    "breaks": b"<br>",
    "quotes of HTML": b"<blockquote type=cite>x",
    "entities": b"&amp;",
    "unfinished entities": b"&amp",
    "ampersands": b"&",
    "numbers of characters": b"&#65;",
    "huge numbers of characters": b"&#9999999",
    "quote marks": b">",
    "quoted lines": b"> a\n",
    "deeply quoted lines": b">>>>>>>>>>>>>>>>>>>> a\n",
    "the clause": CLAUSE,
    "the clause on lines": CLAUSE + b"\n",
    "half the clause": CLAUSE[:40],
    "the first sentence": NOTICE + b".\n",
    "the first sentence, after a question": b"What is this? " + NOTICE + b".\n",
    "the first sentence quoted": b"> " + NOTICE + b".\n",
    "greetings": b"Dear Seller,\n",
    "forwards": BANNER + NOTICE + b"\n",
    "header lines": HEADER_LINES + NOTICE + b"\n",
    "banners": b"---------- Forwarded message ---------\n",
    "From lines": b"From: Amazon.de\n",
    "attributions": b"On Monday, 1 May 2026 at 10:00 Tom <t@x.example> wrote:\n",
    "half attributions": b"On Monday, 1 May 2026\n",
    "signatures": b"-- \nTom\n",
    "closings": b"Kind regards\nTom\n\n",
    "rules": b"_____\n",
    "dashes": b"--\n",
    "lines of stars": b"*" * 450 + b"-\n",
    "lines of blanks and a colon": b"a" + b" " * 450 + b"a:\n",
    "long attributions": b"On Monday, 1 May 2026 at 10:00 " + b"Tom <t@x.example> " * 25 + b"wrote:\n",
    "long closings": b"Thanks, " * 60 + b"\n",
    "order IDs": b"302-1234567-7654321 ",
    "order IDs on lines": b"302-1234567-7654321\n",
    "nearly order IDs": b"302-1234567-",
    "digits": b"1",
    "wrapped order IDs": b"302-\n1234567-\n7654321 ",
    "buyers": b"<mailto:abc@marketplace.amazon.de> ",
    "addresses": b"a@b.c ",
    "at signs": b"@",
    "web links": b"https://www.amazon.de/x ",
    "spelled-out links": b"<https://x.y> ",
    "open brackets": b"[",
    "quotation marks": b'"',
    "dots": b".",
    "sentences": b"Yes. ",
    "colons": b": ",
    "letters set apart": b"r e v i e w ",
    "letters set apart with dots": b"r.e.v.i.e.w.",
    "right to left": "بسبب اختيار المشتري ".encode(),
    "right-to-left marks": "\u202e\u200fa".encode(),
    "zero-width characters": "a\u200b".encode(),
    "only zero-width characters": "\u200b".encode(),
    "combining marks": "a\u0301\u0323".encode(),
    "only combining marks": "\u0301".encode(),
    "soft hyphens": "a\u00ad".encode(),
    "look-alikes": "аmаzоn ".encode(),
    "Greek": "αυτός ".encode(),
    "full-width letters": "ｂｕｙｅｒ ".encode(),
    "ligatures": "ﷺ".encode(),
    "Japanese": "購入者が選択したため".encode(),
    "Japanese clause": "購入者がメッセージの受信を拒否しているため、".encode(),
    "Hindi": "क्षि ".encode(),
    "emoji": "😀".encode(),
    "ISO-2022-JP escapes": b"\x1b$B\x1b(B",
    "ISO-2022-JP": b"\x1b$B9XF~<T\x1b(B",
    "high bytes": b"\xff",
    "shift JIS": "購入者".encode("cp932"),
    "surrogates": b"\xed\xa0\x80",
    "encoded words": b"=?utf-8?q?because?= ",
    "encoded words in base64": b"=?utf-8?b?YW1hem9u?= ",
    "unfinished encoded words": b"=?utf-8?q?",
    "charsets in turns": b"=?utf-8?q?a?= =?latin1?q?b?= ",
    "soft line breaks": b"=\n",
    "quoted-printable": b"=3D=C3=A4",
    "equals signs": b"=",
    "boundaries": b"\n--x",
    "base64 fields": b"Content-Transfer-Encoding: base64\n\nQUFB\n",
    "base64 fields without lines": b"content-transfer-encoding: base64 ",
}  # fmt: skip

# Fields of the header, each repeated until the mail is full; beside a genuine notice in the text.
FIELDS = {
    "Received chains": b"Received: from a.example by b.example; Thu, 10 Sep 2026 08:15:30 +0000\n",
    "short fields": b"a:\n",
    "folded fields": b"X-A: b\n c\n",
    "From fields": b"From: Amazon <auto-communication@amazon.com>\n",
    "Reply-To fields": b"Reply-To: a@b.example\n",
    "Subject fields": b"Subject: =?utf-8?q?a?=\n",
    "Date fields": b"Date: Thu, 10 Sep 2026 08:15:30 +0000\n",
    "Delivered-To fields": b"Delivered-To: a@b.example\n",
    "X-Forwarded-To fields": b"X-Forwarded-To: a@b.example\n",
    "Return-Path fields": b"Return-Path: <srs0=a@b.example>\n",
    "type fields": TYPE,
    "content types": b"Content-Type: text/html; charset=utf-8\n",
    "encodings": b"Content-Transfer-Encoding: base64\n",
    "DKIM signatures": b"DKIM-Signature: v=1; a=rsa-sha256; d=amazon.de; s=x; h=from; bh=AAAA; b=AAAA\n",
    "server's results": b"Authentication-Results: mx.example; dkim=pass header.d=amazon.de\n",
    "ARC sets": b"ARC-Seal: i=1; cv=none; d=x.example\n",
}
HUGE_FIELDS = (
    "Subject",
    "From",
    "Reply-To",
    "Date",
    "Message-ID",
    "Received",
    "Content-Type",
    "Content-Disposition",
    "X-Any",
    "Return-Path",
)
FIELD_TEXTS = (
    "one huge line", "blanks", "NUL", "quotation marks", "open brackets", "at signs", "addresses", "encoded words",
    "encoded words in base64", "unfinished encoded words", "charsets in turns", "colons", "order IDs", "right to left",
    "zero-width characters", "combining marks", "high bytes", "ISO-2022-JP escapes", "buyers", "the clause",
)  # fmt: skip
FIELD_PIECES = {
    "commas": b",", "semicolons": b";", "parameters": b";a=b", "numbered parameters": b";a*0*=b", "parentheses": b"(",
    "closed parentheses": b"()", "backslashes": b"\\", "folds": b"\n ", "names": b"amazon,", "groups": b"a:b@c,;", "mailboxes": b"a <b@c>,",
}  # fmt: skip


def hostile_mails(size: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield a name for each hostile mail, and what makes it: at most ``size`` bytes, nearly all of them hostile."""
    for name, unit in TEXTS.items():
        for place, (before, after, encode) in _places().items():
            yield f"{place}: {name}", _filled(before, unit, after, size, encode)
    for name, unit in FIELDS.items():
        yield f"header: {name}", _filled(FROM, unit, b"\n" + NOTICE, size)
    for field in HUGE_FIELDS:
        for name, unit in ({name: TEXTS[name] for name in FIELD_TEXTS} | FIELD_PIECES).items():
            yield f"{field} field: {name}", _filled(FROM + field.encode() + b": ", unit, b"\n\n" + NOTICE, size)
    yield from _structures(size)


Encode = Callable[[bytes], bytes]


def _same(text: bytes) -> bytes:
    return text


def _quoted(text: bytes) -> bytes:
    return text.replace(b"=", b"=3D").replace(b" ", b"=\n ")


def _places() -> dict[str, tuple[bytes, bytes, Encode]]:
    """Where text may stand: what comes before it, what after, and how it is encoded."""
    html = b"Content-Type: text/html; charset=utf-8\n"
    both = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n"
    inner = FROM + b"Content-Type: text/html\n\n" + NOTICE
    return {
        "text": (FROM + b"\n" + NOTICE, b"", _same),
        "text before": (FROM + b"\n", NOTICE, _same),
        "typed text": (FROM + TYPE + b"\n", b"", _same),
        "HTML": (FROM + html + b"\n" + NOTICE, b"", _same),
        "HTML before": (FROM + html + b"\n", NOTICE, _same),
        "typed HTML": (FROM + TYPE + html + b"\n", b"", _same),
        "in a tag": (FROM + html + b"\n" + NOTICE + b"<a href='", b"", _same),
        "base64": (FROM + html + b"Content-Transfer-Encoding: base64\n\n", b"", base64.encodebytes),
        "base64 with junk": (FROM + html + b"Content-Transfer-Encoding: base64\n\n", b"", _same),
        "quoted-printable": (FROM + html + b"Content-Transfer-Encoding: quoted-printable\n\n" + NOTICE, b"", _quoted),
        "attached mail": (b"From: a@b.example\n" + both + b"Content-Type: message/rfc822\n\n" + inner, b"\n--b--", _same),
        "attached file": (
            b"From: a@b.example\n" + both + b'Content-Type: application/octet-stream; name="a.eml"\n'
            b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(inner), b"\n--b--", base64.encodebytes,
        ),
        "attachment": (FROM + both + b"\n" + NOTICE + b"\n--b\nContent-Type: application/pdf\n\n", b"\n--b--", _same),
        "not from Amazon": (b"From: a@b.example\nX: amazon\n\n" + NOTICE, b"", _same),
    }  # fmt: skip


def _filled(before: bytes, unit: bytes, after: bytes, size: int, encode: Encode = _same) -> Callable[[], bytes]:
    def make() -> bytes:
        room = size - len(before) - len(after)
        sample = encode(unit * 100)
        text = encode(unit * (room * 100 // max(len(sample), 1)))[:room]
        return before + text + after

    return make


def _structures(size: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Mails whose parts are what is hostile."""
    both = FROM + b"Content-Type: multipart/mixed; boundary=b\n\n"
    digest = FROM + b"Content-Type: multipart/digest; boundary=b\n\n"
    notice = notice_mail()

    def parts(part: bytes, count: int, head: bytes = both) -> Callable[[], bytes]:
        fill = max(0, size // count - len(part) - 10)
        return lambda: head + (b"--b\n" + part + b"x" * fill + b"\n") * count + b"--b--\n"

    def filled_parts(part: bytes, unit: bytes, count: int, head: bytes = both) -> Callable[[], bytes]:
        fill = max(0, size // count - len(part) - 10) // len(unit)
        return lambda: head + (b"--b\n" + part + unit * fill + b"\n") * count + b"--b--\n"

    yield "tiny parts", lambda: (both + b"--b\n\nx\n" * (size // 8))[:size]
    yield "as many parts as allowed", parts(b"\n" + NOTICE, 990)
    yield "HTML parts", parts(b"Content-Type: text/html\n\n" + NOTICE, 990)
    yield "HTML parts of tags", filled_parts(b"Content-Type: text/html\n\n" + NOTICE, b"<b>", 990)
    yield "HTML parts of entities", filled_parts(b"Content-Type: text/html\n\n" + NOTICE, b"&amp;", 990)
    yield "parts of fields", filled_parts(b"", b"a:\n", 990)
    yield "parts of encodings", filled_parts(b"", b"Content-Transfer-Encoding: base64\n", 990)
    yield "notices attached", parts(notice, 990, digest)
    for name in ("nested blocks", "the clause on lines", "forwards", "order IDs on lines", "short lines", "attributions", "quoted lines",
                 "combining marks", "letters set apart", "links with stores", "closings", "Japanese clause"):  # fmt: skip
        html = FROM + b"Content-Type: text/html\n\n" + NOTICE
        yield f"attached to attached: {name}", filled_parts(html, TEXTS[name], 100, digest)
        yield f"attached texts: {name}", filled_parts(FROM + b"\n" + NOTICE + b"\n", TEXTS[name], 8, digest)
    yield "attached fields", filled_parts(FROM, b"a:\n", 100, digest)
    yield "attached Received chains", filled_parts(FROM, FIELDS["Received chains"], 100, digest)
    yield "attached encoded words", filled_parts(FROM + b"Subject: ", b"=?utf-8?q?a?= ", 100, digest)
    head = b"From: a@b.example\nContent-Type: message/rfc822\n\n"
    yield "mails in mails", lambda: head * 50 + notice + b" \n" * ((size - len(notice)) // 2 - 2000)
    yield "mails in mails, of clauses", lambda: head * 50 + FROM + b"\n" + (CLAUSE + b"\n") * (size // len(CLAUSE) - 100)
    yield "mails in mails, of base64", lambda: head * 50 + FROM + b"Content-Transfer-Encoding: base64\n\n" + b"QUFB" * (size // 4 - 2000)
    yield "mails in mails in base64", lambda: _wrapped(notice + b" " * int(size * 0.75**6), 6)
    multiparts = b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (level, level) for level in range(49))
    yield "multiparts in multiparts", lambda: FROM + multiparts + b"\n" + NOTICE + b"x\n" * (size // 2 - 4000)
    yield (
        "boundaries of all levels",
        lambda: FROM + multiparts + b"\n" + NOTICE + b"\n" + b"".join(b"--%d\n" % (n % 49) for n in range(size // 5 - 2000)),
    )
    yield "near-boundaries", lambda: both + b"--b\n\n" + NOTICE + b"\n--c" * (size // 4 - 100)
    yield "many boundaries' names", lambda: FROM + b"Content-Type: multipart/mixed; boundary=" + b"b" * (size - 200) + b"\n\n" + NOTICE
    yield "order IDs, all different", lambda: FROM + TYPE + b"\n" + b"".join(b"302-%07d-7654321\n" % n for n in range(size // 20 - 10))
    yield (
        "buyers, all different",
        lambda: FROM + b"\n" + NOTICE + b"".join(b"<mailto:a%07d@marketplace.amazon.de>\n" % n for n in range(size // 41 - 10)),
    )
    yield (
        "quotes ever deeper",
        lambda: (FROM + b"\n" + b"".join(b">" * (n % 500) + b" " + NOTICE + b"\n" for n in range(size // 400)))[:size],
    )
    yield (
        "forwards ever deeper",
        lambda: (
            FROM + b"\n" + b"".join(b">" * (n % 100) + b" " + line + b"\n" for n in range(size // 12_000) for line in BANNER.split(b"\n"))
        )[:size],
    )


def _wrapped(mail: bytes, times: int) -> bytes:
    for _ in range(times):
        mail = b"From: a@b.example\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(mail)
    return mail

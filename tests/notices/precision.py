"""How many mails the parser judges right, language by language: ``nox -s precision`` writes it into docs/notice-precision.md.

Notices are made by the factory and passed on in every form; what only looks like one was written by hand and lies in
``look_alikes``, one file a language, and in ``mails``. A file of look-alikes has for each mail:

* ``like``: what it is, one of :data:`LOOK_ALIKES`; ``kind``: the other kind of notice that it is, if any;
* ``from``, ``subject``, ``text``; in the text ``{notice}`` stands for the first sentence of a notice, each wording of the language in turn;
* ``header``: a further header field; ``as_html``: the text is HTML; ``forwarded_by``: a mail program by which it was forwarded;
  ``attached``: it comes attached to another; ``returned``: it is a report on a forwarded notice that came back.
"""

import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal

import attrs

from optoutkit.notices import Notice, NoticeKind, parse_notice
from optoutkit.notices.wordings import load_wordings
from optoutkit.testing.forwarding import CLIENTS, SERVERS, forward_as_attachment, forward_automatically, forward_inline
from optoutkit.testing.notices import LANGUAGES, notice_mail

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "notice-precision.md"
BEGIN, END = "<!-- figures: begin (written by nox -s precision) -->\n", "<!-- figures: end -->\n"

FORMS = ("direct", "auto-forwarded", "inline forward", "attached", "digest")
LOOK_ALIKES = (
    "newsletter", "blog", "thread", "question", "buyer", "own message", "seller", "Amazon", "other reason", "bounce",
)  # fmt: skip
NAMES = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "it": "Italian", "ja": "Japanese",
    "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "sv": "Swedish", "tr": "Turkish", "zh": "Chinese",
}  # fmt: skip
ORDERS = ["302-4821973-6650218", "D01-7719283-5540126"]
Verdict = Literal["opt-out", "wrong orders", "another kind", "no notice"]


@attrs.frozen(kw_only=True)
class Case:
    """A mail, what is to be said of it, and what the parser says.

    Attributes:
        name: Of the mail, for people.
        language: ISO 639-1 code.
        form: One of :data:`FORMS` or of :data:`LOOK_ALIKES`.
        raw: The mail.
        orders: The orders that opt out; none where it is no such notice.
        kind: The kind of notice that it is, if it is one.
        notice: The parser's answer.
    """

    name: str
    language: str
    form: str
    raw: bytes
    orders: tuple[str, ...] = ()
    kind: NoticeKind | None = None
    notice: Notice | None = attrs.field(init=False)

    @notice.default
    def _notice(self) -> Notice | None:
        return parse_notice(self.raw)

    @property
    def verdict(self) -> Verdict:
        """The answer, in short."""
        if self.notice is None:
            return "no notice"
        if self.notice.kind is not NoticeKind.OPT_OUT:
            return "another kind"
        return "opt-out" if not self.orders or tuple(map(str, self.notice.order_ids)) == self.orders else "wrong orders"

    @property
    def is_right(self) -> bool:
        """Whether it is as it should be."""
        return (self.notice and self.notice.kind) == self.kind and self.verdict != "wrong orders"


def cases() -> list[Case]:
    """All mails."""
    written = [case for language in LANGUAGES for case in (*_notices(language), *_look_alikes(language))]
    return [*written, *_mails()]


def _notices(language: str) -> Iterator[Case]:
    """A language's notices in every form; over the languages, every mail program and every server has its turn."""
    turn = LANGUAGES.index(language)
    plain, page = notice_mail(language=language, order_ids=ORDERS[:1], layout="2017"), notice_mail(language=language, order_ids=ORDERS[:1])
    untyped = notice_mail(language=language, order_ids=ORDERS[:1], typed=False)
    second = notice_mail(language=language, order_ids=ORDERS[1:], layout="2017")
    by = [CLIENTS[(turn + number) % len(CLIENTS)] for number in range(3)]
    quoting = plain.rstrip() + b"\r\n\r\n> Hello, about order 302-1212121-3434343:\r\n> thank you, and see you soon!\r\n"
    digest = b"From: List <list@shop.example>\r\nSubject: digest\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n"

    def notice(form: str, name: str, raw: bytes, orders: Iterable[str] = ORDERS[:1]) -> Case:
        return Case(name=name, language=language, form=form, raw=raw, orders=tuple(orders), kind=NoticeKind.OPT_OUT)

    yield notice("direct", "2026", page)
    yield notice("direct", "2017, the message quoted below", quoting)
    for number, mail in enumerate((plain, untyped)):
        server = SERVERS[(2 * turn + number) % len(SERVERS)]
        yield notice("auto-forwarded", server, forward_automatically(mail, by=server))
    yield notice("inline forward", by[0], forward_inline(plain, by=by[0], language=language, as_html=False))
    yield notice("inline forward", f"{by[1]}, with words", forward_inline(page, by=by[1], language=language, words="See below.\n\nTom"))
    twice = forward_inline(forward_inline(untyped, by=by[2], language=language, words="FYI"), by=by[0], language=language)
    yield notice("inline forward", f"{by[2]}, then {by[0]}", twice)
    yield notice("attached", "message/rfc822", forward_as_attachment(page))
    yield notice("attached", "notice.eml", forward_as_attachment(plain, as_file=True))
    yield notice("attached", "a forward, attached", forward_as_attachment(forward_automatically(untyped)))
    both = b"".join(b"--d\r\n\r\n" + mail + b"\r\n" for mail in (untyped, second))
    yield notice("digest", "multipart/digest", digest + both + b"--d--\r\n", ORDERS)


def _look_alikes(language: str) -> Iterator[Case]:
    mails = tomllib.loads((HERE / "look_alikes" / f"{language}.toml").read_text(encoding="utf-8"))["mails"]
    for number, mail in enumerate(mails):
        kind = NoticeKind(mail["kind"]) if "kind" in mail else None
        yield Case(name=mail["subject"], language=language, form=mail["like"], raw=_written(mail, language, number), kind=kind)


def _written(mail: Mapping[str, Any], language: str, number: int) -> bytes:
    """A look-alike as a mail."""
    wordings = [each for each in load_wordings().wordings if each.language == language and each.kind is NoticeKind.OPT_OUT]
    sentence = wordings[number % len(wordings)].example.format(order="302-4821973-6650218", buyer="Maria", date="2026-09-09")
    text = mail["text"].strip().replace("{notice}", sentence) + "\n"
    written = EmailMessage(policy=SMTP.clone(max_line_length=998))
    written["From"], written["To"], written["Subject"] = mail["from"], "shop@example.com", mail["subject"]
    written["Date"] = "Fri, 11 Sep 2026 07:40:00 +0000"
    if "header" in mail:
        name, _, value = mail["header"].partition(": ")
        written[name] = value
    written.set_content(text, subtype="html" if mail.get("as_html") else "plain", cte="quoted-printable")
    raw = written.as_bytes()
    if mail.get("returned"):
        raw = _returned(raw, forward_inline(notice_mail(language=language, layout="2017"), language=language, as_html=False))
    if "forwarded_by" in mail:
        raw = forward_inline(raw, by=mail["forwarded_by"], language=language)
    return forward_as_attachment(raw) if mail.get("attached") else raw


def _returned(told: bytes, original: bytes) -> bytes:
    """A report in the form of RFC 3464: what the server tells, then the mail that came back."""
    fields, _, text = told.partition(b"\r\n\r\n")
    kept = b"\r\n".join(line for line in fields.split(b"\r\n") if not line.lower().startswith((b"content-", b"mime-")))
    head = b"Content-Type: multipart/report; report-type=delivery-status; boundary=r"
    plain = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable"
    status = b"Content-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; optouts@example.net\r\nAction: failed\r\nStatus: 5.2.2"
    parts = (plain + b"\r\n\r\n" + text, status, b"Content-Type: message/rfc822\r\n\r\n" + original)
    return kept + b"\r\n" + head + b"\r\n\r\n" + b"".join(b"--r\r\n" + part + b"\r\n" for part in parts) + b"--r--\r\n"


_HAND_WRITTEN = {
    "newsletter-en": "newsletter",
    "buyer-quotes-notice-de": "buyer",
    "copy-of-own-message-pt": "own message",
    "outlook-answer-en": "thread",
    "seller-asks-en": "question",
}


def _mails() -> Iterator[Case]:
    """The mails of the folder ``mails``, as they were written."""
    expected = tomllib.loads((HERE / "mails" / "expected.toml").read_text(encoding="utf-8"))
    for path in sorted((HERE / "mails").glob("*.eml")):
        raw, wanted = path.read_bytes(), expected.get(path.stem)
        if wanted:
            orders, form = tuple(wanted["orders"]), wanted["form"].replace("inline_", "inline ")
            yield Case(name=path.name, language=wanted["language"], form=form, raw=raw, orders=orders, kind=NoticeKind.OPT_OUT)
        else:
            yield Case(name=path.name, language=path.stem[-2:], form=_HAND_WRITTEN[path.stem], raw=raw)


def figures(all_cases: Collection[Case]) -> str:
    """The tables, and what they come to."""
    notices, others = [case for case in all_cases if case.orders], [case for case in all_cases if not case.orders]
    kinds = [case for case in others if case.kind]
    read, taken = _opt_outs(notices), _opt_outs(others)
    lines = [
        f"{len(all_cases)} mails: {len(notices)} notices of an opt-out, {len(others)} others.",
        "",
        f"* Notices read as an opt-out, with all their orders and no other: {read} of {len(notices)}.",
        f"* Others taken for an opt-out: {taken} of {len(others)}.",
        f"* Notices of other kinds told to be what they are: {sum(case.is_right for case in kinds)} of {len(kinds)}.",
        f"* Precision {_ratio(read, read + taken)}, recall {_ratio(read, len(notices))}.",
        "",
        "Notices read as an opt-out with the right orders, of how many; and how sure the least sure answer is:",
        "",
        *_table(FORMS, notices, lowest=True),
        "",
        "Others taken for an opt-out, of how many:",
        "",
        *_table(LOOK_ALIKES, others),
    ]
    if wrong := [case for case in all_cases if not case.is_right]:
        lines += ["", "Judged wrongly:", "", *map(_told, wrong)]
    return "\n".join(lines)


def _told(case: Case) -> str:
    return f"* {NAMES[case.language]}, {case.form}: {case.name}: {case.verdict}"


def _opt_outs(of: Iterable[Case]) -> int:
    return sum(case.verdict == "opt-out" for case in of)


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _table(columns: tuple[str, ...], counted: Collection[Case], *, lowest: bool = False) -> Iterator[str]:
    """A row for each language and one for all together; in each cell of how many mails how many are opt-outs by the parser's word."""

    def row(name: str, languages: Collection[str]) -> str:
        own = [case for case in counted if case.language in languages]
        by_column = [[case for case in own if case.form == column] for column in columns]
        cells = [f"{_opt_outs(of)} of {len(of)}" for of in by_column]
        least = [f"{min(case.notice.confidence for case in own if case.notice):.3f}"] if lowest else []
        return f"| {name} | {' | '.join(cells + least)} |"

    head = [*columns, *(["confidence"] if lowest else [])]
    yield f"| | {' | '.join(head)} |"
    yield f"|---|{'---:|' * len(head)}"
    yield from (row(NAMES[language], [language]) for language in LANGUAGES)
    yield row("all", LANGUAGES)


def main() -> int:
    """Write the figures into the page; 1 if any mail is judged wrongly."""
    all_cases = cases()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{figures(all_cases)}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    wrong = [case for case in all_cases if not case.is_right]
    sys.stdout.writelines(f"{_told(case)}\n" for case in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

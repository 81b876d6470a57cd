"""Links, addresses, numbers, attachments, order IDs and languages: what is found, and what is let go."""

import builtins
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from optoutkit.guidelines import check_guidelines, contacts, phones
from optoutkit.messages import Message
from optoutkit.text.mime import Attachment

Rules = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("See https://www.amazon.de/gp/help and https://sellercentral.amazon.co.jp/x or amazon.com", []),
        ("See www.amazon.de.shop.example/x", ["external_link"]),
        ("See https://amazon.de@shop.example/", ["external_link"]),
        ("See https://amzn.to/3x.", []),
        ("See https://notamazon.de/", ["external_link"]),
        ("See //shop.example/x", ["external_link"]),
        ("See ftp://shop.example/x", ["external_link"]),
        ("See shop-of-clay.com, it is good", ["external_link"]),
        ("See file.txt or e.g.this, v1.2 and Mr.Smith", []),
        ("See https://www.dhl.de/track?x=1", []),
        ("See http://www.dhl.de/track?x=1", ["insecure_link"]),
        ("See http://www.amazon.de/", []),
        ("See https://{{domain}}/x and {{url}} and https://%s/", []),
        ("See https://shop.example/{{order_id}}/x", ["external_link"]),
        ("Which floor?\nTrack your parcel:\nhttps://shop.example/t", []),
        ("The invoice is below.\nhttps://shop.example/t", []),
        ("The invoice is below.\n\nOur shop is https://shop.example/t", ["external_link"]),
        ("See https://shop.example/unsubscribe?x=1", ["opt_out_link"]),
        ("To unsubscribe go to https://shop.example/u", ["opt_out_link"]),
        ("a) https://one.example/ b) https://two.example/", ["external_link", "external_link"]),
        ("https://shop.example/をご覧ください", ["external_link"]),
    ],
)
def test_links_in_text(rules_in: Rules, text: str, rules: list[str]) -> None:
    """Amazon's own, carriers', those that the words around need, and those of placeholders are fine."""
    assert rules_in(text) == rules


@pytest.mark.parametrize(
    ("html", "rules"),
    [
        ('<a href="https://shop.example/">https://shop.example/</a>', ["external_link"]),
        ('<a href="https://www.amazon.de/">www.shop.example</a>', ["external_link"]),
        ('<a href="https://shop.example/">us</a> and https://other.example/', ["external_link", "external_link"]),
        ('<a href="//shop.example/">us</a>', ["external_link"]),
        ('<a href="www.shop.example">us</a>', ["external_link"]),
        ('<a href="tg://resolve?x">us</a>', ["external_link"]),
        ('<a href="http://shop.example/">us</a>', ["external_link", "insecure_link"]),
        ('<a href="http://amazon.de/">us</a>', []),
        ('<a href="#top">up</a><a href="">x</a><a href="/x">x</a><a href="cid:1">x</a><a href="javascript:x()">x</a><a name="y">x</a>', []),
        ('<a href="{{ url }}">x</a><a href="https://{{host}}/">x</a><a href="https://">x</a>', []),
        ('<a href="https://shop.example/unsubscribe">here</a>', ["opt_out_link"]),
        ('<a href="https://shop.example/u">unsubscribe</a>', ["opt_out_link"]),
        ('<p>Which floor?</p><a href="https://shop.example/t">Track your parcel</a>', []),
        ('<a href="https://shop.example/t">unclosed', ["external_link"]),
        ('<a href="https://one.example/">one<a href="https://two.example/">two</a>', ["external_link", "external_link"]),
        ('<a href="https://shop.example/"><img src="cid:x"></a>', ["website_logo"]),
        ('<a href="http://shop.example/"><img src="cid:x"></a>', ["insecure_link", "website_logo"]),
        ('<a href="https://shop.example/"><img src="cid:x"> Our shop</a>', ["external_link"]),
        ('<a href="https://amazon.de/"><img src="cid:x"></a>', []),
        ('<img src="cid:x" alt="www.shop.example">', ["website_logo"]),
        ('<img src="cid:x" alt="Clay & Co.">', []),
    ],
)
def test_links_in_html(rules_in: Rules, html: str, rules: list[str]) -> None:
    """By where they lead, not by what they say; each is told once."""
    assert rules_in(html, html=True) == rules


@pytest.mark.parametrize(
    ("html", "rules"),
    [
        ('<blockquote type="cite"><p style="color: red">Visit our shop: <a href="https://shop.example/">x</a></p></blockquote>', []),
        ('<blockquote class="gmail_quote"><img src="http://shop.example/a.gif" alt="www.shop.example"><br><br><br>x</blockquote>', []),
        ('<blockquote type="cite"><a href="mailto:a@shop.example">x</a><a href="tel:02079460958">y</a>', []),
        ("<blockquote type=cite><pre>a\n  visit our shop\n\nvisit our shop</pre></blockquote>", []),
        ("<blockquote type=cite>a<blockquote>b</blockquote>Visit our shop</blockquote><p>Visit our shop</p>", ["promotion"]),
        ("<p>On 1 May 2026 at 10:00 Tom wrote:</p><blockquote type=cite>x</blockquote><p>Visit our shop</p>", ["promotion"]),
        ('<p>On 1 May 2026 at 10:00 Tom &lt;t@shop.example&gt; wrote:</p><p style="color: red">Visit our shop</p>', []),
        ("<blockquote><p>Visit our shop</p></blockquote></blockquote>", ["promotion"]),
    ],
)
def test_quoted_mail_in_html_is_not_the_authors(rules_in: Rules, html: str, rules: list[str]) -> None:
    """Neither its words nor its tags, whether it is known by its tags or by the line that announces it; what follows it is."""
    assert rules_in(f"<p>Which floor?</p>{html}", html=True) == rules


def test_domains_can_be_allowed(rules_in: Rules) -> None:
    """With what is below them."""
    text = "https://shop.example/ https://help.shop.example/ https://myshop.example/ http://shop.example/"
    assert rules_in(text, allowed_domains=["Shop.Example."]) == ["external_link", "insecure_link"]
    assert rules_in("https://shop.example/", allowed_domains="shop.example") == []
    assert rules_in('<a href="https://shop.example/"><img src="cid:x"></a>', html=True, allowed_domains="shop.example") == []


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("a.b+c@shop.example", ["email_address"]),
        ("me@shop.example, you@shop.example", ["email_address", "email_address"]),
        ("help (at) shop.example", ["email_address"]),
        ("help[at]shop[dot]example", ["email_address"]),
        ("help@marketplace.amazon.de", []),
        ("{{email}}, @name, a@b, 3@4.50", []),
        ("The guide: https://guides.example/@maker/a@b.example Tell us.", ["external_link"]),
    ],
)
def test_addresses_in_text(rules_in: Rules, text: str, rules: list[str]) -> None:
    """Disguised ones too; not Amazon's, and not what only has an @."""
    assert rules_in(text) == rules


@pytest.mark.parametrize(
    ("html", "rules"),
    [
        ('<a href="mailto:help@shop.example?subject=x">Write</a>', ["email_address"]),
        ('<a href="mailto:help@shop.example">help@shop.example</a>', ["email_address"]),
        ('<a href="mailto:x@marketplace.amazon.de">Write</a><a href="mailto:{{to}}">Write</a>', []),
        ('<a href="tel:+442079460958">Ring</a>', ["phone_number"]),
        ('<a href="tel:+442079460958">020 7946 0958</a>', ["phone_number"]),
        ('<a href="https://wa.me/442079460958">Chat</a>', ["external_link", "phone_number"]),
        ('<a href="tel:{{phone}}">Ring</a>', []),
        ('The carrier: <a href="tel:+442079460958">Ring</a>', []),
    ],
)
def test_contacts_in_links(rules_in: Rules, html: str, rules: list[str]) -> None:
    """Once, whether the words or only the link have them."""
    assert rules_in(html, html=True) == rules


@pytest.mark.parametrize(
    "text",
    [
        "Call +49 30 901820",
        "＋81 3-1234-5678",
        "(415) 555-2671",
        "415-555-2671",
        "0800 123 4567",
        "Phone: 98765 43210",
        "Tel. 55 1234 5678",
        "WhatsApp 9876543210",
        "Tracking number 4417, phone 0161 496 0000",
        "0161 496 0000 is our phone",
    ],
)
def test_numbers(rules_in: Rules, text: str) -> None:
    """As people of many countries write them."""
    assert rules_in(text) == ["phone_number"]


@pytest.mark.parametrize(
    "text",
    [
        "Order 302-1234567-7654321 and D01-1234567-7654321",
        "Please quote the tracking number 0034 0434 1610 94015902",
        "Article no. 07712 345678, part no. 020 7946 0958",
        "Art.-Nr. 0351 445566",
        "The parcel has the tracking number 030 901820",
        "It costs 1 234 567.00 EUR, or € 030 901820, or 030 901820 kr",
        "Between 07.07.2026 and 2026-12-31 14:00, or 07.07. 8-11 Uhr",
        "In 2019 - 2024 and 2025/2026",
        "IBAN DE89 3704 0044 0532 0130 00",
        "98765 43210 pieces, size 1234567890",
        "Model 0161 496 0000",
        "0161 496 0000 is the order number",
        "Our warranty desk: 0161 496 0000",
        "See https://parcels.example/track/0161-496-0000 to track it",
        "Call us on {{phone}}, 12-34-56",
        "0000 000 000, +99 999 999 999",
        "v1.2.3.4.5.6.7.8, A0161496000 and 0161496000B",
    ],
)
def test_what_is_no_number(rules_in: Rules, text: str) -> None:
    """Digits of orders, parcels, prices, dates, accounts, and numbers that may be there."""
    assert rules_in(text) == []


def test_numbers_without_the_library_are_reported_as_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, with how to get it; a link that dials is found all the same, and where there are no digits, nothing is missing."""
    importing = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "phonenumbers":
            raise ImportError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    found = check_guidelines(
        Message("Order 302-1234567-7654321", "", html='Call 0161 496 0000, 0161 496 0001 or <a href="tel:01614960002">this</a>')
    )
    assert [(violation.rule, violation.checked) for violation in found] == [("phone_number", True), ("phone_number", False)]
    assert "pip install 'optoutkit[phones]'" in found[1].explanation
    assert (found[1].part, found[1].start, found[1].end, found[1].text) == ("", 0, 0, "")
    assert check_guidelines("Order 302-1234567-7654321, call 0161 496 0000", skip=["phone_number"]) == ()
    assert check_guidelines("Order 302-1234567-7654321, call us") == ()


def test_numbers_beyond_the_limit_are_reported_as_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text full of them must not take minutes."""
    monkeypatch.setattr(contacts, "_MAX_NUMBERS", 2)
    found = check_guidelines("Order 302-1234567-7654321. Tel. 0000 000 001. Tel. 0161 496 0000. Tel. 0161 496 0001.")
    assert [(violation.rule, violation.text, violation.checked) for violation in found] == [
        ("phone_number", "0161 496 0000", True),
        ("phone_number", "", False),
    ]
    assert "only the first 2" in found[1].explanation


def test_numbers_are_valid_somewhere() -> None:
    """In one of the countries with a store, or in any if the country is told."""
    assert phones.is_number("+43 1 5880 5500")
    assert not phones.is_number("+43")
    assert not phones.is_number("00000000")


@pytest.mark.parametrize(
    ("name", "content_type", "is_forbidden"),
    [
        ("setup.exe", "application/octet-stream", True),
        ("photos.ZIP", "application/octet-stream", True),
        ("", "video/mp4", True),
        ("x", "text/calendar", True),
        ("Sommer-Katalog_2026.pdf", "application/pdf", True),
        ("Garantie-Flyer.pdf", "application/pdf", False),
        ("RE-2026-0815.pdf", "application/pdf", False),
        ("proof.png", "image/png", False),
        ("", "application/pdf", False),
    ],
)
def test_attachments(name: str, content_type: str, is_forbidden: bool) -> None:
    """Kinds that can be no instructions, warranty or invoice, and names that advertise; the name, or else the kind, is told."""
    attachment = Attachment(filename=name, content_type=content_type, size=1)
    found = check_guidelines(Message("302-1234567-7654321", "Which colour?", attachments=[attachment]))
    assert [(violation.rule, violation.part, violation.text) for violation in found] == (
        [("forbidden_attachment", "", name or content_type)] if is_forbidden else []
    )


def test_attachments_of_a_mail() -> None:
    """GIFs among them are told by their own rule."""
    mail = EmailMessage()
    mail["Subject"] = "Order 302-1234567-7654321"
    mail.set_content("Which colour?")
    mail.add_attachment(b"GIF89a", maintype="image", subtype="gif", filename="a.gif")
    mail.add_attachment(b"x", maintype="application", subtype="octet-stream", filename="b.GIF")
    mail.add_attachment(b"PK", maintype="application", subtype="zip", filename="c.zip")
    assert Message.from_email(mail).attachments[2] == Attachment(filename="c.zip", content_type="application/zip", size=2)
    for given in (mail, mail.as_bytes()):
        found = check_guidelines(given)
        assert [(violation.rule, violation.text) for violation in found] == [
            ("gif", "a.gif"),
            ("gif", "b.GIF"),
            ("forbidden_attachment", "c.zip"),
        ]


@pytest.mark.parametrize(
    "text",
    [
        "302-1234567-7654321",
        "d01-1234567-7654321",
        "{{ order.id }}",
        "[[order-id]]",
        "[order-id]",
        "Ihre Bestellung {bestellnummer}",
        "%(pedido)s",
        "Your order %s has a problem",
        "注文 {0} について",
        "%%ORDER_ID%%",
        "%order_id%",
        "<%= order_number %>",
        "${orderId}",
    ],
)
def test_order_ids_and_placeholders_for_them(text: str) -> None:
    """In subject, text or HTML."""
    for message in (Message(text, "x"), Message("x", text), Message("", "", html=f"<p title='x'>{text.replace('<', '&lt;')}</p>")):
        assert check_guidelines(message) == ()


@pytest.mark.parametrize("text", ["", "Your order", "Hello %s", "{{name}}", "302-1234567-765432", "111-1111111-1111111"])
def test_missing_order_ids(text: str) -> None:
    """It concerns the message as a whole."""
    (found,) = check_guidelines(text)
    assert (found.rule, found.part, found.start, found.end, found.text) == ("missing_order_id", "", 0, 0, "")


def test_order_ids_that_nobody_needs_to_see() -> None:
    """Not in an answer, and not where Amazon's messaging API knows the order; a declared one alone is not in the message."""
    order = "302-1234567-7654321"
    assert check_guidelines(Message("", "Which colour?", reply_to_buyer=True)) == ()
    assert check_guidelines(Message("", "Which colour?", order_ids=order)) == ()
    to_buyer = Message("", "Which colour?", order_ids=order, to="a@marketplace.amazon.co.uk")
    assert [violation.rule for violation in check_guidelines(to_buyer)] == ["missing_order_id"]


ENGLISH = "Which name shall we engrave on the ring, and in which of the letters that you can see in our picture?"
GERMAN = "Welchen Namen sollen wir auf den Ring gravieren, und in welcher der Schriften, die Sie auf unserem Bild sehen?"


@pytest.mark.parametrize(
    ("text", "to", "language", "is_other"),
    [
        (ENGLISH, ["a@marketplace.amazon.de"], None, True),
        (GERMAN, ["a@marketplace.amazon.de"], None, False),
        (ENGLISH, ["a@marketplace.amazon.com"], None, False),
        (ENGLISH, ["a@marketplace.amazon.com", "me@shop.example"], None, False),
        (GERMAN, ["a@marketplace.amazon.co.jp"], None, True),
        (ENGLISH, ["a@marketplace.amazon.de"], "en", False),
        (GERMAN, [], "en", True),
        (GERMAN, [], "ja", True),
        (GERMAN, [], None, False),
        ("OK?", [], "de", False),
        ("どのお名前を指輪に彫りますか", ["a@marketplace.amazon.de"], None, True),
    ],
)
def test_languages(text: str, to: list[str], language: str | None, is_other: bool) -> None:
    """That of the order if it is told, else those of the store; without either, and where no language can be told, nothing is said."""
    found = check_guidelines(Message("302-1234567-7654321", text, to=to), order_language=language)
    assert [(violation.rule, violation.text) for violation in found] == ([("other_language", text)] if is_other else [])


def test_a_language_that_cannot_be_told_is_not_passed_in_silence() -> None:
    """It is reported as not checked."""
    (found,) = check_guidelines(f"302-1234567-7654321 {GERMAN}", order_language="eo")
    assert (found.rule, found.checked) == ("other_language", False)
    assert "eo" in found.explanation

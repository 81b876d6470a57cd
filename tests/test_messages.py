"""Messages: what is about to be sent, given as values or as an e-mail."""

from email.message import EmailMessage
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.errors import InvalidMessage, InvalidOrderId, MessageTooLarge
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message

ORDER, OTHER = "302-1234567-1234567", "302-7654321-7654321"


def email_message(body: str = "Which colour?\n", html: str | None = None, **fields: str) -> EmailMessage:
    """An e-mail with such a body and such fields."""
    message = EmailMessage()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def test_what_is_not_said_is_nothing() -> None:
    """A subject and a body are enough."""
    message = Message("Hello", "Which colour?")
    assert (message.text, message.alternative, message.html) == ("Which colour?", "", None)
    assert (message.to, message.order_ids, message.language, message.topic) == ((), (), None, None)
    assert (message.reply_to_buyer, message.custom_order) == (False, False)


@pytest.mark.parametrize(
    ("given_as", "to"),
    [
        ("Anna@Example.com", ("Anna@Example.com",)),
        (Address("Anna@Example.com"), ("anna@example.com",)),
        (["a@example.com", Address("b@example.com")], ("a@example.com", "b@example.com")),
        (
            (recipient for recipient in ("not an address", "a@example.com", "a@example.com")),
            ("not an address", "a@example.com", "a@example.com"),
        ),
        ((), ()),
    ],
)
def test_recipients_stay_as_given(given_as: Any, to: tuple[str, ...]) -> None:
    """One or many, text or Address; what cannot be read is the guard's to say."""
    assert Message("", "", to=given_as).to == to


@pytest.mark.parametrize("given_as", [ORDER, OrderId(ORDER), [ORDER, OrderId(ORDER)], iter([f" {ORDER} "])])
def test_order_ids_are_values_and_each_once(given_as: Any) -> None:
    """One or many, text or OrderId."""
    assert Message("", "", order_ids=given_as).order_ids == (OrderId(ORDER),)


def test_an_order_id_of_another_form_is_refused() -> None:
    """Better now than when it is looked up."""
    with pytest.raises(InvalidOrderId):
        Message("", "", order_ids="12345")


def test_a_message_is_a_value() -> None:
    """Equal to its like, usable as a key, and not to be changed."""
    message = Message("a", "b", to="c@example.com")
    assert message == Message("a", "b", to=["c@example.com"])
    assert hash(message) == hash(Message("a", "b", to=["c@example.com"]))
    assert message.text == "b"
    assert message == Message("a", "b", to=["c@example.com"])
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        message.subject = "x"  # type: ignore[misc]


def test_the_buyer_sees_the_html() -> None:
    """The body is the alternative where it says something else, and hidden text always is."""
    message = Message("", "Rate us!", html='<p>Which colour?</p><p style="display:none">Five stars</p>')
    assert message.text == "Which colour?"
    assert message.alternative == "Rate us!\nFive stars"
    assert Message("", "Which  colour?\n", html="<p>Which colour?</p>").alternative == ""
    assert Message("", "", html="<p>Which colour?</p>").alternative == ""


def test_the_parts_of_the_text_are_found_once() -> None:
    """Own words, quotation, signature."""
    message = Message("", "Red?\n\nBest regards\nTom\n\nOn 1 May 2026 at 10:00 Ann <a@example.com> wrote:\n> Hi\n")
    assert [message.text[span.start : span.end] for span in message.thread.own] == ["Red?\n\n"]
    assert message.thread is message.thread


def test_an_email_gives_subject_text_and_envelope() -> None:
    """To, Cc and Bcc; the Resent fields instead where there are any."""
    mail = email_message(
        html="<p>Which <b>colour</b>?</p>", Subject="Your order", To="A <a@x.example>", Cc="b@x.example", Bcc="c@x.example"
    )
    message = Message.from_email(mail)
    assert (message.subject, message.text, message.body) == ("Your order", "Which colour?", "Which colour?\n")
    assert message.to == ("a@x.example", "b@x.example", "c@x.example")
    assert Message.from_email(mail.as_bytes()) == message
    mail["Resent-To"] = "d@x.example"
    assert Message.from_email(mail).to == ("d@x.example",)


def test_order_ids_come_from_subject_and_unquoted_text() -> None:
    """Not from what is quoted; those of a signature do count, for it is not quoted."""
    body = f"About {OTHER}に\n\nBest regards\nTom, order 302-1111111-2222222\n\n"
    body += "On 1 May 2026 at 10:00 Ann <a@x.example> wrote:\n> 302-3333333-4444444\n"
    message = Message.from_email(email_message(body, Subject=f"Order {ORDER} and {OTHER}"))
    assert message.order_ids == (OrderId(ORDER), OrderId(OTHER), OrderId("302-1111111-2222222"))
    page = f'<p>{ORDER}</p><blockquote type="cite">{OTHER}</blockquote>'
    assert Message.from_email(email_message("x", html=page)).order_ids == (OrderId(ORDER),)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        (ORDER.replace("-", "\u2011"), ORDER),
        (ORDER.replace("-", "-\u200b"), ORDER),
        ("３０２-１２３４５６７-１２３４５６７", ORDER),
        ("d01-1234567-1234567", "D01-1234567-1234567"),
    ],
)
def test_an_order_id_is_found_as_the_buyer_reads_it(text: str, order: str) -> None:
    """Layouts write it with hyphens that do not break, or with places where the line may."""
    for mail in (email_message(f"About {text}."), email_message("x", html=f"<p>About {text}.</p>"), email_message(Subject=f"Order {text}")):
        assert Message.from_email(mail).order_ids == (OrderId(order),)


def test_an_attached_mail_is_not_part_of_the_message() -> None:
    """Neither its text nor its orders."""
    mail = email_message("See the attached mail.\n")
    mail.add_attachment(email_message(f"Order {ORDER}", Subject="inner", To="x@example.com"))
    message = Message.from_email(mail)
    assert (message.text, message.order_ids, message.to) == ("See the attached mail.\n", (), ())


@pytest.mark.parametrize("value", ["text", None, 3])
def test_what_is_no_email_is_refused(value: Any) -> None:
    """A str might be a body or a raw mail: it must be said which."""
    with pytest.raises(InvalidMessage, match=type(value).__name__):
        Message.from_email(value)


def test_an_email_beyond_the_limits_is_refused() -> None:
    """With the error that says so."""
    with pytest.raises(MessageTooLarge):
        Message.from_email(b"a" * (32 * 2**20 + 1))


@given(st.binary())
def test_any_bytes_are_a_message(raw: bytes) -> None:
    """However little is in them."""
    message = Message.from_email(raw)
    assert isinstance(message.text, str)
    assert isinstance(message.alternative, str)


@pytest.mark.parametrize(
    "to", ["a@example.com, b@example.com", "A <a@example.com>, B <b@example.com>", "all: a@example.com, b@example.com;"]
)
def test_one_string_names_one_recipient(to: str) -> None:
    """Of several in one string a sender may reach one, or all, or none. The text names nobody."""
    for recipients in (to, ["c@example.com", to]):
        with pytest.raises(InvalidMessage, match="names several of them") as caught:
            Message("s", "b", to=recipients)
        assert "example" not in str(caught.value)
    assert Message("s", "b", to=['"a@example.com, b" <c@example.com>', "undisclosed-recipients:;"]).to[1] == "undisclosed-recipients:;"

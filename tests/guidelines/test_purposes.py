"""Wording and purpose: how phrases work together, and what stands where."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.guidelines import check_guidelines, rules
from optoutkit.messages import Message
from optoutkit.text.mime import Attachment

Rules = Callable[..., list[str]]
Linear = Callable[[Callable[[str], object], str], None]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Leave a review and get a coupon for your next order.", ["review_incentive"]),
        ("We never offer gift cards for a review.", []),
        ("Get 10% off today.", ["promotion"]),
        ("Shall we send it with 10% off, or a new one?", []),
        ("It is damaged, so we give you 10% off.", []),
        ("Use code ABC.", []),
        ("Use code ABC and get a discount on your next order.", ["coupon", "promotion"]),
        ("Here is a discount on your next order.", ["promotion"]),
        ("We leave it out in your next order.", []),
        ("Our new collection. Our new collection.", ["promotion", "promotion"]),
        ("If you are hap\u200bpy, leave a rеvіew.", ["positive_review_only"]),
        ("Please leave a review, positive or negative.", []),
        ("Merci de laisser votre avis, positif ou négatif.", []),
        ("Lasci una recensione, positiva o negativa.", []),
        ("Deixe sua avaliação, positiva ou negativa.", []),
        ("请留下您的评价,无论好评还是差评。", []),
        ("Would you remove that bad old review?", ["review_change"]),
        ("Könnten Sie Ihre negative Bewertung bitte löschen?", ["review_change"]),
        ("Czy mogą Państwo usunąć negatywną opinię?", ["review_change"]),
        ("Kan du ta bort din negativa recension?", ["review_change"]),
        ("Please review the instructions to remove the battery.", []),
        ("We will remove the logo, and wait for your feedback.", []),
        ("We can remove the logo as in your last feedback.", []),
        ("Write a review and we'll send you a free charger.", ["review_incentive"]),
        ("Wenn Sie uns bewerten, schenken wir Ihnen ein Ladekabel.", ["review_incentive"]),
        ("Pour chaque avis publié, nous vous offrons un câble.", ["review_incentive"]),
        ("Si deja una reseña le regalamos un cargador.", ["review_incentive"]),
        ("Se scrive una recensione le regaliamo un cavo.", ["review_incentive"]),
        ("Za opinię wyślemy Państwu darmowy kabel.", ["review_incentive"]),
        ("The wardrobe will be delivered on 12 March. Somebody must be at home.", []),
        ("Der Schrank wurde versandt und kommt am Freitag mit der Spedition.", []),
        ("Votre canapé a été expédié, il est lourd : merci d'être présent.", []),
        ("Give the kettle 5 stars!", ["positive_review_only"]),
        ("Give the kettle 1 to 5 stars.", []),
        ("The lid? Thank you for your positive feedback!", []),
        ("-30 % on all lamps", ["promotion"]),
        ("All lamps now for £29 instead of £49.", ["promotion"]),
        ("Stay tuned, code LAMPS30 takes 30 % away.", ["coupon"]),
        ("Code LAMPS30 opens the lock.", []),
        ("Second half price.", ["promotion"]),
        ("We are sorry: shall we send the second one at half price?", []),
        ("> Our new collection\n\nNo, the old one?", []),
    ],
)
def test_phrases_work_together(rules_in: Rules, text: str, rules: list[str]) -> None:
    """In one sentence; negations, questions and remedies are no advertisements."""
    assert rules_in(text) == rules


def test_a_reminder_in_the_subject() -> None:
    """Counts where the text asks for a review, and once."""
    review = "Would you leave a review?"
    options = ["missing_order_id"]
    (found,) = check_guidelines(Message("Reminder: the kettle", review), skip=options)
    assert (found.rule, found.part, found.text) == ("repeated_request", "subject", "Reminder")
    assert check_guidelines(Message("Reminder: the kettle", "Which colour?"), skip=options) == ()
    (found,) = check_guidelines(Message("Reminder: your review", review), skip=options)
    assert (found.rule, found.part) == ("repeated_request", "subject")


@pytest.mark.parametrize(
    ("text", "is_only"),
    [
        ("Thank you!", True),
        ("Thank you for your order 302-1234567-7654321.", True),
        ("Thanks, {{name}}!\n\n302-1234567-7654321", True),
        ("We are here to help. If anything is wrong, please let us know.", True),
        ("Thank you! The lamp needs a bulb.", False),
        ("Thank you, the new lid follows tomorrow.", False),
        (
            "Thank you for your patience while we look for the parcel that seems to have been lost somewhere between the depot and you.",
            False,
        ),
        ("ありがとうございます。" + "あ" * 50 + "ありがとう", False),
        ("Hello", False),
        ("", False),
    ],
)
def test_thanks_alone(rules_in: Rules, text: str, is_only: bool) -> None:
    """Greeting, thanks, help and signature, and nothing else."""
    assert ("thank_you_only" in rules_in(text)) is is_only


def test_an_offer_of_help_is_no_other_purpose(rules_in: Rules) -> None:
    """A confirmation with one is still a confirmation; one that asks something is not."""
    shipped = "Your order has been shipped."
    assert rules_in(f"{shipped} Do you have any questions? We are here for you.") == ["order_or_shipping_confirmation"]
    assert rules_in(f"{shipped} Do you want the invoice on paper?") == []
    assert rules_in(f"{shipped} The address was wrong, please contact us.") == []


def test_answers_may_only_thank_and_confirm() -> None:
    """Rules that are about what a seller begins do not hold for them."""
    for text in ("Thank you!", "Your order has been shipped."):
        assert len(check_guidelines(Message("", text))) == 2
        assert check_guidelines(Message("", text, reply_to_buyer=True)) == ()


def test_the_signature_says_nothing_of_the_purpose(rules_in: Rules) -> None:
    """But an address in it is one."""
    assert rules_in("Your parcel is on its way.\n\n-- \nWhat else? Clay & Co.\nhelp@clay.example") == [
        "order_or_shipping_confirmation",
        "email_address",
    ]


def test_findings_come_in_the_order_of_the_message() -> None:
    """Subject, body, HTML, then what concerns all; body and HTML are both read."""
    message = Message(
        "😊",
        "Visit our shop. me@shop.example 😊",
        html="<p>Visit our <b>shop</b>.</p>",
        attachments=[Attachment(filename="a.exe", content_type="x/y", size=1)],
    )
    assert [(found.part, found.rule, found.text) for found in check_guidelines(message)] == [
        ("subject", "emoji", "😊"),
        ("body", "promotion", "Visit our shop"),
        ("body", "email_address", "me@shop.example"),
        ("body", "emoji", "😊"),
        ("html", "promotion", "Visit our <b>shop"),
        ("", "forbidden_attachment", "a.exe"),
        ("", "missing_order_id", ""),
    ]


PIECES = st.sampled_from(
    [
        *(
            "Please",
            "leave",
            "a review",
            "visit our shop",
            "thank you",
            "{{name}}",
            "{order}",
            "%s",
            "[[x]]",
            "{{",
            "}}",
            "😊",
            "👍🏽",
            "\n",
            "\n\n\n",
            " ",
        ),
        *(
            "https://shop.example/x",
            "http://",
            "www.",
            "me@shop.example",
            "@",
            "0161 496 0000",
            "+49 30 901820",
            "302-1234567-7654321",
            "> ",
            "-- \n",
        ),
        *(
            "<p style='color:red'>",
            "</p>",
            "<a href='https://x.example'>",
            "</a>",
            "<img src='http://x/a.gif' width=1 height=1>",
            "<br>",
            "&#128522;",
        ),
        *(
            "&amp;",
            "<style>",
            "</style>",
            "<",
            ">",
            "レビュー",
            "ﬁ",
            "İ",
            "e\u0301",
            "\u200b",
            "r e v i e w",
            "评价",
            "تقييم",
            "समीक्षा",
            "<pre>",
            "\ud83d",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PIECES).map("".join), st.text())


@given(subject=TEXTS, body=TEXTS, html=st.none() | TEXTS)
def test_it_never_raises_and_its_offsets_are_true(subject: str, body: str, html: str | None) -> None:
    """Whatever the message, each violation is a known rule's, and its text stands where it says."""
    sources = {"subject": subject, "body": body, "html": html or ""}
    for found in check_guidelines(Message(subject, body, html=html)):
        assert found.rule in rules()
        if found.part:
            assert sources[found.part][found.start : found.end] == found.text
            assert found.start < found.end
        else:
            assert found.rule in ("missing_order_id", "phone_number")
            assert (found.start, found.end) == (0, 0)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "a",
            "a ",
            "a.",
            "a@",
            "@a.",
            "a@b.",
            "1",
            "1 ",
            "+1 ",
            "0161 496 0000, ",
            "(",
            "{{",
            "{{a",
            "[[a",
            "{a",
            "<%",
            "%a",
            "%(a",
            "$a",
            "//",
            "www.",
            "a://",
        ),
        *(
            "https://a.example/ ",
            "a@b.example ",
            "\n",
            "\n \n",
            "> a\n",
            "Thank you, ",
            "Hello,\n",
            "Please leave a review. ",
            "😊",
            "👍🏽\u200d",
            "レビュー",
            "{",
            "ftp:",
        ),
    ],
)
def test_hostile_text_takes_linear_time(pattern: str, assert_linear: Linear) -> None:
    """For each way in which a search could go back and forth."""
    assert_linear(check_guidelines, pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "<",
            "<a ",
            "<p>",
            "<br>",
            "</p>",
            "<a href='https://x.example'>x",
            "<a href='mailto:a@b.example'>",
            "<a href='tel:0000000'>1",
            "<img src='{{'>",
        ),
        *(
            "<style>a{color:red;",
            "<p style='" + "a:b;" * 50 + "'>",
            "<p style='font:" + "a " * 50 + "'>",
            "&#1;",
            "&amp",
            "&",
            "<img alt='a.a.a.a.a.a.a'>",
            "<pre>",
        ),
    ],
)
def test_hostile_html_takes_linear_time(pattern: str, assert_linear: Linear) -> None:
    """Unfinished tags, endless links, styles of nothing."""
    assert_linear(lambda html: check_guidelines(Message("", "", html=html)), pattern)

"""Pictures, signs and style."""

from collections.abc import Callable

import pytest

from optoutkit.guidelines import check_guidelines
from optoutkit.messages import Message

Rules = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("text", "emoji"),
    [
        ("Hello 😊", ["😊"]),
        ("😊😊 👍🏽", ["😊😊", "👍🏽"]),
        ("👩‍👩‍👧 🇩🇪 1️⃣ ❤️ ©️", ["👩‍👩‍👧", "🇩🇪", "1️⃣", "❤️", "©️"]),
        ("⭐⭐⭐⭐⭐", ["⭐⭐⭐⭐⭐"]),
        ("★ ✓ → © ® ™ • :-) ☎︎ ❤︎", []),
    ],
)
def test_emoji(text: str, emoji: list[str]) -> None:
    """Whole sequences, and those next to one another together; not signs that are text."""
    found = check_guidelines(text, skip=["missing_order_id"])
    assert [(violation.rule, violation.text) for violation in found] == [("emoji", sign) for sign in emoji]


def test_emoji_in_html_and_subject() -> None:
    """Entities are told as they stand in the source."""
    message = Message("Hi 😊", "", html="<p>Hi &#128522;&#x1F600; you</p>")
    found = check_guidelines(message, skip=["missing_order_id"])
    assert [(violation.part, violation.start, violation.text) for violation in found] == [
        ("subject", 3, "😊"),
        ("html", 6, "&#128522;&#x1F600;"),
    ]


@pytest.mark.parametrize(
    ("html", "rules"),
    [
        ('<img src="data:image/gif;base64,R0lG">', ["gif"]),
        ('<img src="cid:x.gif">', ["gif"]),
        ('<img src="https://x.example/a.gif?x=1">', ["gif"]),
        ('<img src="https://x.example/a.gifs/b.png">', []),
        ("<img>", []),
        ('<img src="https://x.example/a" width="1" height="1">', ["tracking_pixel"]),
        ('<img src="https://x.example/a.gif" style="width:1px;height:0">', ["tracking_pixel"]),
        ('<img src="{{pixel}}" width=1 height=1>', ["tracking_pixel"]),
        ('<img src="https://x.example/a" style="display:none">', ["tracking_pixel"]),
        ('<img src="https://x.example/a" hidden>', ["tracking_pixel"]),
        ('<img src="https://x.example/wf/open?u=1">', ["tracking_pixel"]),
        ('<img src="cid:x" width="1" height="1">', []),
        ('<img src="https://x.example/a" width="1">', []),
        ('<img src="https://x.example/a" width="1" height="30">', []),
        ('<img src="https://images-na.ssl-images-amazon.com/images/P/B00.jpg">', ["product_image"]),
        ('<img src="https://m.media-amazon.com/images/G/01/logo.png">', []),
        ('<img src="{{product_image}}">', ["product_image"]),
        ('<img src="[[logo]]" alt="{{product name}}">', []),
        ('<img src="http://x.example/a.png">', ["insecure_image"]),
        ('<td background="http://x.example/a.png">', ["insecure_image"]),
        ("<td style=\"background: url('http://x.example/a.png')\">", ["insecure_image"]),
        ("<td style=\"background-image: url('https://x.example/a.png')\">", []),
        ('<img src="cid:x" width="81%">', ["wide_image"]),
        ('<img src="cid:x" style="min-width:90.5%">', ["wide_image"]),
        ('<img src="cid:x" width="80%" style="max-width:100%">', []),
        ('<img src="cid:x" width="900">', []),
    ],
)
def test_pictures(rules_in: Rules, html: str, rules: list[str]) -> None:
    """By address and size; a tracking pixel is nothing else besides."""
    assert rules_in(html, html=True) == rules


@pytest.mark.parametrize(
    ("html", "rules"),
    [
        ('<p style="font-family:Arial">', ["font_family"]),
        ('<font face="Arial">', ["font_family"]),
        ('<p style="font: italic bold 12px/1.5 Arial">', ["line_height", "font_family"]),
        ('<p style="font: 12px Arial">', ["font_family"]),
        ('<p style="font: inherit">', []),
        ('<p style="font-family:inherit;line-height:normal;color:inherit;text-align:inherit">', []),
        ('<p style="COLOR: Red !important">', ["text_colour"]),
        ('<font color="red">', ["text_colour"]),
        ('<body text="#333">', ["text_colour"]),
        ('<p style="background-color:red;border-color:red">', []),
        ('<p style="line-height:20px">', ["line_height"]),
        ("<center>x</center>", ["text_alignment"]),
        ('<p align="center">', ["text_alignment"]),
        ('<p align="left">', []),
        ('<table align="center"><tr><td>x</table>', []),
        ('<img src="cid:x" align="right">', []),
        ('<p style="text-align:justify">', ["text_alignment"]),
        ('<p style="text-align:right">', ["text_alignment"]),
        ('<p dir="rtl" style="text-align:right">', []),
        ('<p style="text-align:right">ما هو الاسم الذي نكتبه على الخاتم؟</p>', []),
        ('<p style="margin:0 21%">', ["wide_margin"]),
        ('<p style="margin-right:30%">', ["wide_margin"]),
        ('<p style="margin:100px 20%;padding:50%;margin-top:40%">', []),
        ("<style>p { color: red } a:hover { margin: 0 }</style><p>x</p>", ["text_colour"]),
        ("</style><style>p { color: red }", []),
        ('<p style="color:red;font-family:Arial;line-height:2">', ["line_height", "font_family", "text_colour"]),
    ],
)
def test_styles(rules_in: Rules, html: str, rules: list[str]) -> None:
    """Elements and style sheets; what is inherited or left as it is does not count."""
    assert rules_in(html, html=True) == rules


@pytest.mark.parametrize(
    ("sizes", "is_broken"),
    [
        (["10px", "12px", "14px", "16px"], True),
        (["10px", "10.0px", "12px", "14px"], False),
        (["10px", "12px", "14px", "1px"], False),
        (["10px", "12px", "14px", "inherit"], False),
        (["10px", "12px", "14px", "large"], True),
        (["1em", "1.2em", "1.4em", "0.8em"], True),
    ],
)
def test_sizes_of_type(rules_in: Rules, sizes: list[str], is_broken: bool) -> None:
    """Three are fine; one that only hides a text is none."""
    assert rules_in("".join(f'<p style="font-size:{size}">x</p>' for size in sizes), html=True) == ["font_sizes"] * is_broken


def test_sizes_of_old_font_elements(rules_in: Rules) -> None:
    """They count too."""
    assert rules_in("".join(f'<font size="{size}">x</font>' for size in ("", 1, 2, 3)), html=True) == []
    assert rules_in("".join(f'<font size="{size}">x</font>' for size in (1, 2, 3, 4, 5)), html=True) == ["font_sizes"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a\n\nb", 0),
        ("a\n\n\nb", 1),
        ("a\r\n \r\n\t\r\nb\n\n\n\nc", 2),
        ("\n\n\na\n\n\n", 0),
        ("", 0),
    ],
)
def test_line_breaks_in_text(rules_in: Rules, text: str, count: int) -> None:
    """More than two in a row, between words."""
    assert rules_in(text) == ["line_breaks"] * count


@pytest.mark.parametrize(
    ("html", "count"),
    [
        ("a<br><br>b", 0),
        ("a<br> <br/>&nbsp;<br>b", 1),
        ("a<div><br></div><div><br></div><div><br></div>b", 1),
        ("a<br><br><img src='cid:x'><br>b", 0),
        ("a<br><br><hr><br>b", 0),
        ("a<br><br><br><br>", 0),
        ("<pre>a\n\n\nb</pre></pre>", 0),
    ],
)
def test_line_breaks_in_html(rules_in: Rules, html: str, count: int) -> None:
    """By the elements that make them."""
    assert rules_in(html, html=True) == ["line_breaks"] * count


def test_long_tags_are_told_by_their_beginning() -> None:
    """A picture inside a tag can be as long as a book."""
    html = f'<img src="data:image/gif;base64,{"A" * 10_000}">'
    (found,) = check_guidelines(Message("", "", html=html), skip=["missing_order_id"])
    assert (found.start, found.end) == (0, 300)
    assert found.text == html[:300]

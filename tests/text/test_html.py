"""HTML to the text that is seen: blocks, tables, lists, quotations, links, hidden text, and damage of every kind."""

from collections.abc import Callable
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.html import Link, render


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<p>one\n\n<p>two", "one\ntwo"),
        ("one<br>two<br/>three</br>four", "one\ntwo\nthree\nfour"),
        ("one</p>two", "one\ntwo"),
        ("a<br><br><br><br>b<hr>c", "a\n\nb\nc"),
        ("<br> <hr> a", "a"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<div><div><p>a</p></div></div><div>b</div>", "a\nb"),
        ("a <b>b</b><i>c</i> d", "a bc d"),
        (" a \n\t b <span> c</span> ", "a b c"),
        ("a&nbsp;&amp;&lt;b&gt;&#228;&#xe4;&auml;", "a\xa0&<b>äää"),
        ("&#" + "9" * 5000 + ";", "\ufffd"),
        ("<pre>a\n  b\r\n\r\nc</pre>d", "a\n  b\n\nc\nd"),
        ('<div style="white-space: pre-wrap">a\nb</div>', "a\nb"),
        ('<pre>a\nb<p style="white-space:normal">c\nd</pre>', "a\nb\nc d"),
        ("<ul><li>a</li><li><p>b</p></li></ul>c", "• a\n• b\nc"),
        ("<ol><li>a<li>b<ul><li>x</ul><li>c</ol>", "1. a\n2. b\n• x\n3. c"),
        ('<ol start="7"><li>a</ol><ol start="x"><li>b</ol>', "7. a\n1. b"),
        ("<li>a", "• a"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "a\nb\nc"),
        ("<table><tr><th>a<td>b<tr><td>c<td><p>d</p></table>e", "a\tb\nc\nd\ne"),
        ("<table><tbody><tr><td></td><td>a</td></tr></tbody></table>", "a"),
        ("<select><option>a<option>b</select>", "a\nb"),
        ("a<img src=x>b<img>c", "abc"),
        ("a<script>x<b>y</script>b<style>p{}</style>c", "abc"),
        ("<head><title>t</title><meta charset=x></head><body>a", "a"),
        ("a<SCRIPT>x</scripty>y</Script >b", "ab"),
        ("a<style>b", "a"),
        ("a<svg/>b", "ab"),
        ("a<!-- <p>x</p> -->b<!-->c<!---->d", "abcd"),
        ("a<!--x", "a"),
        ("<!DOCTYPE html><?xml version='1.0'?>a<![if !mso]>b<![endif]>", "ab"),
        ("<!--[if mso]>x<![endif]-->a<!--[if !mso]><!-->b<!--<![endif]-->", "ab"),
        ("I <3 you, a<b and 1 < 2", "I <3 you, a<b and 1 < 2"),
        ("a</3 b", "a</3 b"),
        ("a<p", "a<p"),
        ('a<p title="x>y">b', "a\nb"),
        ('a<p title="x>b', "a\nb"),
        ("a<p title='>b", "a\nb"),
        ("a</ >b", "ab"),
    ],
)
def test_text_is_what_a_reader_sees(document: str, text: str) -> None:
    """Lines, blanks, entities and things that look like markup."""
    assert render(document).text == text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("<b><div>a</b>b</div>c", "ab\nc"),
        ("<div>a<table><tr><td>b</div>c</table>d</div>e", "a\nbc\nd\ne"),
        ("<table><tr><td>a</table>b</td>c", "a\nbc"),
        ("a</div></b></table>b", "ab"),
        ("<p>a<b>b<p>c", "ab\nc"),
    ],
)
def test_badly_nested_elements_end_where_browsers_end_them(document: str, text: str) -> None:
    """An inline end tag ends no block, and a block no table cell."""
    assert render(document).text == text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ('a<blockquote type="cite"><p>b<p>c<blockquote type=cite>d<br>e</blockquote>f</blockquote>g', "a\n> b\n> c\n>> d\n>> e\n> f\ng"),
        ('<blockquote class="gmail_quote" style="x">a</blockquote>', "> a"),
        ('<blockquote style="BORDER-LEFT: 1px solid">a</blockquote>', "> a"),
        ("<blockquote>only indented</blockquote>", "only indented"),
        ("<blockquote type=cite><pre>a\nb</pre></blockquote>", "> a\n> b"),
        ("<blockquote type=cite>" * 9 + "deep", ">>>>> deep"),
    ],
)
def test_quoted_mails_bear_marks(document: str, text: str) -> None:
    """As in plain text, so that one reader finds them in both."""
    assert render(document).text == text


@pytest.mark.parametrize(
    ("document", "text", "hidden"),
    [
        ('a<p style="display:none">b</p>c', "ac", "b"),
        ('a<p style="DISPLAY : none !important;color:red">b</p>c', "ac", "b"),
        ("a<p hidden>b<i>c</i></p>d", "ad", "bc"),
        ('a<span style="visibility:hidden">b<i style="visibility:visible">c</i></span>d', "acd", "b"),
        ('a<span style="font-size:0">b</span><span style="font-size:1px">c</span>d', "ad", "bc"),
        ('<td style="font-size:0px"><div style="font-size:13px">a</div><div>b</div></td>', "a", "b"),
        ('<td style="font-size:0px"><font size=3>a</font><i style="font-size:2em">b</i><i style="font-size:small">c</i>', "ac", "b"),
        ('<span style="font-size:0em">a</span><span style="font-size:0cm">b</span><span style="font-size:1cm">c</span>', "c", "ab"),
        ('<span style="opacity:0">a</span><span style="opacity:0.5">b</span>', "b", "a"),
        ('<span style="color:transparent">a</span>b', "b", "a"),
        ('<span style="mso-hide:all">a</span>b', "b", "a"),
        ('<div style="max-height:0;overflow:hidden">a</div><div style="max-height:0">b</div>', "b", "a"),
        ('<div style="display:none">a<div>b</div>c</div>d', "d", "a\nb\nc"),
        ('<div style="display:none"><span>a</div>b', "b", "a"),
        ('<div style="display:none"><span></div>b</span>', "b", ""),
        ('<p style="display:none">a<p>b', "b", "a"),
        ("<ul><li hidden>a<li>b</ul>", "• b", "a"),
        ('a<br hidden>b<img alt="Rate us">c', "abc", "Rate us"),
        ('<p hidden>a<br>b<img alt="c"></p>', "", "a\nbc"),
        ('<p style="nonsense;;x">a</p>', "a", ""),
    ],
)
def test_hidden_text_is_kept_apart(document: str, text: str, hidden: str) -> None:
    """What styles take out of sight is not in the text, and not lost."""
    rendered = render(document)
    assert (rendered.text, rendered.hidden) == (text, hidden)


@pytest.mark.parametrize(
    ("document", "links"),
    [
        (
            'a <a href="mailto:x@y.example?subject=a%20b&amp;c=d">the <b>link</b></a> b',
            [("mailto:x@y.example?subject=a%20b&c=d", "the link")],
        ),
        ("<A HREF=x>one</A><a href='y'>two</a>", [("x", "one"), ("y", "two")]),
        ("<a href=x>one<a href=y>two", [("x", "one"), ("y", "two")]),
        ('<a href=" x\n y ">a</a>', [("xy", "a")]),
        ("<a href=x>a<br>b</a>", [("x", "a\nb")]),
        ("<a href=x><p>a</p></a>b", [("x", "a")]),
        ("b<a href=x> <img alt='Rate us'><img alt=y></a>", [("x", "Rate us")]),
        ("<a href=x></a>", [("x", "")]),
        ("<a href=x href=y>a</a>", [("x", "a")]),
        ("<a name=x>a</a>", []),
        ("<p hidden><a href=x>a</a></p>", []),
    ],
)
def test_links_are_found_where_they_stand(document: str, links: list[tuple[str, str]]) -> None:
    """Target and text, and the place in the text."""
    rendered = render(document)
    assert [(link.href, link.text) for link in rendered.links] == links
    for link in rendered.links:
        assert rendered.text[link.start : link.end] in (link.text, "")


def test_a_link_knows_its_place() -> None:
    """Offsets count code points of the text; a picture takes none."""
    rendered = render('Hi <a href="x">you</a> <a href="y"><img alt="z"></a>')
    assert rendered.links == (Link(href="x", text="you", start=3, end=6), Link(href="y", text="z", start=6, end=6))


@given(st.text(st.characters(exclude_characters="\r\x00")))
def test_escaped_text_comes_back(text: str) -> None:
    """Whatever is written as text is seen as text; white space is folded as browsers do."""
    rendered = render(f"<p>{escape(text)}</p>")
    assert rendered.text.split() == text.split()
    assert rendered.hidden == ""


PIECES = [
    "<",
    ">",
    "</",
    "<!--",
    "-->",
    "<!",
    "<?",
    "&",
    "&#",
    ";",
    '"',
    "'",
    "=",
    " ",
    "\n",
    "a",
    "é",
    "<p",
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<div",
    "</div>",
    "<td>",
    "<tr>",
]
PIECES += [
    "</td>",
    "<table>",
    "</table>",
    "<li>",
    "<ol>",
    "</ol>",
    "<a href=x>",
    "</a>",
    "<br>",
    "<pre>",
    "<script>",
    "</script>",
    "<blockquote type=cite>",
    "</blockquote>",
]
PIECES += [
    '<p style="display:none">',
    '<i style="visibility:visible">',
    '<b style="font-size:0">',
    "<img alt=x>",
    "<title>",
    "hidden",
    'style="',
    "&#x1f600;",
    "&nbsp;",
]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_document_is_rendered(document: str) -> None:
    """Nothing raises, links lie in the text, and no line ends in a blank unless it is preformatted."""
    rendered = render(document)
    end = 0
    for link in rendered.links:
        assert end <= link.start <= link.end <= len(rendered.text)
        assert rendered.text[link.start : link.end] == (link.text if link.start < link.end else "")
        end = link.end
    assert "\n\n\n" not in rendered.text
    assert not rendered.text.startswith("\n")
    assert not rendered.text.endswith("\n")


PATTERNS = [
    "<",
    ">",
    "<a ",
    "<a",
    "</",
    "</a",
    "<!--",
    "<!",
    "<?",
    "&",
    "&#9",
    "&#x",
    '"',
    "<a href='",
    '<a x="',
    '<a x=">" ',
    "<b>",
    "</b>",
    "<b></i>",
    "<i><b></i>",
    "<p>",
    "<li>",
    "<ol><li>",
]
PATTERNS += [
    "<td>",
    "<table><tr><td>",
    "<a href=x>",
    "<div><a href=x>y",
    "<blockquote type=cite>x",
    "<script>",
    "<title>x</title>",
    "<br>",
    " ",
    "\n",
    "<pre>\n",
    "<p style='",
]
PATTERNS += ["<div style=display:none>x", "<p hidden>", "<img alt=x>", "a=", "<a a=", "<b><div></b>", "<td></div>", "\x00"]


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("before", ["", "<p title='", '<p style="', "<a href=x><b><td>"])
def test_hostile_documents_take_linear_time(pattern: str, before: str, assert_linear: Callable[..., None]) -> None:
    """No pattern makes rendering slow, wherever it stands."""
    assert_linear(render, pattern, before)

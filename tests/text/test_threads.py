"""Threads: own words, quotations, forwards and signatures, as the mail programs of the world write them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.folding import fold
from optoutkit.text.html import render
from optoutkit.text.lines import read_lines
from optoutkit.text.threads import Thread, split, split_lines
from optoutkit.text.wordlists import LANGUAGES


def parts(text: str, of: str = "own") -> list[str]:
    """What the spans of one kind cover."""
    return [text[span.start : span.end] for span in getattr(split(text), of)]


WROTE = {
    "Gmail": {
        "ar": "في الجمعة، 1 مايو 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Tom <tom@example.com>:",
        "de": "Am Fr., 1. Mai 2026 um 10:00 Uhr schrieb Tom <tom@example.com>:",
        "en": "On Fri, May 1, 2026 at 10:00 AM Tom <tom@example.com> wrote:",
        "es": "El vie, 1 may 2026 a las 10:00, Tom (<tom@example.com>) escribió:",
        "fr": "Le ven. 1 mai 2026 à 10:00, Tom <tom@example.com> a écrit :",
        "hi": "शुक्र, 1 मई 2026 को 10:00 am बजे को Tom <tom@example.com> ने लिखा:",
        "it": "Il giorno ven 1 mag 2026 alle ore 10:00 Tom <tom@example.com> ha scritto:",
        "ja": "2026年5月1日(金) 10:00 Tom <tom@example.com>:",
        "nl": "Op vr 1 mei 2026 om 10:00 schreef Tom <tom@example.com>:",
        "pl": "pt., 1 maj 2026 o 10:00 Tom <tom@example.com> napisał(a):",
        "pt": "Em sex., 1 de mai. de 2026 às 10:00, Tom <tom@example.com> escreveu:",
        "sv": "Den fre 1 maj 2026 kl 10:00 skrev Tom <tom@example.com>:",
        "tr": "Tom <tom@example.com>, 1 May 2026 Cum, 10:00 tarihinde şunu yazdı:",
        "zh": "Tom <tom@example.com> 于2026年5月1日周五 10:00写道：",
    },
    "Apple Mail": {
        "de": "Am 01.05.2026 um 10:00 schrieb Tom <tom@example.com>:",
        "en": "On May 1, 2026, at 10:00 AM, Tom <tom@example.com> wrote:",
        "es": "El 1 may 2026, a las 10:00, Tom <tom@example.com> escribió:",
        "fr": "Le 1 mai 2026 à 10:00, Tom <tom@example.com> a écrit :",
        "it": "Il giorno 1 mag 2026, alle ore 10:00, Tom <tom@example.com> ha scritto:",
        "ja": "2026/05/01 10:00、Tom <tom@example.com>のメール:",
        "nl": "Op 1 mei 2026 om 10:00 heeft Tom <tom@example.com> het volgende geschreven:",
        "pt": "Em 1 de mai. de 2026, à(s) 10:00, Tom <tom@example.com> escreveu:",
        "zh": "2026年5月1日 10:00，Tom <tom@example.com> 写道：",
    },
    "Thunderbird": {
        "de": "Am 01.05.26 um 10:00 schrieb Tom:",
        "en": "On 5/1/26 10:00, Tom wrote:",
        "es": "El 1/5/26 a las 10:00, Tom escribió:",
        "fr": "Le 01/05/2026 à 10:00, Tom a écrit :",
        "it": "Il 01/05/2026 10:00, Tom ha scritto:",
        "nl": "Op 01-05-2026 om 10:00 schreef Tom:",
        "pl": "W dniu 1.05.2026 o 10:00, Tom pisze:",
        "pt": "Em 01/05/2026 10:00, Tom escreveu:",
        "zh": "在 2026/5/1 10:00, Tom 写道:",
    },
    "Yahoo": {"en": "On Friday, May 1, 2026 at 10:00:00 AM GMT+2, Tom <tom@example.com> wrote: "},
    "Zoho": {"en": "---- On Fri, 01 May 2026 10:00:00 +0200 Tom <tom@example.com> wrote ----"},
    "Horde": {"en": "Quoting Tom <tom@example.com>:"},
}
WROTE_LINES = [
    pytest.param(line, id=f"{program}-{language}")
    for program, lines in WROTE.items()
    for language, line in lines.items()
    if language in LANGUAGES
]


@pytest.mark.parametrize("line", WROTE_LINES)
@pytest.mark.parametrize("old", ["> old\n> words\n", "old words\n\nmore of them\n"])
def test_what_follows_an_attribution_is_quoted(line: str, old: str) -> None:
    """With marks or without, on one line or wrapped, folded or not."""
    text = f"Answer.\n\n{line}\n\n{old}"
    assert parts(text) == ["Answer.\n\n"]
    assert parts(text, "quoted") == [text[9:]]
    wrapped = text.replace(" <tom", "\n<tom")
    assert parts(wrapped) == ["Answer.\n\n"]
    folded = fold(text).text
    assert parts(folded) == ["answer.\n\n"]


@pytest.mark.parametrize(
    "line",
    [
        "1 мая 2026 г. 10:00 пользователь Tom <tom@example.com> написал:",
        "Den 01.05.2026 10:00, skrev Tom:",
        "2026-05-01 10:00 GMT+02:00 Tom <tom@example.com>:",
        "2026/5/1 Tom <tom@example.com>",
    ],
)
def test_an_attribution_in_a_language_without_list_is_known_by_what_follows(line: str) -> None:
    """Who and when, a colon, and marks below."""
    assert parts(f"Answer.\n\n{line}\n> old\n") == ["Answer.\n\n"]


@pytest.mark.parametrize(
    "line",
    [
        "On 1 May 2026 you wrote:",
        "Quoting order 302-1234567-1234567:",
        "On this card you wrote:",
        "Our answer, 10:00:",
        "Your text is as follows:",
        "At 10:00 on Friday the driver wrote this, on a card. We could not read it:",
    ],
)
def test_a_sentence_that_ends_in_a_colon_is_no_attribution(line: str) -> None:
    """Without marks below it takes more than a date, and words that stand where they stand in one."""
    text = f"Hello,\n{line}\nHappy birthday\nIs that right?\n"
    assert parts(text) == [text]


def test_answers_between_quotations_are_own() -> None:
    """Each run of marked lines is quoted, what stands between is not."""
    text = "On 1 May 2026 at 10:00 Tom <tom@example.com> wrote:\n> Colour?\nRed.\n\n>> Size?\n> Large?\n\nSmall.\n"
    assert parts(text) == ["Red.\n\n", "Small.\n"]


def test_marks_that_wrapping_tore_off_belong_to_their_line() -> None:
    """An address broken before its end, and mbox's way to write ``From ``."""
    text = "Answer.\n\nAm 1. Mai 2026 um 10:00 schrieb Tom <tom@example.com\n>:\n\n> old\n"
    assert parts(text) == ["Answer.\n\n"]
    text = ">From now on write to us here.\nYes.\n"
    assert parts(text) == [text]


FIELDS = {
    "ar": ("من", "تاريخ الإرسال", "إلى", "الموضوع"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "en": ("From", "Sent", "To", "Subject"),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "fr": ("De", "Envoyé", "À", "Objet"),
    "hi": ("प्रेषक", "भेजा गया", "प्रति", "विषय"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "pt": ("De", "Enviada em", "Para", "Assunto"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "tr": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
}
VALUES = ("Amazon.de <auto-communication@amazon.de>", "Freitag, 1. Mai 2026 10:00", "seller@example.com", "Bestellung 302-1234567-1234567")
EXPECTED = dict(zip(("from", "date", "to", "subject"), VALUES, strict=True))
SHAPES = {
    "plain": "{}: {}\n",
    "French": "{}\u00a0: {}\n",
    "full width": "{}：{}\n",
    "bold": "*{}:* {}\n",
    "Markdown": "**{}**: {}\n",
    "table": "{}:\t{}\n",
    "value below": "{}:\n{}\n",
    "blank lines between": "{}: {}\n\n",
}


@pytest.mark.parametrize("language", [language for language in FIELDS if language in LANGUAGES])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("rule", ["", "________________________________\n", "-----------------\n\n"])
def test_header_lines_announce_an_older_mail(language: str, shape: str, rule: str) -> None:
    """Outlook on desktop, web and telephone, in every language, however the fields are set."""
    block = "".join(shape.format(name, value) for name, value in zip(FIELDS[language], VALUES, strict=True))
    text = f"See below.\n\n{rule}{block}\nDear Seller,\nold\n"
    thread = split(text)
    assert parts(text) == ["See below.\n\n"]
    (forward,) = thread.forwards
    assert forward.headers == EXPECTED
    assert text[forward.start :].startswith(block)
    assert text[forward.body.start : forward.body.end] == "Dear Seller,\nold\n"
    assert (forward.end, forward.level) == (len(text), 0)


BANNERS = [
    *(
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "-----Original Message-----",
        "-------- Weitergeleitete Nachricht --------",
    ),
    *(
        "Anfang der weitergeleiteten Nachricht:",
        "-----Ursprüngliche Nachricht-----",
        "Début du message transféré :",
        "-----Message d’origine-----",
    ),
    *("Inicio del mensaje reenviado:", "-----Mensaje original-----", "Inizio messaggio inoltrato:", "-----Messaggio originale-----"),
    *(
        "転送されたメッセージ：",
        "-------- 転送メッセージ --------",
        "*-------- Original Message --------*",
        "----- Reply message -----",
        "====== Videresendt ======",
    ),
]


@pytest.mark.parametrize("banner", BANNERS)
@pytest.mark.parametrize("own", ["", "Please see to this.\n\n"])
def test_a_banner_above_header_lines_begins_a_forward(banner: str, own: str) -> None:
    """Gmail, Apple Mail, Thunderbird, Yahoo; few header lines will do, and one in an unknown language between rules."""
    text = f"{own}{banner}\n\nFrom: Amazon.de <auto-communication@amazon.de>\nDate: 1 May 2026\n\nold\n"
    thread = split(text)
    assert parts(text) == ([own] if own else [])
    (forward,) = thread.forwards
    assert text[forward.start :].startswith(banner)
    assert forward.headers == {"from": "Amazon.de <auto-communication@amazon.de>", "date": "1 May 2026"}
    assert text[forward.body.start : forward.body.end] == "old\n"


def test_a_banner_without_header_lines_counts_only_below_own_words() -> None:
    """Help desks write such a line on top of their own message."""
    text = "Answer.\n-----Original Message-----\nold\n"
    assert parts(text) == ["Answer.\n"]
    (forward,) = split(text).forwards
    assert (forward.headers, text[forward.body.start : forward.body.end]) == ({}, "old\n")
    text = "-- Please reply above this line --\n\nWe need your house number.\n"
    assert parts(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "From: Leipzig\nTo: Bonn\nDate: 1 May\nYour parcel is on its way.\n",
        "Subject: your engraving\nDate: 1 May\nWe need the text.\n",
        "To: everybody\nHello\n",
        "From: tom@example.com\nHello\n",
    ],
)
def test_a_list_of_labels_is_no_mail(text: str) -> None:
    """From, and a subject or an address, and three fields make header lines; sellers write labels too."""
    assert parts(text) == [text]


def test_a_forward_with_marks_ends_where_they_end() -> None:
    """Apple Mail marks what it forwards; own words may follow."""
    text = "Look:\n\nBegin forwarded message:\n\n> From: A <a@example.com>\n> Subject: S\n> Date: D\n> \n"
    text += "> Dear Seller,\n> one\n>> two\n\nWhat now?\n"
    (forward,) = split(text).forwards
    assert text[forward.body.start : forward.end] == "> Dear Seller,\n> one\n>> two\n\n"
    assert forward.headers == {"from": "A <a@example.com>", "subject": "S", "date": "D"}
    assert forward.level == 0
    assert parts(text) == ["Look:\n\n", "What now?\n"]


def test_forwards_within_quotations_are_told_from_those_of_the_author() -> None:
    """Whoever quotes a support thread that quotes a notice has not forwarded it."""
    block = "From: A <a@example.com>\nSubject: S\nDate: D\n\nold\n\n"
    text = f"Hi.\n\nOn 1 May 2026 at 10:00 Tom <tom@example.com> wrote:\n\nSee:\n\n{block}"
    assert [forward.level for forward in split(text).forwards] == [1]
    text = f"Hi.\n\n{block}{block}"
    assert [forward.level for forward in split(text).forwards] == [0, 1]
    text = "Hi.\n\n> " + block.replace("\n", "\n> ")
    assert [forward.level for forward in split(text).forwards] == [1]
    text = "> > " + block.replace("\n", "\n> > ") + "\n> " + block.replace("\n", "\n> ") + "\nHi.\n"
    thread = split(text)
    assert [forward.level for forward in thread.forwards] == [2, 1]
    assert [text[forward.body.start : forward.end].strip("\n> ") for forward in thread.forwards] == ["old", "old"]


def test_a_long_list_of_recipients_may_be_wrapped() -> None:
    """The lines between two fields belong to the first of them."""
    text = "From: A <a@example.com>\nTo: b@example.com,\n  c@example.com,\n  d@example.com\nSubject: S\n\nold\n"
    (forward,) = split(text).forwards
    assert forward.headers == {"from": "A <a@example.com>", "to": "b@example.com,", "subject": "S"}
    assert text[forward.body.start :] == "old\n"


def test_a_forward_may_be_all_there_is_or_lack_a_body() -> None:
    """No own words above, nothing below."""
    text = "From: A <a@example.com>\nSubject: S\nDate: D"
    thread = split(text)
    assert thread.own == ()
    (forward,) = thread.forwards
    assert (forward.body.start, forward.body.end) == (len(text), len(text))


DOCUMENTS = {
    "Gmail": """<div dir="ltr">Red.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Fri, May 1, 2026 at 10:00 AM Tom
        &lt;<a href="mailto:tom@example.com">tom@example.com</a>&gt; wrote:<br></div>
        <blockquote class="gmail_quote"><p>Colour?</p></blockquote></div>""",
    "Outlook on the web": """<p>Red.</p><hr><div id="divRplyFwdMsg"><b>Von:</b> Tom &lt;tom@example.com&gt;<br><b>Gesendet:</b> Freitag<br>
        <b>An:</b> me<br><b>Betreff:</b> Farbe</div><div>Welche?</div>""",
    "Outlook": """<p class=MsoNormal>Red.</p><div><p class=MsoNormal><b>De&nbsp;:</b> Tom<br><b>Envoyé&nbsp;:</b> vendredi<br>
        <b>À&nbsp;:</b> moi<br><b>Objet&nbsp;:</b> x</p></div><p class=MsoNormal>Quoi ?</p>""",
    "Apple Mail": """<div>Red.</div><div><br><blockquote type="cite"><div>Le 1 mai 2026 à 10:00, Tom
        &lt;tom@example.com&gt; a écrit&nbsp;:</div><div>Quoi ?</div></blockquote></div>""",
    "Thunderbird": """<p>Red.</p><table><tr><th>Subject:</th><td>Colour</td></tr><tr><th>Date:</th><td>Fri</td></tr>
        <tr><th>From:</th><td>Tom</td></tr></table><p>Which?</p>""",
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_the_html_of_mail_programs_is_read_as_well(document: str) -> None:
    """Rendered first, then parted like plain text."""
    assert [part.strip() for part in parts(render(document).text)] == ["Red."]


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (
            "Your order is here.\n\nBest regards,\nTom Miller\nTom's Prints\n+49 30 1234567\n",
            "Best regards,\nTom Miller\nTom's Prints\n+49 30 1234567\n",
        ),
        ("Welche Größe?\n\nMit freundlichen Grüßen\n\nIhr Team von Holz & Co.\n", "Mit freundlichen Grüßen\n\nIhr Team von Holz & Co.\n"),
        ("Quelle taille ?\nCordialement, Anne\n", "Cordialement, Anne\n"),
        ("¿Qué talla?\nSaludos\n", "Saludos\n"),
        ("Text?\n-- \nTom\nRate us!\n", "-- \nTom\nRate us!\n"),
        ("Text?\n--\nTom\n", "--\nTom\n"),
        ("Text?\n\nSent from my iPhone\n", "Sent from my iPhone\n"),
        ("Text?\nSent from Outlook for iOS<https://aka.example/o0>\n", "Sent from Outlook for iOS<https://aka.example/o0>\n"),
        ("サイズを教えてください。\n\nよろしくお願いいたします。\n山田商店\n", "よろしくお願いいたします。\n山田商店\n"),
        ("Text?\nThanks!\nKind regards\nTom\nFollow us on our page, and write to us if you like.\n", None),
        ("Text?\nBest regards\nTom\nP.S. Leave us a review!\n", "Best regards\nTom\n"),
        ("Text?\nBest regards\n\nPS: Leave us a review!\n", "Best regards\n\n"),
    ],
)
def test_a_signature_begins_with_its_separator_or_a_closing(text: str, signature: str | None) -> None:
    """To the end, but for a postscript: that is part of the message."""
    if signature is None:
        signature = text[text.index("Thanks!") :]
    assert "".join(parts(text, "signature")) == signature
    assert fold(text).text.startswith(fold("".join(parts(text))[:5]).text)
    assert list(split(fold(text).text).signature) != [] or not signature


@pytest.mark.parametrize(
    "text",
    [
        "Thank you!\nWe need your house number.\n",
        "Hi Tom,\nThank you!\nPlease send us the text for the engraving, and the size.\n",
        "Hi,\nthanks\nwhich colour?\n",
        "Hi,\nThank you, please answer soon, we can't print before\n",
        "Bonjour,\nMerci\nNous avons besoin de votre numéro de rue.\n",
        "こんにちは。\nよろしくお願いいたします。\nサイズを教えてくださいませんか。\n",
        "Best regards\n",
        "Thanks\nTom\n",
    ],
)
def test_politeness_in_the_middle_is_no_signature(text: str) -> None:
    """A sentence after "Thank you" is no name, and what begins a message does not close it."""
    assert parts(text, "signature") == []


def test_a_closing_far_above_the_end_is_none() -> None:
    """A signature is short."""
    text = "Hello\nBest regards\nTom\n" + "line\n" * 40
    assert parts(text, "signature") == []
    text = "Hello\n--\nTom\n" + "line\n" * 40
    assert parts(text, "signature") == []


def test_signatures_above_a_quotation_and_below_are_found() -> None:
    """Whoever answers on top signs on top."""
    text = "Red.\n\nBest regards\nTom\n\nOn 1 May 2026 at 10:00 Ann <a@example.com> wrote:\n> Colour?\n\n--\nTom\n"
    assert parts(text) == ["Red.\n\n"]
    assert parts(text, "signature") == ["Best regards\nTom\n\n", "--\nTom\n"]


def covered(thread: Thread) -> list[tuple[int, int]]:
    """All spans in order."""
    return sorted((span.start, span.end) for span in (*thread.own, *thread.quoted, *thread.signature))


PIECES = [
    *(
        "\n",
        "\r\n",
        "> ",
        ">> ",
        "--\n",
        "-- \n",
        "Best regards\n",
        "Thank you\n",
        "Tom\n",
        "P.S. x\n",
        "From: a@b\n",
        "To: b\n",
        "Subject: c\n",
        "Date: d\n",
        "Von: a\n",
    ),
    *(
        "From:\n",
        "On 1 May 2026 at 10:00 x@y.example wrote:\n",
        "Am 1.5.2026 um 10:00 schrieb\n",
        "Tom <x@y\n",
        ">:\n",
        "---------- Forwarded message ---------\n",
    ),
    *("Begin forwarded message:\n", "_______\n", "text ", "text?\n", "a: b\n", "<", "\u2028", "\t", "\x0b"),
]


@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
def test_every_text_is_parted_completely(text: str) -> None:
    """Spans are in order, touch one another and cover the text; forwards lie in what is quoted."""
    thread = split(text)
    position = 0
    for start, end in covered(thread):
        assert start == position < end
        position = end
    assert position == len(text)
    for forward in thread.forwards:
        assert 0 <= forward.start <= forward.body.start <= forward.body.end == forward.end <= len(text)
        assert any(span.start <= forward.start < span.end for span in thread.quoted)


PATTERNS = [
    *(
        "\n",
        ">\n",
        "> ",
        "a\n",
        "a:\n",
        "-\n",
        "-- \n",
        "a",
        "From: a@b\nTo: b\nSubject: c\n",
        "> From: a@b\n> To: b\n> Subject: c\n",
        "From:\n",
        "To: x\n\n",
        "a@b:\n",
        "x@y 10:00 schrieb:\n",
    ),
    *(
        "on 1 10:00 x@y wrote:\n",
        "On 1 May 2026 at 10:00 x@y wrote:\n> a\nb\n",
        "Thank you\nx\n",
        "----- original message -----\n",
        "----x----\n",
        "_\n",
        "a<\n> b\n",
        ">" * 50 + "\n",
    ),
    *("on x\non x\n10:00:\n", "\u00a0", "Tom\nBest regards\n> x\n"),
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_hostile_threads_take_linear_time(pattern: str, assert_linear: Callable[..., None]) -> None:
    """No pattern makes parting slow."""
    assert_linear(split, pattern)


@pytest.mark.parametrize("pattern", [">", "> "])
def test_hostile_threads_take_little_memory(pattern: str, assert_frugal: Callable[..., None]) -> None:
    """Marks without end."""
    assert_frugal(split, pattern * 75_000)


HEADER = "From: A <a@x.example>\nDate: d\nSubject: s\n\n"


@pytest.mark.parametrize("text", ["x" * 3_000, "> " + "x" * 3_000, "Tom <tom@\n" + ">" * 3_000 + "x"])
def test_no_line_is_looked_at_whole_that_is_very_long(text: str) -> None:
    """What is remembered of lines is bounded, too."""
    assert max(len(line.content) for line in read_lines(text)) == 500


@pytest.mark.parametrize(
    "text",
    [
        f"Mine.\n\n{HEADER}One\n\n{HEADER}Two\n",
        f"Mine.\n\n> {HEADER.replace(chr(10), chr(10) + '> ')}One\n> > {HEADER.replace(chr(10), chr(10) + '> > ')}Two\n",
        f"> {HEADER.replace(chr(10), chr(10) + '> ')}One\n> > {HEADER.replace(chr(10), chr(10) + '> > ')}Two\nMine.\n",
        f"On 1 May 2026 at 10:00 Tom <tom@example.com> wrote:\n> One\n\n{HEADER}Two\n",
    ],
)
def test_lines_need_not_be_read_to_the_end(text: str) -> None:
    """Who wants no forwards inside a mail that reaches to the end gets all else as it is."""
    lines = read_lines(text)
    whole, shorter = split_lines(lines), split_lines(lines, to_the_end=False)
    assert whole == split(text)
    assert (shorter.own, shorter.quoted, shorter.signature) == (whole.own, whole.quoted, whole.signature)
    assert shorter.forwards == whole.forwards[: len(shorter.forwards)]
    assert {forward.level for forward in whole.forwards[len(shorter.forwards) :]} <= {1, 2}


def test_places_are_those_of_the_lines() -> None:
    """Lines out of the midst of a text are split as if the text began there."""
    above, text = "Above.\n\n", f"Mine.\n\n{HEADER}One\n"
    thread = split_lines(read_lines(above + text)[2:])
    assert [(above + text)[span.start : span.end] for span in thread.own] == parts(text)
    assert thread.forwards[0].body.end == len(above + text)

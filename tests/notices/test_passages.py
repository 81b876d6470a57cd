"""A text cut into the mails it is made of."""

from collections.abc import Callable

from optoutkit.notices.passages import cut

BANNER = "---------- Forwarded message ---------\n"


def passages(text: str, subject: str = "Fwd: x", follows: Callable[[str], bool] = lambda _: True) -> list[tuple[str, str, str, str]]:
    """Sender, subject, date and words of each passage."""
    found = cut(text, sender="me", subject=subject, date="now", follows=follows)
    return [(each.sender, each.subject, each.date, " ".join(each.text.split())) for each in found]


def test_own_words_and_forwards_in_order() -> None:
    """The mail's own words first; then each forward with its header lines, and what that forwards."""
    text = f"FYI\n\n{BANNER}From: A\nDate: d1\nSubject: s1\n\nOne\n\n{BANNER}From: B\nDate: d2\nSubject: s2\n\nTwo\n"
    assert passages(text) == [("me", "Fwd: x", "now", "FYI"), ("A", "s1", "d1", "One"), ("B", "s2", "d2", "Two")]


def test_what_some_forward_is_not_followed() -> None:
    """The mail itself may always forward; what is forwarded, if its sender may."""
    text = f"FYI\n\n{BANNER}From: A\nDate: d1\nSubject: s1\n\nOne\n\n{BANNER}From: B\nDate: d2\nSubject: s2\n\nTwo\n"
    assert [sender for sender, *_ in passages(text, follows=lambda sender: sender == "B")] == ["me", "A"]
    assert [sender for sender, *_ in passages(text, follows=lambda sender: sender == "A")] == ["me", "A", "B"]


def test_places_stay() -> None:
    """The words stand where they stood, so that links can be found among them."""
    text = f"FYI\n\n{BANNER}\n> From: A\n> Date: d\n> Subject: s\n>\n> One\n> > quoted\n> two\n"
    _, forward = cut(text, sender="me", subject="", date="", follows=lambda _: True)
    assert forward.offset == text.index("> One")
    assert len(forward.text) == len(text) - forward.offset  # its last word is the text's
    place = text.index("two")
    assert forward.text[place - forward.offset :].startswith("two")
    assert "quoted" not in forward.text
    assert any(span.start <= place - forward.offset < span.end for span in forward.own)


def test_the_mark_of_a_mailbox_file_is_none_of_a_quotation() -> None:
    """A first line that begins with ">From " bears no mark of quotation, and takes none from the lines below."""
    assert passages(f"{BANNER}From: A\nDate: d\nSubject: s\n\n>From the house:\nOne\n")[1][3] == ">From the house: One"


def test_answers_are_not_forwards() -> None:
    """Header lines without a banner, below an answer's subject; a mark of the mail server before it, or a count in it, changes nothing."""
    block = "From: A <a@x.example>\nSent: today\nTo: B\nSubject: s\n\nOne\n"
    for subject in ("RE: x", "Aw: x", "[EXTERNAL] Re: x", "Re[2]: x", "R: x", "返信：x", "Re : x", "رد: x"):
        assert len(passages(f"No.\n\n{block}", subject)) == 1, subject
    for subject in ("Fwd: x", "WG: x", "x", "", "Recap: x", "[Re: x] y"):
        assert len(passages(f"No.\n\n{block}", subject)) == 2, subject
    assert len(passages(f"No.\n\n{BANNER}{block}", "Re: x")) == 2


def test_what_stands_below_an_attribution_is_quoted() -> None:
    """A forward inside a quotation is not its author's forward."""
    assert (
        len(
            passages(
                f"No.\n\nOn 1 May 2026 at 10:00 Tom <tom@x.example> wrote:\n\n> {BANNER}> From: A\n> Date: d\n> Subject: s\n>\n> One\n"
            )
        )
        == 1
    )


def test_work_is_bounded() -> None:
    """Of forwards without end, the first hundred are read, or as many as stay in proportion to the text."""
    forward = f"{BANNER}From: A\nDate: d\nSubject: s\n\n"
    assert len(passages(forward * 150)) == 100
    assert 3 < len(passages((forward + "word " * 10_000) * 100)) < 50


def test_a_forward_forwarded_by_a_program_that_marks_its_lines() -> None:
    """Each forward bears marks of its own; what the inner mail quotes itself is left out."""
    block = "From: {0}\nDate: d{0}\nSubject: s{0}\n\n"
    inner = f"{block.format('B')}One\n\n> older\ntwo\n"
    outer = f"{block.format('A')}See:\n\n{BANNER}\n{quoted(inner)}"
    text = f"FYI\n\n{BANNER}\n{quoted(outer)}"
    assert passages(text) == [("me", "Fwd: x", "now", "FYI"), ("A", "sA", "dA", "See:"), ("B", "sB", "dB", "One two")]
    *_, last = cut(text, sender="me", subject="", date="", follows=lambda _: True)
    assert last.offset == text.index("> > One")
    assert last.text == f"    One\n    \n{' ' * 11}\n    two\n"


def quoted(text: str) -> str:
    """A text with a mark before each line."""
    return "".join(f"> {line}" for line in text.splitlines(keepends=True))

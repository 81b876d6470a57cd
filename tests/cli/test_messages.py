"""``classify`` and ``check``: messages that have not been sent yet."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.classifier import Topic
from optoutkit.classifier import classify as classify_message
from optoutkit.guard import Guard
from optoutkit.identities import Address, OrderId
from optoutkit.messages import Message
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_store

Run = Callable[..., Any]
Draft = Callable[..., Path]

BUYER, OTHER = Address("5vd9kx2mz7rq8tn@marketplace.amazon.de"), Address("z2wq6xn9kt4vp7h@marketplace.amazon.de")
SUPPLIER = "orders@clay-supplier.example"
ORDER = OrderId("302-4471806-5590237")

ADDRESS_QUESTION = (
    "Hello, the house number is missing in your shipping address. Please send us the house number, we cannot ship without it."
)
REVIEW_REQUEST = "Hello, please leave us a product review on Amazon. Thank you!"


@pytest.fixture
def listed() -> None:
    """BUYER and ORDER are in the default store."""
    with open_store("sqlite:///optouts.db") as store:
        store.record([OptOut(BUYER), OptOut(ORDER)])


class TestClassify:
    """``classify``."""

    def test_json_is_what_the_library_says(self, run: Run, draft: Draft) -> None:
        """Every field of the classification, and offsets that point at the phrase."""
        draft("a.eml", ADDRESS_QUESTION)
        record = run("classify", "a.eml", "--format", "json").record
        expected = classify_message(Message("Your order", ADDRESS_QUESTION + "\n"))
        assert record["file"] == "a.eml"
        assert [record[name] for name in ("critical", "solicits", "topic", "language")] == [True, False, "shipping_address", "en"]
        assert record["confidence"] == pytest.approx(expected.confidence, abs=1e-4)
        assert len(record["evidence"]) == len(expected.evidence) > 0
        for evidence in record["evidence"]:
            text = "Your order" if evidence["part"] == "subject" else ADDRESS_QUESTION
            assert text[evidence["start"] : evidence["end"]] == evidence["text"]
            assert evidence["label"]
            assert evidence["weight"]

    def test_files_folders_and_standard_input_come_in_their_order(self, run: Run, draft: Draft) -> None:
        """Of a folder its .eml files, by name; nothing else in it matters."""
        draft("box/b.eml", REVIEW_REQUEST)
        draft("box/a.EML", ADDRESS_QUESTION)
        draft("box/notes.txt", "x")
        mail = draft("c.eml", REVIEW_REQUEST).read_bytes()
        done = run("classify", "-", "c.eml", "box", "--format", "json", stdin=mail)
        assert done.code == 0
        assert [(record["file"], record["critical"]) for record in done.records] == [
            ("-", False),
            ("c.eml", False),
            (str(Path("box/a.EML")), True),
            (str(Path("box/b.eml")), False),
        ]

    def test_bare_text_needs_no_file(self, run: Run) -> None:
        """A text, a subject, or both."""
        assert run("classify", "--text", ADDRESS_QUESTION).out.startswith("message: critical (shipping address, en, ")
        done = run("classify", "--text", "", "--subject", "Please leave a product review on Amazon", "--format", "json")
        assert (done.record["file"], done.record["topic"]) == (None, "review_request")
        assert run("classify", "--subject", "").out == "message: not critical (other, no text to judge by)\n"

    def test_text_names_verdict_and_phrases(self, run: Run, draft: Draft) -> None:
        """A line for the verdict and one for each phrase; away from a terminal the text itself is not repeated."""
        draft("a.eml", REVIEW_REQUEST)
        first, *phrases = run("classify", "a.eml").out.splitlines()
        assert first.startswith("a.eml: not critical (review request, en, 99% sure)")
        assert all(phrase.split()[0].startswith("-") for phrase in phrases)
        assert any('review request: "' in phrase for phrase in phrases)

    @pytest.mark.parametrize("arguments", [[], ["a.eml", "--text", "x"], ["a.eml", "--subject", "x"]])
    def test_it_wants_either_files_or_text(self, run: Run, arguments: list[str]) -> None:
        """Both, or none, is a slip."""
        done = run("classify", *arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error: Give either files")

    def test_evidence_is_highlighted_on_a_terminal(self, terminal: Run, draft: Draft) -> None:
        """The message is shown with its phrases in colour: green towards critical, red away from it."""
        draft("a.eml", ADDRESS_QUESTION, subject="Your order")
        draft("b.eml", REVIEW_REQUEST)
        shown = terminal("classify", "a.eml", "b.eml").out
        (phrase, *_) = (evidence.text for evidence in classify_message(Message("Your order", ADDRESS_QUESTION)).evidence)
        assert f"\x1b[1;32m{phrase}\x1b[0m" in shown
        (phrase, *_) = (evidence.text for evidence in classify_message(Message("Your order", REVIEW_REQUEST)).evidence)
        assert f"\x1b[1;4;31m{phrase}\x1b[0m" in shown
        assert "Subject: Your order" in shown

    def test_no_color_leaves_marks_that_are_no_colours(self, terminal: Run, draft: Draft) -> None:
        """NO_COLOR (https://no-color.org) turns colours off; what counts is still bold or underlined."""
        draft("a.eml", REVIEW_REQUEST)
        shown = terminal("classify", "a.eml", NO_COLOR="1").out
        assert "\x1b[1;4m" in shown
        assert "31m" not in shown

    def test_what_is_hidden_in_html_is_shown_to_the_user(self, terminal: Run, tmp_path: Path) -> None:
        """Evidence outside of what the buyer sees has a place of its own."""
        html = f"<p>{ADDRESS_QUESTION}</p><p style='display:none'>{REVIEW_REQUEST}</p>"
        (tmp_path / "a.eml").write_text(f"Subject: x\nContent-Type: text/html\n\n{html}")
        shown = terminal("classify", "a.eml", NO_COLOR="1").out
        assert "not shown, but there: " in shown

    def test_control_sequences_of_a_mail_do_not_reach_the_terminal(self, terminal: Run, draft: Draft) -> None:
        """A mail could otherwise clear the screen, or write another verdict over the true one."""
        draft("a.eml", "please \x1b[2J leave\u202e a \x9b1A product review on Amazon\x07", subject="=?utf-8?q?=1B]0;owned=07?=")
        shown = terminal("classify", "a.eml", "--format", "text", NO_COLOR="1", TERM="dumb").out
        assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(shown)
        assert "\N{REPLACEMENT CHARACTER}[2J" in shown


class TestCheck:
    """``check``."""

    def test_each_recipient_has_an_answer(self, run: Run, draft: Draft, listed: None) -> None:
        """JSON is what the guard decides, with file and subject before it."""
        path = draft("a.eml", REVIEW_REQUEST, subject="Hello", to=f"{BUYER}, {OTHER}", cc=SUPPLIER)
        done = run("check", "a.eml", "--format", "json")
        assert done.code == 1
        with open_store("sqlite:///optouts.db") as store:
            verdict = Guard(store).check(path.read_bytes())
        assert done.record == {"file": "a.eml", "subject": "Hello", **verdict.to_dict()}
        answers = [(decision["recipient"], decision["action"]) for decision in done.record["decisions"]]
        assert answers == [(str(BUYER), "suppress"), (str(OTHER), "send"), (SUPPLIER, "send")]

    def test_text_says_why(self, run: Run, draft: Draft, listed: None) -> None:
        """Draft and subject, recipients, reasons, and a sum at the end."""
        path = draft("a.eml", REVIEW_REQUEST, to=str(BUYER))
        draft("b.eml", ADDRESS_QUESTION, to=str(BUYER))
        with open_store("sqlite:///optouts.db") as store:
            verdict = Guard(store).check(path.read_bytes())
        done = run("check", "a.eml", "b.eml")
        assert done.code == 1
        assert done.out.splitlines() == [
            'a.eml: "Your order"',
            f"  suppress  {BUYER}",
            f"            {verdict.decisions[0].explanation}",
            'b.eml: "Your order"',
            f"  send      {BUYER}",
            "            It may go: it is critical to the order (topic: shipping address), which an opt-out does not stop.",
            "drafts: 2; recipients to send: 1, suppress: 1, hold: 0",
        ]

    def test_a_bug_in_a_store_is_told_by_its_kind(self, run: Run, draft: Draft, listed: None, monkeypatch: pytest.MonkeyPatch) -> None:
        """In a backend of somebody else's, say: nobody knows what stands in the text of its error."""

        def fail(*_args: Any, **_options: Any) -> None:
            raise KeyError("postgresql://me:password@example.com")

        monkeypatch.setattr("optoutkit.stores.sqlite.SqliteStore.lookup", fail)
        draft("a.eml", REVIEW_REQUEST, to=str(BUYER))
        done = run("check", "a.eml")
        assert done.code == 2
        assert "the store failed: KeyError" in done.err
        assert "password" not in done.err

    def test_what_is_known_is_shown_too(self, run: Run, draft: Draft, listed: None) -> None:
        """Even where it does not matter, as the draft is critical; as text and as JSON."""
        draft("a.eml", ADDRESS_QUESTION, to=str(BUYER))
        done = run("check", "a.eml", "--explain")
        assert done.code == 0
        assert done.out.splitlines()[3] == f"  {BUYER} is on the opt-out list: buyer opt out, since when is not known."
        (finding,) = run("check", "a.eml", "--explain", "--format", "json").record["findings"]
        assert (finding["asked"], finding["by_link"], finding["opt_out"]["identity"]) == (BUYER.key, False, BUYER.key)

    @pytest.mark.parametrize(
        ("options", "code", "reason"),
        [
            ([], 1, "opted_out"),
            (["--exit-zero"], 0, "opted_out"),
            (["--reply"], 0, "declared_reply"),
            (["--reply", "--policy", "strict"], 1, "opted_out"),
            (["--custom-order"], 0, "custom_order"),
            (["--topic", "shipping_address"], 1, "opted_out"),  # it solicits
            (["--policy", "audit"], 0, "opted_out"),
            (["--seller", "another"], 0, "not_opted_out"),
        ],
    )
    def test_options_and_exit_codes(self, run: Run, draft: Draft, listed: None, options: list[str], code: int, reason: str) -> None:
        """What only the caller knows changes the answer; the exit code tells whether everything may go."""
        draft("a.eml", REVIEW_REQUEST, to=str(BUYER))
        done = run("check", "a.eml", "--format", "json", *options)
        assert done.code == code
        (decision,) = done.record["decisions"]
        assert decision["reason"] == reason

    def test_a_declared_topic_is_believed(self, run: Run, draft: Draft, listed: None) -> None:
        """The classifier cannot know what a terse message is about; its sender does."""
        draft("a.eml", "As discussed.", to=str(BUYER))
        assert run("check", "a.eml").code == 1
        assert run("check", "a.eml", "--topic", Topic.CUSTOMIZATION.value).code == 0

    def test_orders_are_known_from_the_draft_or_the_caller(self, run: Run, draft: Draft, listed: None) -> None:
        """An opt-out by order holds for the buyer of a draft about it, and for a draft without recipient."""
        draft("a.eml", REVIEW_REQUEST, to=str(OTHER))
        assert run("check", "a.eml").code == 0
        assert run("check", "a.eml", "--order-id", ORDER).code == 1
        draft("b.eml", REVIEW_REQUEST, subject=f"Your order {ORDER}")
        (decision,) = run("check", "b.eml", "--format", "json").record["decisions"]
        assert (decision["recipient"], decision["action"]) == (str(ORDER), "suppress")

    def test_nothing_is_written(self, run: Run, draft: Draft, listed: None) -> None:
        """Not even what order belongs to whom."""
        draft("a.eml", REVIEW_REQUEST, subject=f"Your order {ORDER}", to=str(OTHER))
        run("check", "a.eml")
        with open_store("sqlite:///optouts.db") as store:
            assert OTHER not in store.lookup([OTHER])

    def test_a_draft_without_anybody_is_told(self, run: Run, draft: Draft, listed: None) -> None:
        """It would not be sent to anybody, which is hardly meant; the others are checked."""
        draft("a.eml", REVIEW_REQUEST)
        draft("b.eml", REVIEW_REQUEST, to=str(OTHER))
        done = run("check", "a.eml", "b.eml")
        assert done.code == 2
        assert done.err == "error: a.eml: it names neither a recipient (To, Cc, Bcc) nor an order: add one, or give --order-id\n"
        assert done.out.endswith("drafts: 1; recipients to send: 1, suppress: 0, hold: 0\n")

    @pytest.mark.parametrize("exit_zero", [[], ["--exit-zero"]])
    def test_an_outage_means_try_again(self, run: Run, draft: Draft, silent_store: str, exit_zero: list[str]) -> None:
        """What is critical goes, the rest waits, and the exit code says so even if refusals are not to count."""
        draft("a.eml", REVIEW_REQUEST, to=f"{BUYER}, {SUPPLIER}")
        draft("b.eml", ADDRESS_QUESTION, to=str(BUYER))
        done = run("check", "a.eml", "b.eml", "--store", silent_store, "--format", "json", *exit_zero)
        assert done.code == 75
        assert [decision["action"] for record in done.records for decision in record["decisions"]] == ["hold", "send", "send"]
        assert done.err == "error: the database is locked\n"

    def test_a_damaged_store_is_told_once_and_not_to_be_tried_again(self, run: Run, draft: Draft, tmp_path: Path) -> None:
        """What is critical goes, the rest is held, and there is one line however many drafts there are."""
        run("add", BUYER)
        store = (tmp_path / "optouts.db").read_bytes()
        (tmp_path / "optouts.db").write_bytes(store[:4096] + b"\xaa" * (len(store) - 4096))
        draft("box/a.eml", REVIEW_REQUEST, to=str(BUYER))
        draft("box/b.eml", REVIEW_REQUEST, to=str(BUYER))
        draft("box/c.eml", ADDRESS_QUESTION, to=str(BUYER))
        done = run("check", "box", "--format", "json")
        assert done.code == 2
        assert [decision["action"] for record in done.records for decision in record["decisions"]] == ["hold", "hold", "send"]
        assert done.err.count("\n") == 1
        assert "it is damaged: restore it from a backup" in done.err

    def test_nothing_is_summed_up_where_nothing_was_checked(self, run: Run) -> None:
        """The error is all there is to say."""
        assert run("check", "missing.eml", "--store", "memory://").out == ""

    def test_a_store_that_is_not_there_is_a_slip(self, run: Run, draft: Draft, tmp_path: Path) -> None:
        """An empty list made by a typing error would let everything go."""
        draft("a.eml", REVIEW_REQUEST, to=str(BUYER))
        done = run("check", "a.eml", "--store", "sqlite:///optout.db")
        assert (done.code, done.out) == (2, "")
        assert (
            done.err == 'error: optout.db: there is no such store yet; make it with "ingest" or "add", or name another one with --store\n'
        )
        assert not (tmp_path / "optout.db").exists()

    def test_colours_tell_what_may_go(self, terminal: Run, draft: Draft, listed: None) -> None:
        """Green may go, red must not."""
        draft("a.eml", REVIEW_REQUEST, to=f"{BUYER}, {OTHER}")
        shown = terminal("check", "a.eml").out
        assert "\x1b[1;31msuppress" in shown
        assert "\x1b[1;32msend" in shown


class TestBadInput:
    """What both do with what is no mail."""

    @pytest.mark.parametrize("command", ["classify", "check"])
    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "not an e-mail: it has no header fields such as From: or Subject:"),
            (b"Dear Daniel,\n\nhello\n", "not an e-mail: it has no header fields such as From: or Subject:"),
            (bytes(range(256)) * 9, "not an e-mail: it has no header fields such as From: or Subject:"),
            (b"Subject: x\n\n" + b"x" * (32 * 2**20), "longer than a mail may be (33,554,432 bytes)"),
            (
                b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * 1_001 + b"--x--\n",
                "the mail has more than ",
            ),
        ],
        ids=["empty", "text", "binary", "huge", "parts"],
    )
    def test_one_line_for_each_and_the_rest_is_done(
        self, run: Run, draft: Draft, tmp_path: Path, command: str, content: bytes, why: str
    ) -> None:
        """A bad file does not keep the good one from being looked at."""
        (tmp_path / "bad.eml").write_bytes(content)
        draft("good.eml", ADDRESS_QUESTION, to=str(BUYER))
        store = ["--store", "memory://"] if command == "check" else []
        done = run(command, "bad.eml", "good.eml", *store)
        assert done.code == 2
        assert done.err.count("\n") == 1
        assert done.err.startswith(f"error: bad.eml: {why}")
        assert "good.eml: " in done.out

    def test_standard_input_has_a_name(self, run: Run) -> None:
        """In the error."""
        assert run("classify", "-").err.startswith("error: standard input: not an e-mail")

    def test_missing_files_and_empty_folders(self, run: Run, tmp_path: Path) -> None:
        """One line each."""
        (tmp_path / "empty").mkdir()
        done = run("classify", "missing.eml", "empty")
        assert done.code == 2
        assert done.err.splitlines() == [
            "error: missing.eml: cannot be read: No such file or directory",
            "error: empty: there is no .eml file in this folder",
        ]

    def test_a_file_and_a_folder_that_may_not_be_read(self, run: Run, draft: Draft, tmp_path: Path, unprivileged: Any) -> None:
        """One line each, and the others are looked at."""
        draft("secret.eml", ADDRESS_QUESTION).chmod(0)
        draft("secrets/a.eml", ADDRESS_QUESTION).parent.chmod(0)
        draft("good.eml", ADDRESS_QUESTION)
        run("classify", "good.eml")  # loads what it needs
        tmp_path.chmod(0o755)
        with unprivileged():
            done = run("classify", "secret.eml", "secrets", "secrets/a.eml", "good.eml")
        (tmp_path / "secrets").chmod(0o700)
        assert done.code == 2
        assert done.err.splitlines() == [
            "error: secret.eml: cannot be read: Permission denied",
            "error: secrets: cannot be read: Permission denied",
            "error: secrets/a.eml: cannot be read: Permission denied",
        ]
        assert done.out.startswith("good.eml: critical")

    def test_a_name_that_is_no_unicode(self, process: Run, tmp_path: Path) -> None:
        """A file may be called anything."""
        (tmp_path / "b\udcffd.eml").write_bytes(b"Subject: Please leave a product review\n\n")
        done = process("classify", ".", "--format", "json")
        assert (done.code, done.record["file"]) == (0, "b\udcffd.eml")
        assert process("classify", "b\udcffd.eml").code == 0

"""``lint``: messages and templates held against Amazon's guidelines."""

import builtins
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from optoutkit.guidelines import rules

Run = Callable[..., Any]
Draft = Callable[..., Path]

ORDER = "302-1234567-7654321"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file: ``write("a.txt", "text")``."""

    def write(name: str, text: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return name

    return write


class TestText:
    """For people."""

    def test_places_are_those_of_the_file(self, run: Run, write: Callable[..., str]) -> None:
        """Line and column count from 1, columns in characters; line ends and a byte order mark do not matter."""
        write("a.txt", f"\ufeffOrder {ORDER}\r\n\r\nDü bist 👍 toll\r\nhelp@shop.example\r\n")
        write("b.html", "<p>\n  Order {{order_id}}\n  <b style='color:red'>x</b></p>")
        done = run("lint", "a.txt", "b.html")
        assert done.out.splitlines() == [
            "a.txt:3:9: emoji: A message must hold no emoji. (👍)",
            "a.txt:4:1: email_address: E-mail addresses must not stand in a message. (help@shop.example)",
            "b.html:3:3: text_colour: Colours of text of your own are not allowed. (<b style='color:red'>)",
            "files: 2; rules broken: 3",
        ]
        assert done.code == 1
        assert done.err == ""

    def test_places_of_a_mail_are_those_of_its_parts(self, run: Run, draft: Draft) -> None:
        """Named behind the file; the whole message has no part."""
        draft("a.eml", "Dear Anna,\n\nwhich colour? 😊", subject="Please 😊 answer")
        assert run("lint", "a.eml").out.splitlines() == [
            "a.eml (subject):1:8: emoji: A message must hold no emoji. (😊)",
            "a.eml (body):3:15: emoji: A message must hold no emoji. (😊)",
            "a.eml:1:1: missing_order_id: A message must hold the 17-digit order ID.",
            "files: 1; rules broken: 3",
        ]

    def test_nothing_broken_is_done(self, run: Run, write: Callable[..., str]) -> None:
        """With exit code 0."""
        done = run("lint", write("a.txt", f"Order {ORDER}: which colour?"))
        assert (done.code, done.out) == (0, "files: 1; rules broken: 0\n")

    def test_long_texts_are_cut(self, run: Run, write: Callable[..., str]) -> None:
        """And are on one line."""
        out = run("lint", write("a.txt", f"Order {ORDER} https://shop.example/{'a' * 100}")).out
        assert out.splitlines()[0].endswith(f" (https://shop.example/{'a' * 28}…)")

    def test_rules_are_in_colour_on_a_terminal(self, terminal: Run, write: Callable[..., str]) -> None:
        """There and nowhere else."""
        write("a.txt", f"Order {ORDER} 😊")
        assert "\x1b[1;31memoji" in terminal("lint", "a.txt").out


class TestOptions:
    """What is looked for."""

    def test_rules_can_be_skipped(self, run: Run, write: Callable[..., str]) -> None:
        """A wrong name is answered with all there are."""
        write("a.txt", "Hello 😊")
        assert run("lint", "a.txt", "--skip", "emoji", "--skip", "missing_order_id").code == 0
        done = run("lint", "a.txt", "--skip", "emojis")
        assert done.code == 2
        assert "there is no rule 'emojis'; there are: external_link" in done.err

    def test_domains_can_be_allowed(self, run: Run, write: Callable[..., str]) -> None:
        """With what is below them."""
        write("a.txt", f"Order {ORDER} https://a.shop.example/ https://b.example/")
        assert run("lint", "a.txt", "--allow", "shop.example", "--allow", "b.example").code == 0

    def test_the_language_can_be_told(self, run: Run, write: Callable[..., str]) -> None:
        """What is in another one breaks a rule."""
        write("a.txt", f"Which of the names shall we engrave on the ring of your order {ORDER}, and in which of the letters?")
        assert run("lint", "a.txt", "--language", "en").code == 0
        assert "other_language" in run("lint", "a.txt", "--language", "de").out


class TestFiles:
    """What is read."""

    def test_folders_are_walked(self, run: Run, write: Callable[..., str]) -> None:
        """Files of the kinds that it knows, by name, and those below."""
        for name in ("box/b.txt", "box/a.HTML", "box/sub/c.htm", "box/notes.md"):
            write(name, "😊")
        files = [record["file"] for record in run("lint", "box", "--format", "json", "--skip", "missing_order_id").records]
        assert files == ["box/a.HTML", "box/b.txt", "box/sub/c.htm"]

    def test_a_folder_without_such_files_is_an_error(self, run: Run, write: Callable[..., str]) -> None:
        """It is a slip of the pen."""
        write("box/notes.md", "😊")
        done = run("lint", "box")
        assert done.code == 2
        assert done.err == "error: box: there is no file in this folder whose name ends in .eml, .html, .htm, .txt\n"

    def test_what_cannot_be_read_is_told_and_the_rest_is_done(
        self, run: Run, write: Callable[..., str], tmp_path: Path, unprivileged: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """Bad input before findings, in the exit code."""
        write("a.txt", "😊")
        write("b.eml", "no mail")
        write("box/closed/c.txt", "x")
        (tmp_path / "box" / "closed").chmod(0)
        tmp_path.chmod(0o755)
        run("lint", "a.txt")  # what is imported late may be out of reach for somebody else
        with unprivileged():
            done = run("lint", "missing.txt", "a.txt", "b.eml", "box")
        (tmp_path / "box" / "closed").chmod(0o755)
        assert done.code == 2
        assert "a.txt:1:1: emoji" in done.out
        assert done.err.splitlines() == [
            "error: missing.txt: cannot be read: No such file or directory",
            "error: b.eml: not an e-mail: it has no header fields such as From: or Subject:",
            "error: box/closed: cannot be read: Permission denied",
        ]

    def test_what_is_too_large_is_told(self, run: Run, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
        """By bytes, and by parts of a mail."""
        write("parts.eml", "Content-Type: multipart/mixed; boundary=x\n\n" + "--x\n\na\n" * 1001)
        monkeypatch.setattr("optoutkit.cli.inputs._LONGEST", 20_000)
        write("a.txt", "x" * 20_001)
        done = run("lint", "a.txt", "parts.eml")
        assert done.code == 2
        assert "a.txt: longer than a mail may be (20,000 bytes)" in done.err
        assert "parts.eml: the mail has more than 1000 parts" in done.err

    @pytest.mark.parametrize(
        ("text", "part", "line"),
        [
            ("Hello 😊", "body", 1),
            ("Note: this is a text\n\nHello 😊", "body", 3),
            ("<!DOCTYPE html>\n<p>Hello 😊", "html", 2),
            ("\ufeff\n<div>Hello 😊</div>", "html", 2),
            ("Subject: x\n\nHello 😊", "body", 1),
        ],
    )
    def test_the_kind_of_standard_input_is_found_out(self, run: Run, text: str, part: str, line: int) -> None:
        """By what it looks like."""
        done = run("lint", "-", "--format", "json", "--skip", "missing_order_id", stdin=text.encode())
        assert (done.record["file"], done.record["part"], done.record["line"]) == ("-", part, line)


def test_json_has_all_of_a_finding(run: Run, write: Callable[..., str]) -> None:
    """One object a line."""
    write("a.txt", f"Order {ORDER}\n😊")
    assert run("lint", "a.txt", "--format", "json").records == [
        {
            "file": "a.txt",
            "part": "body",
            "line": 2,
            "column": 1,
            "rule": "emoji",
            "explanation": "A message must hold no emoji.",
            "text": "😊",
            "start": 26,
            "end": 27,
            "checked": True,
        }
    ]


@pytest.fixture
def without_phonenumbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    importing = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "phonenumbers":
            raise ImportError(name)
        return importing(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)


@pytest.mark.usefixtures("without_phonenumbers")
def test_a_rule_that_was_not_checked_is_noted_once(run: Run, write: Callable[..., str]) -> None:
    """And does not count."""
    for name in ("a.txt", "b.txt"):
        write(name, f"Order {ORDER}, call 0161 496 0000")
    done = run("lint", "a.txt", "b.txt")
    assert (done.code, done.out) == (0, "files: 2; rules broken: 0\n")
    assert done.err.count("note: phone_number was not checked: ") == 1
    assert "pip install 'optoutkit[phones]'" in done.err
    assert [record["checked"] for record in run("lint", "a.txt", "--format", "json").records] == [False]
    assert run("lint", "a.txt", "b.txt", "--format", "github").out.count("::notice title=phone_number::The rule") == 1
    (sarif_run,) = json.loads(run("lint", "a.txt", "b.txt", "--format", "sarif").out)["runs"]
    (notification,) = sarif_run["invocations"][0]["toolExecutionNotifications"]
    assert notification["associatedRule"]["id"] == "phone_number"
    assert sarif_run["results"] == []


class TestSarif:
    """For code scanning."""

    def test_document(self, run: Run, write: Callable[..., str]) -> None:
        """Version, all rules with their explanations, results with their regions; one document however many files."""
        write("my box/a.txt", f"Order {ORDER}\nHi 😊")
        write("b.txt", "Hi {name}")
        done = run("lint", "my box", "b.txt", "--format", "sarif")
        document = json.loads(done.out)
        assert done.code == 1
        assert document["version"] == "2.1.0"
        (found,) = document["runs"]
        driver = found["tool"]["driver"]
        assert [rule["id"] for rule in driver["rules"]] == list(rules())
        assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
        assert found["columnKind"] == "unicodeCodePoints"
        assert found["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]
        emoji, order = found["results"]
        assert driver["rules"][emoji["ruleIndex"]]["id"] == emoji["ruleId"] == "emoji"
        assert emoji["locations"][0]["physicalLocation"] == {
            "artifactLocation": {"uri": "my%20box/a.txt"},
            "region": {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 5},
        }
        assert order["ruleId"] == "missing_order_id"
        assert order["locations"][0]["physicalLocation"]["region"]["startLine"] == 1

    def test_lines_of_a_mail_are_told_in_words(self, run: Run, draft: Draft) -> None:
        """They are not those of the file."""
        draft("a.eml", f"{ORDER}\n\nHi 😊")
        (result,) = json.loads(run("lint", "a.eml", "--format", "sarif").out)["runs"][0]["results"]
        (location,) = result["locations"]
        assert "region" not in location["physicalLocation"]
        assert location["logicalLocations"] == [{"name": "body", "kind": "member"}]
        assert result["message"]["text"] == "body, line 3, column 4: A message must hold no emoji. (😊)"

    def test_what_could_not_be_read_is_no_success(self, run: Run, write: Callable[..., str]) -> None:
        """The document is there all the same."""
        done = run("lint", "missing.txt", write("a.txt", f"{ORDER} 😊"), "--format", "sarif")
        assert done.code == 2
        assert json.loads(done.out)["runs"][0]["invocations"][0]["executionSuccessful"] is False


class TestGitHub:
    """For a workflow."""

    def test_commands(self, run: Run, write: Callable[..., str], draft: Draft) -> None:
        """Beside lines of a file; in a mail the line is told in words."""
        write("a.txt", f"Order {ORDER}\n😊")
        write("b.html", "<p>{order_id}</p>\n<img\nsrc=a.gif>")
        draft("c.eml", f"{ORDER}\n\nHi 😊")
        assert run("lint", "a.txt", "b.html", "c.eml", "--format", "github").out.splitlines() == [
            "::warning file=a.txt,line=2,endLine=2,col=1,endColumn=2,title=emoji::A message must hold no emoji. (😊)",
            "::warning file=b.html,line=2,endLine=3,col=1,title=gif::A message must hold no GIF. (<img src=a.gif>)",
            "::warning file=c.eml,title=emoji::body, line 3: A message must hold no emoji. (😊)",
        ]

    def test_commands_cannot_be_forged(self, run: Run, write: Callable[..., str]) -> None:
        """Neither by a file's name nor by what stands in it."""
        write("a,b:c%.txt", f"Order {ORDER}: a%0A::error::x@shop.example and\nhttps://shop.example/100%25\n")
        shown = run("lint", "a,b:c%.txt", "--format", "github").out
        assert all(line.startswith("::warning file=a%2Cb%3Ac%25.txt,line=") for line in shown.splitlines())
        assert "(https://shop.example/100%2525)" in shown

"""``parse`` and ``ingest``: Amazon's notices, from a mail to the store."""

import mailbox
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.identities import Address, OrderId
from optoutkit.intake import intake as intake_room
from optoutkit.notices import parse_notice
from optoutkit.optouts import OptOut
from optoutkit.stores.opening import open_store

Run = Callable[..., Any]

BUYER, ORDER = Address("3kq7vz2hx9tw4bd@marketplace.amazon.it"), OrderId("404-5812973-2204361")
URI = "sqlite:///optouts.db"
SENDER = '"Amazon.it" <auto-communication@amazon.it>'
TRUSTED = ("--minimum-trust", "unverified")
ORDINARY = b"From: anna@example.com\r\nSubject: clay\r\n\r\n200 kg, please\r\n"
RESTRICTED = (
    b"From: auto-communication@amazon.com\r\nSubject: Your message to a buyer could not be delivered\r\n\r\nDear Seller,\r\n\r\n"
    b"Your message for order [113-4027739-8802615] was not delivered "
    b"because your account was restricted from sending proactive messages.\r\n"
)


def notice(order: OrderId = ORDER, *, buyer: Address = BUYER, sender: str = SENDER) -> bytes:
    """A notice in the layout that names the buyer in a link."""
    return (
        f"From: {sender}\r\nTo: me@shop.example\r\nSubject: Il tuo messaggio all'acquirente\r\nDate: Mon, 21 Sep 2026 14:18:33 +0000\r\n"
        "Message-ID: <0102@eu-west-1.amazonses.com>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
        "X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\nX-Marketplace-ID: APJ6JRA9NG5V4\r\n\r\n"
        f"<p>Gentile Venditore,</p><p>Non siamo stati in grado di recapitare il messaggio che hai inviato per l'ordine [{order}] "
        f"perch&eacute; l'acquirente ha scelto di non ricevere messaggi non richiesti dai venditori."
        f' <a href="mailto:{buyer}">Scrivi</a></p>\r\n'
    ).encode()


def entries(seller: str = "") -> set[str]:
    """The keys of what is in the default store."""
    with open_store(URI) as store:
        return {entry.identity.key for entry in store.scan(seller=seller)}


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A file with a notice in it."""
    path = tmp_path / "a.eml"
    path.write_bytes(notice())
    return path


@pytest.fixture
def danish(tmp_path: Path) -> bytes:
    """A notice in a wording that only the file da.toml knows."""
    clause = "fordi køberen har valgt ikke at modtage uopfordrede beskeder"
    (tmp_path / "da.toml").write_text(f'language = "da"\n[[wordings]]\nkind = "opt_out"\nclause = "{clause}"\n', encoding="utf-8")
    return f"From: {SENDER}\n\nVi kunne ikke levere din besked om ordre {ORDER}, {clause}.".encode()


class TestParse:
    """``parse``."""

    def test_json_is_what_the_library_says(self, run: Run, mail: Path) -> None:
        """Every field of the notice but its source."""
        expected = parse_notice(notice())
        assert expected is not None
        done = run("parse", "a.eml", "--format", "json")
        assert (done.code, done.record["file"]) == (0, "a.eml")
        assert done.record["notice"] == {
            "kind": "opt_out",
            "order_ids": [str(ORDER)],
            "buyer": str(BUYER),
            "marketplace": "amazon.it",
            "language": "it",
            "form": "direct",
            "sent_at": "2026-09-21T14:18:33+00:00",
            "message_id": "<0102@eu-west-1.amazonses.com>",
            "confidence": pytest.approx(expected.confidence, abs=1e-4),
            "evidence": [
                {"kind": found.kind, "text": found.text, "source": found.source, "verified": found.verified} for found in expected.evidence
            ],
        }

    def test_text_shows_every_field(self, run: Run, mail: Path) -> None:
        """And what it was known by."""
        done = run("parse", "a.eml")
        assert done.out.startswith("a.eml: opt-out notice (")
        for value in (ORDER, BUYER, "amazon.it", "direct", "2026-09-21T14:18:33+00:00", "BUYER_OPTED_OUT_BSM_MESSAGES", "ha scelto di non"):
            assert str(value) in done.out

    def test_what_a_notice_does_not_say_is_a_dash(self, run: Run) -> None:
        """So that nobody takes the next field for it."""
        lines = run("parse", "-", stdin=RESTRICTED).out.splitlines()
        assert lines[0].startswith("-: account restricted notice")
        assert [line.split()[1] for line in lines if line.split()[0] in ("buyer", "Message-ID")] == ["-", "-"]

    def test_any_other_mail_is_no_notice(self, run: Run) -> None:
        """Which is an answer, and no error."""
        assert run("parse", "-", stdin=ORDINARY).out == "-: no notice\n"
        assert run("parse", "-", "--format", "json", stdin=ORDINARY).record == {"file": "-", "notice": None}

    def test_wordings_of_the_users_own(self, run: Run, danish: bytes) -> None:
        """What is in the file is known beside what is known anyway."""
        assert run("parse", "-", stdin=danish).out == "-: no notice\n"
        done = run("parse", "-", "--wordings", "da.toml", "--format", "json", stdin=danish)
        assert (done.record["notice"]["kind"], done.record["notice"]["language"]) == ("opt_out", "da")
        assert run("parse", "-", "--wordings", "da.toml", stdin=RESTRICTED).out.startswith("-: account restricted notice")

    def test_a_mail_beyond_the_limits_is_told(self, run: Run, mail: Path, tmp_path: Path) -> None:
        """The others are shown."""
        (tmp_path / "b.eml").write_bytes(b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\n" * 2000 + b"--x--\n")
        done = run("parse", "b.eml", "a.eml")
        assert done.code == 2
        assert done.err.startswith("error: b.eml: the mail has more than ")
        assert done.out.startswith("a.eml: opt-out notice")


class TestIngest:
    """``ingest``."""

    def test_notices_get_into_the_store(self, run: Run, mail: Path) -> None:
        """By order and by buyer; what was known before is said to be."""
        done = run("ingest", "a.eml", *TRUSTED)
        assert done.code == 0
        first, last = done.out.splitlines()
        assert first == f"recorded     a.eml: opt-out, order {ORDER}, buyer {BUYER}"
        assert last == "mails: 1; recorded: 1, known: 0, ignored: 0, quarantined: 0, retry: 0"
        assert entries() == {BUYER.key, ORDER.key}
        assert run("ingest", "a.eml", *TRUSTED).out.startswith("known        a.eml: ")

    def test_json_tells_what_became_of_each_mail(self, run: Run, mail: Path) -> None:
        """What it says, how far it is trusted, and what is in the store because of it."""
        record = run("ingest", "a.eml", *TRUSTED, "--seller", "s1", "--format", "json").record
        assert record["notice"] == run("parse", "a.eml", "--format", "json").record["notice"]
        assert len(record["mail_id"]) == 16
        del record["notice"], record["mail_id"]
        recorded = run("list", "--seller", "s1", "--format", "json").records
        assert sorted(record.pop("recorded"), key=str) == sorted(recorded, key=str)
        assert record == {
            "file": "a.eml", "status": "recorded", "reason": "", "trust": "unverified", "contradicted": [], "is_set_aside": False,
        }  # fmt: skip
        assert entries() == set()

    def test_wordings_of_the_users_own(self, run: Run, danish: bytes) -> None:
        """What they find is recorded."""
        run("ingest", "-", *TRUSTED, stdin=danish)
        assert entries() == set()
        run("ingest", "-", "--wordings", "da.toml", *TRUSTED, stdin=danish)
        assert entries() == {ORDER.key}

    def test_mail_that_is_no_notice_is_only_counted(self, run: Run, tmp_path: Path) -> None:
        """Unless it is asked for; a notice of another kind is always shown."""
        (tmp_path / "box").mkdir()
        (tmp_path / "box" / "a.eml").write_bytes(ORDINARY)
        (tmp_path / "box" / "b.eml").write_bytes(RESTRICTED)
        (tmp_path / "box" / "notes.txt").write_bytes(b"what I know of this\n")
        shown = "ignored      box/b.eml: account restricted, order 113-4027739-8802615\n"
        summed = "mails: 3; recorded: 0, known: 0, ignored: 3, quarantined: 0, retry: 0\n"
        assert run("ingest", "box").out == shown + summed
        done = run("ingest", "box", "--verbose")
        assert (done.code, done.err) == (0, "")
        assert done.out == "ignored      box/a.eml: no notice\n" + shown + "ignored      box/notes.txt: no notice\n" + summed

    def test_what_is_not_proved_is_not_recorded(self, run: Run, mail: Path) -> None:
        """It is told that this is the owner's to decide, and where the mail is."""
        done = run("ingest", "a.eml")
        assert done.code == 0
        assert done.out.startswith(f"quarantined  a.eml: opt-out, order {ORDER}, buyer {BUYER}; its sender is not proved")
        hint, place = done.err.splitlines()
        assert hint.startswith("note: could not be verified: 1. ")
        assert '--minimum-trust unverified ("this mailbox is mine")' in hint
        assert place == "note: what was quarantined stayed where it was; --quarantine DIR keeps copies"
        assert entries() == set()

    def test_an_owner_who_trusts_the_mailbox_is_reminded(self, run: Run, mail: Path) -> None:
        """That nothing was verified, and whose choice that was; not where there was nothing to verify."""
        done = run("ingest", "a.eml", *TRUSTED)
        assert done.err.startswith("note: taken in unverified: 1. --minimum-trust unverified says")
        assert run("ingest", "-", *TRUSTED, stdin=ORDINARY).err == ""

    def test_the_quarantine_keeps_copies(self, run: Run, mail: Path, tmp_path: Path) -> None:
        """Byte for byte; the mail itself stays where it was."""
        done = run("ingest", "a.eml", "--quarantine", "q", "--format", "json")
        assert (done.code, done.record["status"], done.record["is_set_aside"]) == (0, "quarantined", True)
        assert (tmp_path / "q" / f"{done.record['mail_id']}.eml").read_bytes() == mail.read_bytes() == notice()
        assert "note: what was quarantined lies in q" in done.err

    def test_look_alikes_are_refused_even_by_an_owner_who_trusts_the_mailbox(self, run: Run) -> None:
        """Nobody silences a buyer by a domain that reads like Amazon's."""
        done = run("ingest", "-", *TRUSTED, "--quarantine", "q", stdin=notice(sender='"Amazon.it" <auto-communication@arnazon.it>'))
        assert done.code == 0
        assert done.out.startswith("quarantined  -: ")
        assert "forged" in done.out
        assert entries() == set()

    def test_a_pipe_is_told_if_its_mail_is_kept_nowhere(self, run: Run) -> None:
        """A mail server would otherwise throw it away; with a quarantine folder, or as a file, nothing is lost."""
        assert run("ingest", "-", stdin=notice()).code == 1
        assert run("ingest", "-", *TRUSTED, stdin=notice()).code == 0
        assert run("ingest", "-", stdin=ORDINARY).code == 0

    def test_a_signature_of_amazon_proves(self, run: Run, signer: Any, dns_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Entries are then marked as verified, and may go onto the list for all sellers."""
        monkeypatch.setattr(intake_room, "default_resolver", dns_server.resolver)
        signed = signer.sign(notice(), "amazon.it", signed=("from", "date", "message-id", "subject", "x-space-notification-type"))
        for seller in ("", "*"):
            done = run("ingest", "-", "--minimum-trust", "amazon", "--seller", seller, "--format", "json", stdin=signed)
            assert (done.code, done.record["status"], done.record["trust"], done.err) == (0, "recorded", "amazon", "")
            assert {entry["verified"] for entry in done.record["recorded"]} == {True}
        assert run("ingest", "-", *TRUSTED, "--seller", "*", stdin=notice()).code == 1

    def test_without_dns_mails_wait(self, run: Run, signer: Any, dns_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is lost: the exit code is that of a temporary failure, and unread mail stays unread."""
        monkeypatch.setattr(intake_room, "default_resolver", dns_server.resolver)
        box = mailbox.Maildir(tmp_path / "box")
        box.add(signer.sign(notice(), "amazon.it"))
        dns_server.zone["s1._domainkey.amazon.it"] = dns_server.SERVFAIL
        done = run("ingest", "box")
        assert done.code == 75
        assert done.out.splitlines()[-1] == "mails: 1; recorded: 0, known: 0, ignored: 0, quarantined: 0, retry: 1"
        assert "note: DNS or the store did not answer for some; give them again later" in done.err
        assert len(list((tmp_path / "box" / "new").iterdir())) == 1
        assert entries() == set()

    def test_without_a_store_mails_wait(self, run: Run, silent_store: str) -> None:
        """As without DNS; a mail server that gets 75 tries again."""
        done = run("ingest", "-", *TRUSTED, "--store", silent_store, stdin=notice())
        assert done.code == 75
        assert "the store does not answer" in done.out

    def test_with_a_damaged_store_a_mail_server_keeps_its_mail(self, run: Run, tmp_path: Path) -> None:
        """What comes from standard input has nobody else to keep it; a mailbox has, and there the damage is what counts."""
        (tmp_path / "optouts.db").write_bytes(b"no database" * 100)
        (tmp_path / "notice.eml").write_bytes(notice())
        for mail, code in (("-", 75), ("notice.eml", 2)):
            done = run("ingest", mail, *TRUSTED, stdin=notice())
            assert (done.code, "it is not an SQLite file" in done.err) == (code, True)

    def test_the_users_own_parties_prove(self, run: Run, signer: Any, dns_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A forwarder of their own, their own mail server, a sealer."""
        monkeypatch.setattr(intake_room, "default_resolver", dns_server.resolver)
        signed = signer.sign(notice(), "amazon.it", publish=False)
        passed = b"Authentication-Results: mx.shop.example; dkim=pass header.d=amazon.it\r\n" + signed
        assert run("ingest", "-", "--authserv-id", "mx.shop.example", "--format", "json", stdin=passed).record["trust"] == "amazon"
        sealed = signer.seal(
            b"Authentication-Results: mx.relay.example; dkim=pass header.d=amazon.it\r\n" + signed, "relay.example", "mx.relay.example"
        )
        assert run("ingest", "-", "--sealer", "relay.example", "--format", "json", stdin=sealed).record["trust"] == "amazon"
        body = notice().decode().partition("\r\n\r\n")[2]
        forwarded = (
            "From: me@shop.example\r\nSubject: Fwd\r\nDate: Mon, 21 Sep 2026 15:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/html; charset=utf-8\r\n\r\n---------- Forwarded message ---------<br>"
            f"From: Amazon.it &lt;auto-communication@amazon.it&gt;<br>Date: Mon, Sep 21, 2026<br>Subject: x<br><br>{body}"
        ).encode()
        by_me = signer.sign(forwarded, "shop.example", signed=("from", "subject", "date", "mime-version", "content-type"))
        done = run("ingest", "-", "--forwarder", "shop.example", "--format", "json", stdin=by_me)
        assert (done.code, done.record["trust"], done.record["status"]) == (0, "forwarder", "known")

    def test_a_contradiction_is_told(self, run: Run) -> None:
        """An unproved mail does not take an order from one buyer and give it to another."""
        run("link", ORDER, "someone-else@marketplace.amazon.it")
        done = run("ingest", "-", *TRUSTED, stdin=notice())
        assert done.out.splitlines()[1].strip() == f"already known as another buyer's: {ORDER}"
        assert run("ingest", "-", *TRUSTED, "--format", "json", stdin=notice()).record["contradicted"] == [str(ORDER)]

    @pytest.mark.parametrize("kind", ["mbox", "Maildir", "folder"])
    def test_mailboxes_of_every_kind(self, run: Run, tmp_path: Path, kind: str) -> None:
        """Each mail in them is shown by a name of its own."""
        orders = [OrderId(f"404-581297{number}-2204361") for number in range(3)]
        mails = [notice(order) for order in orders]
        if kind == "folder":
            (tmp_path / "box").mkdir()
            for number, raw in enumerate(mails):
                (tmp_path / "box" / f"{number}.eml").write_bytes(raw)
        else:
            box = mailbox.mbox(tmp_path / "box") if kind == "mbox" else mailbox.Maildir(tmp_path / "box")
            for raw in mails:
                box.add(raw)
            box.close()
        done = run("ingest", "box", *TRUSTED, "--format", "json")
        assert done.code == 0
        assert len({record["file"] for record in done.records}) == 3
        assert all(record["file"].startswith("box") for record in done.records)
        assert entries() == {BUYER.key, *(order.key for order in orders)}
        if kind == "Maildir":
            assert run("ingest", "box", *TRUSTED).out.startswith("mails: 0;")

    def test_progress_is_shown_on_a_terminal_only(self, terminal: Run, process: Run, mail: Path) -> None:
        """It counts the mails while lines of results go by, and is gone at the end."""
        shown = terminal("ingest", "a.eml", *TRUSTED).out
        assert "1 mails" in shown
        assert f"\x1b[32mrecorded     \x1b[0m\x1b[1ma.eml\x1b[0m: opt-out, order {ORDER}" in shown
        assert "1 mails" not in shown.rpartition("recorded: ")[2]
        done = process("ingest", "a.eml", *TRUSTED)
        assert "1 mails" not in done.out + done.err

    def test_progress_is_shown_beside_results_that_go_elsewhere(self, mail: Path, terminal: Run, tmp_path: Path) -> None:
        """Into a file, say: what is written there is results and nothing else."""
        with (tmp_path / "out").open("wb") as out:
            shown = terminal("ingest", "a.eml", *TRUSTED, stdout=out).out
        assert "1 mails" in shown
        assert "recorded" not in shown
        assert (tmp_path / "out").read_text().startswith("recorded     a.eml: ")


class TestBadInput:
    """What both do with what is no mail."""

    @pytest.mark.parametrize("command", [["parse"], ["ingest", *TRUSTED]])
    def test_one_line_for_each_and_the_rest_is_done(self, run: Run, mail: Path, tmp_path: Path, command: list[str]) -> None:
        """Files that are missing, empty, or no mails do not keep the good ones from being read."""
        (tmp_path / "photo.jpg").write_bytes(bytes(range(256)) * 200_000)
        (tmp_path / "empty.eml").write_bytes(b"")
        done = run(*command, "photo.jpg", "missing.eml", "empty.eml", "a.eml")
        assert done.code == 2
        assert done.err.splitlines()[:3] == [
            "error: photo.jpg: not an e-mail: it has no header fields such as From: or Subject:",
            "error: there is no file or folder missing.eml",
            "error: empty.eml: not an e-mail: it has no header fields such as From: or Subject:",
        ]
        assert "a.eml: opt-out" in done.out

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (["--minimum-trust", "forged"], "Invalid value for '--minimum-trust'"),
            (["--forwarder", "gmail.com"], "name your own address there instead of the domain"),
            (["--forwarder", "me@"], "a forwarder is an address or a domain"),
            (["--sealer", "x"], "sealer"),
            (["--quarantine", "a.eml"], "Directory 'a.eml' is a file"),
            (["--wordings", "a.eml"], "not a file of notice wordings: a.eml: "),
            (["--wordings", "missing.toml"], "cannot read the file of notice wordings missing.toml: "),
            (["--quarantine", "missing/q"], "cannot keep mails in the quarantine folder missing/q"),
        ],
    )
    def test_wrong_options_are_one_line(self, run: Run, mail: Path, arguments: list[str], why: str) -> None:
        """Nothing is recorded."""
        done = run("ingest", "a.eml", *TRUSTED, *arguments)
        assert (done.code, done.out) == (2, "")
        assert why in done.err
        assert done.err.count("\n") == 1


def test_opted_out_by_one_notice_for_all_orders(run: Run, mail: Path) -> None:
    """A notice that names buyer and order teaches the store which buyer the order belongs to."""
    run("ingest", "a.eml", *TRUSTED)
    other = OrderId("404-9917046-3350127")
    run("link", other, BUYER)
    with open_store(URI) as store:
        assert isinstance(store.lookup([other])[other], OptOut)

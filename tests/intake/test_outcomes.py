"""What becomes of a mail when all goes well, and when it does not."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from optoutkit.authentication import Trust
from optoutkit.errors import InvalidInput, StoreClosed
from optoutkit.identities import Address, OrderId
from optoutkit.intake import Intake, IntakeStatus
from optoutkit.notices import NoticeKind, NoticeParser
from optoutkit.optouts import SHARED, OptOut
from optoutkit.stores.opening import open_store
from optoutkit.text.mime import Limits

RECORDED, KNOWN, IGNORED, QUARANTINED, RETRY = IntakeStatus
OWN = {"minimum_trust": Trust.UNVERIFIED}


def test_recorded_then_known(bench: Any, mails: Any) -> None:
    """Taking in a mail twice does no harm, and says so."""
    bench.make(**OWN)
    first, second = bench.ingest(mails.html()), bench.ingest(mails.html())
    assert (first.status, second.status) == (RECORDED, KNOWN)
    assert first.mail_id == second.mail_id
    assert first.recorded == second.recorded
    assert first.is_done
    assert second.is_done
    assert bench.told == [first, second]


def test_other_kinds_reach_the_hook(bench: Any, mails: Any) -> None:
    """Somebody will want to know that the account is restricted."""
    result = bench.make(**OWN).ingest(mails.mail(more="X-Space-Notification-Type: REFUND_ISSUED\r\n"))
    assert (result.status, result.notice) == (IGNORED, None)
    text = (
        "Your message for order [302-1234567-7654321] was not delivered because your account was restricted from sending proactive "
        "messages.\r\n"
    )
    result = bench.ingest(mails.mail(text))
    assert (result.status, result.notice.kind, result.is_done) == (IGNORED, NoticeKind.ACCOUNT_RESTRICTED, True)
    assert bench.told[-1] is result


def test_a_seller_s_list(bench: Any, mails: Any) -> None:
    """What is recorded goes onto the list it was made for."""
    bench.make(seller="shop-7", **OWN).ingest(mails.html())
    assert not bench.lookup(Address(mails.ALIAS))
    assert bench.lookup(Address(mails.ALIAS), seller="shop-7")


def test_never_later_than_it_arrived(bench: Any, mails: Any) -> None:
    """A notice from the future is as old as its arrival; an arrival in the future is now."""
    bench.make(**OWN)
    arrived = datetime(2026, 11, 1, tzinfo=UTC)
    assert bench.ingest(mails.mail(), arrived=arrived).recorded[0].since == arrived
    before = datetime.now(UTC)
    since = bench.ingest(mails.mail(date="Mon, 01 Jan 2035 00:00:00 +0000"), arrived=before + timedelta(days=9)).recorded[0].since
    assert before <= since <= datetime.now(UTC)


def test_naive_times(bench: Any, mails: Any) -> None:
    """Which time zone was meant?"""
    with pytest.raises(ValueError, match="time zone"):
        bench.ingest(mails.mail(), arrived=datetime(2026, 1, 1))  # noqa: DTZ001


# Links


def test_a_notice_that_names_order_and_buyer_teaches_whose_order_it_is(bench: Any, mails: Any) -> None:
    """And so another order of that buyer."""
    bench.make(**OWN)
    bench.ingest(mails.html())
    bench.done(bench.store.link([(OrderId(mails.OTHER_ORDER), Address(mails.ALIAS))]))
    assert bench.lookup(OrderId(mails.OTHER_ORDER))


@pytest.mark.parametrize("proved", [True, False])
def test_only_a_proved_notice_may_say_otherwise(bench: Any, signer: Any, mails: Any, proved: bool) -> None:
    """A link that the store has gives way to Amazon's word alone; else the contradiction is told."""
    other = Address("zzz999@marketplace.amazon.de")
    bench.done(bench.store.link([(OrderId(mails.ORDER), other)]))
    result = bench.make().ingest(signer.sign(mails.html(), "amazon.de")) if proved else bench.make(**OWN).ingest(mails.html())
    assert result.contradicted == (() if proved else (OrderId(mails.ORDER),))
    assert bool(bench.lookup(other)) is not proved


def test_several_orders_and_one_buyer(bench: Any, mails: Any) -> None:
    """Nobody can tell whether they are all the buyer's: no link is learnt."""
    text = mails.CLAUSE.format(order=mails.ORDER).replace("]", f"], [{mails.OTHER_ORDER}]") + f"\r\nmailto:{mails.ALIAS}\r\n"
    result = bench.make(**OWN).ingest(mails.mail(text))
    assert [str(opt_out.identity) for opt_out in result.recorded] == [mails.ORDER, mails.OTHER_ORDER, mails.ALIAS]
    bench.done(bench.store.withdraw([Address(mails.ALIAS)]))
    assert set(bench.lookup(OrderId(mails.ORDER), Address(mails.ALIAS))) == {OrderId(mails.ORDER)}


@pytest.mark.parametrize("answer", [Address("buyer@example.com"), "buyer@example.com"])
def test_resolve_order(bench: Any, mails: Any, answer: Any) -> None:
    """The seller's own database knows the buyer, whose later orders the opt-out holds for; and may replace what the store believed."""
    bench.done(bench.store.link([(OrderId(mails.ORDER), Address("zzz999@marketplace.amazon.de"))]))

    def resolve(order: OrderId) -> Any:
        assert str(order) == mails.ORDER
        return answer

    async def resolve_async(order: OrderId) -> Any:
        return resolve(order)

    result = bench.make(resolve_order=resolve_async if bench.is_async else resolve, **OWN).ingest(mails.mail())
    assert (result.status, result.contradicted) == (RECORDED, ())
    assert set(bench.lookup(Address("buyer@example.com"), Address("zzz999@marketplace.amazon.de"))) == {Address("buyer@example.com")}


@pytest.mark.parametrize("answer", [None, "not an address", RuntimeError("buyer@example.com is not reachable"), 7])
def test_resolve_order_knows_nothing_or_fails(bench: Any, mails: Any, answer: Any) -> None:
    """The opt-out is recorded by order all the same; the failure is told, without what it says."""

    def resolve(order: OrderId) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    result = bench.make(resolve_order=resolve, **OWN).ingest(mails.mail())
    assert result.status is RECORDED
    assert bench.lookup(OrderId(mails.ORDER))
    assert bool(result.reason) == (answer is not None)
    assert "example.com" not in result.reason


# Failures


def test_the_store_is_down(bench: Any, mails: Any) -> None:
    """The mail is to come again, and then all is recorded."""
    bench.make(**OWN)
    for verb in ("record", "link"):
        bench.store.down = {verb: bench.unavailable}
        result = bench.ingest(mails.html())
        assert (result.status, result.is_done) == (RETRY, False)
    bench.store.down = {}
    assert bench.ingest(mails.html()).is_done
    assert bench.lookup(Address(mails.ALIAS))


def test_a_store_that_will_not_come_back(bench: Any, mails: Any) -> None:
    """A closed or damaged store is no matter of patience."""
    bench.make(**OWN)
    bench.store.down = {"record": StoreClosed("closed")}
    with pytest.raises(StoreClosed):
        bench.ingest(mails.mail())


def test_three_days_are_enough(bench: Any, mails: Any, tmp_path: Any) -> None:
    """After that a mail is set aside instead of waiting for ever; without a folder it stays where it is."""
    bench.store.down = {"record": bench.unavailable}
    long_ago, lately = (datetime.now(UTC) - timedelta(days=days) for days in (3.1, 2.9))
    bench.make(quarantine=tmp_path / "q", **OWN)
    assert bench.ingest(mails.mail(), arrived=lately).status is RETRY
    result = bench.ingest(mails.mail(), arrived=long_ago)
    assert (result.status, result.is_done) == (QUARANTINED, True)
    assert [mail.reason for mail in bench.intake.quarantine] == ["the store does not answer, and it has waited for three days"]
    result = bench.make(**OWN).ingest(mails.mail(), arrived=long_ago)
    assert (result.status, result.is_done) == (QUARANTINED, False)


def test_too_large(bench: Any, mails: Any) -> None:
    """Beyond the limits of the parser."""
    result = bench.make(parser=NoticeParser(limits=Limits(max_bytes=100))).ingest(mails.mail())
    assert (result.status, result.notice) == (QUARANTINED, None)
    assert "bytes" in result.reason


def test_poison(bench: Any, mails: Any) -> None:
    """A mail that makes anything raise is set aside; its words are not in the reason."""

    class Broken(NoticeParser):
        def parse_all(self, raw: Any) -> Any:
            raise RuntimeError("about buyer@example.com")

    result = bench.make(parser=Broken()).ingest(mails.mail())
    assert (result.status, result.reason) == (QUARANTINED, "it cannot be read (RuntimeError)")


def test_a_failing_hook_changes_nothing(bench: Any, mails: Any, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, without what it says."""

    def hook(result: Any) -> None:
        raise RuntimeError("buyer@example.com")

    assert bench.make(hook=hook, **OWN).ingest(mails.mail()).status is RECORDED
    assert "RuntimeError" in caplog.text
    assert "example.com" not in caplog.text


def test_the_log_names_nobody(bench: Any, mails: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Without a hook, each outcome is one line, as loud as it needs to be."""
    caplog.set_level(logging.DEBUG)
    bench.make(hook=None, **OWN)
    bench.done(bench.store.link([(OrderId(mails.ORDER), Address("zzz999@marketplace.amazon.de"))]))
    for raw in (mails.html(), mails.mail(sender="auto-communication@arnazon.de"), b"Subject: hello\r\n\r\n"):
        bench.ingest(raw)
    own = [record for record in caplog.records if record.name == "optoutkit.intake"]
    assert [(record.levelname, record.getMessage().split()[2].strip(",")) for record in own] == [
        ("WARNING", "recorded"),
        ("WARNING", "quarantined"),
        ("INFO", "ignored"),
    ]
    assert not any(secret in caplog.text for secret in ("@", mails.ORDER, "marketplace"))


@pytest.mark.parametrize("trust", [Trust.FORGED, Trust.TEMPORARY])
def test_no_minimum(bench: Any, trust: Trust) -> None:
    """Nobody can ask for forgeries."""
    with pytest.raises(ValueError, match="minimum_trust"):
        bench.make(minimum_trust=trust)


def test_wrong_names_are_told_at_once(bench: Any) -> None:
    """Not when the first mail comes."""
    with pytest.raises(InvalidInput, match="strangers"):
        bench.make(forwarders=["gmail.com"])


# Quarantine


@pytest.fixture
def aside(bench: Any, mails: Any, tmp_path: Any) -> Any:
    """An intake with one unproved notice in quarantine."""
    bench.make(quarantine=tmp_path / "q").ingest(mails.html())
    return bench


def test_set_aside(aside: Any, mails: Any) -> None:
    """Byte for byte, with what is known of it; once, however often it comes."""
    result = aside.ingest(mails.html())
    assert (result.status, result.is_set_aside, result.is_done) == (QUARANTINED, True, True)
    (about,) = aside.intake.quarantine
    assert (about.id, about.trust, about.kind) == (result.mail_id, "unverified", "opt_out")
    assert (about.sender, about.orders, about.size) == ("auto-communication@amazon.de", (mails.ORDER,), len(mails.html()))
    assert "unverified" in about.reason
    assert aside.intake.quarantine.read(about.id) == mails.html()


def test_released(aside: Any, mails: Any) -> None:
    """Its owner vouches for it: recorded, not verified, and out of quarantine."""
    (about,) = aside.intake.quarantine
    result = aside.release(about.id)
    assert result.status is RECORDED
    assert aside.told[-1] is result
    assert [(entry.verified, entry.since) for entry in aside.lookup(Address(mails.ALIAS)).values()] == [
        (False, datetime(2026, 11, 2, 8, tzinfo=UTC))
    ]
    assert list(aside.intake.quarantine) == []
    with pytest.raises(InvalidInput, match="no mail"):
        aside.release(about.id)


def test_released_after_it_was_known(aside: Any, mails: Any) -> None:
    """Then it goes, too."""
    (about,) = aside.intake.quarantine
    opt_outs = [OptOut(OrderId(mails.ORDER)), OptOut(Address(mails.ALIAS))]
    aside.done(aside.store.record(opt_outs))
    aside.done(aside.store.link([(OrderId(mails.ORDER), Address(mails.ALIAS))]))
    assert aside.release(about.id).status is KNOWN
    assert list(aside.intake.quarantine) == []


def test_released_while_the_store_is_down(aside: Any) -> None:
    """It stays."""
    (about,) = aside.intake.quarantine
    aside.store.down = {"record": aside.unavailable}
    assert aside.release(about.id).status is RETRY
    assert [mail.id for mail in aside.intake.quarantine] == [about.id]


def test_not_released_onto_the_list_for_all_sellers(aside: Any, mails: Any, tmp_path: Any) -> None:
    """Which takes only what Amazon is proved to have sent."""
    (about,) = aside.intake.quarantine
    result = aside.make(quarantine=tmp_path / "q", seller=SHARED).release(about.id)
    assert (result.status, result.is_done) == (QUARANTINED, False)
    assert not aside.lookup(OrderId(mails.ORDER), seller=SHARED)
    assert len(list(aside.intake.quarantine)) == 1


@pytest.mark.parametrize("text", ["Dear Seller, you know which.", "x" * 200_000])
def test_nothing_to_release(bench: Any, mails: Any, tmp_path: Any, text: str) -> None:
    """A notice that names nobody, and a mail that is too large, stay until somebody removes them."""
    raw = mails.mail(text, more="X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\r\n")
    bench.make(quarantine=tmp_path / "q", parser=NoticeParser(limits=Limits(max_bytes=100_000)), **OWN).ingest(raw)
    (about,) = bench.intake.quarantine
    assert bench.release(about.id).status is QUARANTINED
    assert bench.intake.quarantine.empty() == 1


def test_without_a_folder(bench: Any) -> None:
    """There is nothing to release."""
    with pytest.raises(ValueError, match="no quarantine folder"):
        bench.release("0" * 16)


def test_the_folder_cannot_be_written_to_any_more(aside: Any, mails: Any) -> None:
    """Then the mail is to come again: nothing is lost."""
    folder = aside.intake.quarantine.folder
    aside.intake.quarantine.empty()
    folder.rmdir()
    result = aside.ingest(mails.html())
    assert (result.status, result.is_done) == (RETRY, False)
    assert "cannot be written to" in result.reason


# Counts


def test_counts_by_status(bench: Any, mails: Any, tmp_path: Any) -> None:
    """Every outcome is counted, a release too, and what was handed out before does not change."""
    bench.make(quarantine=tmp_path / "quarantine", **OWN)
    assert bench.intake.counts == dict.fromkeys(IntakeStatus, 0)
    for raw in (mails.mail(), mails.mail(), mails.mail("Hello"), mails.mail(sender="auto-communication@arnazon.de")):
        bench.ingest(raw)
    before = bench.intake.counts
    assert before == {RECORDED: 1, KNOWN: 1, IGNORED: 1, QUARANTINED: 1, RETRY: 0}
    (set_aside,) = bench.intake.quarantine
    bench.release(set_aside.id)
    assert bench.intake.counts == before | {KNOWN: 2}
    assert before[KNOWN] == 1


def test_counts_are_right_whatever_the_hook_does(bench: Any, mails: Any) -> None:
    """A hook may ask for the counts, and finds the mail that it is told of among them; if it fails, the mail is counted all the same."""
    seen = []

    def hook(result: Any) -> None:
        seen.append(bench.intake.counts[result.status])
        raise RuntimeError

    bench.make(hook=hook, **OWN).ingest(mails.mail())
    assert seen == [1]
    assert bench.intake.counts[RECORDED] == 1


def test_counts_add_up_over_threads() -> None:
    """One intake may serve many threads."""
    with open_store("memory://") as store, ThreadPoolExecutor(8) as pool:
        intake = Intake(store, minimum_trust=Trust.UNVERIFIED, hook=lambda _: None)
        list(pool.map(intake.ingest, [b"Subject: hello\n\nHello"] * 400))
        assert intake.counts[IGNORED] == 400

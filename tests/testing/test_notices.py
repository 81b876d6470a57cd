"""The factory of notices."""

import email
from datetime import UTC, datetime

import pytest

from optoutkit import parse_notice
from optoutkit.marketplaces import Marketplace
from optoutkit.notices import NoticeKind
from optoutkit.testing.notices import LANGUAGES, Layout, notice_mail


@pytest.mark.parametrize("layout", ["2017", "2026"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_asked_for_is_in_the_mail(language: str, layout: Layout) -> None:
    """Order, store, date and, in the layout of 2026, the buyer's alias; the type header as asked."""
    store = Marketplace.by_domain("amazon.ie")
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    raw = notice_mail(
        language=language,
        layout=layout,
        order_ids=["026-1234567-7654321"],
        buyer="abc@marketplace.amazon.ie",
        marketplace=store,
        sent_at=moment,
    )
    mail = email.message_from_bytes(raw)
    assert mail["From"] == '"Amazon.ie" <auto-communication@amazon.com>'
    assert ("X-Space-Notification-Type" in mail) == (layout == "2026")
    notice = parse_notice(raw)
    assert notice is not None
    assert [str(order) for order in notice.order_ids] == ["026-1234567-7654321"]
    assert (notice.marketplace, notice.sent_at, notice.language) == (store, moment, language)
    assert str(notice.buyer) == ("abc@marketplace.amazon.ie" if layout == "2026" else "None")


def test_the_header_can_be_left_out_or_put_in() -> None:
    """Whatever the layout."""
    assert b"X-Space" not in notice_mail(typed=False)
    assert b"X-Space" in notice_mail(layout="2017", typed=True)


def test_several_orders_and_other_kinds() -> None:
    """A digest, and the other notices of non-delivery, which have no notification type."""
    notice = parse_notice(notice_mail(order_ids=["112-1234567-7654321", "112-1234567-7654322"], typed=False))
    assert notice is not None
    assert len(notice.order_ids) == 2
    for kind in NoticeKind:
        other = parse_notice(notice_mail(kind=kind))
        assert other is not None
        assert other.kind is kind
        assert (b"X-Space" in notice_mail(kind=kind)) == (kind is NoticeKind.OPT_OUT)


def test_what_is_not_known() -> None:
    """A kind that has no wording in a language."""
    with pytest.raises(ValueError, match="no wording of attachment_rejected is known in 'tr'"):
        notice_mail(kind=NoticeKind.ATTACHMENT_REJECTED, language="tr")

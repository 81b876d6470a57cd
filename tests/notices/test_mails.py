"""Mails written by hand, as mail programs really write them: what the factory leaves out."""

import tomllib
from pathlib import Path

import pytest

from optoutkit import parse_notice

FOLDER = Path(__file__).parent / "mails"
EXPECTED = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))
MAILS = sorted(FOLDER.glob("*.eml"))


def test_every_expectation_has_its_mail() -> None:
    """A misspelt name would test nothing."""
    assert EXPECTED.keys() <= {path.stem for path in MAILS}


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_a_mail(path: Path, newline: bytes) -> None:
    """What is expected is read, whatever ends the lines; what is not listed is no notice."""
    raw = path.read_bytes().replace(b"\n", newline)
    notice = parse_notice(raw)
    if path.stem not in EXPECTED:
        assert notice is None
        return
    expected = EXPECTED[path.stem]
    assert notice is not None
    assert notice.kind == "opt_out"
    assert [str(order) for order in notice.order_ids] == expected["orders"]
    assert (notice.form, notice.language, notice.sent_at) == (expected["form"], expected["language"], expected["sent_at"])
    assert (notice.buyer and str(notice.buyer)) == expected.get("buyer")
    assert (notice.marketplace and notice.marketplace.country) == expected["store"]
    assert notice.source == raw

"""The reader of Authentication-Results."""

from hypothesis import example, given
from hypothesis import strategies as st

from optoutkit.authentication.results import read_results

GMAIL = (
    "mx.google.com; dkim=pass header.i=@amazon.it header.s=abc header.b=Ab/12+; spf=pass (google.com: domain of 2016+x@bounces.amazon.it "
    'designates 54.240.13.8 as permitted sender) smtp.mailfrom="a; dkim=fail (b"@bounces.amazon.it; '
    "dmarc=pass (p=QUARANTINE (sp=QUARANTINE) dis=NONE) header.from=amazon.it"
)


def test_what_gmail_writes() -> None:
    """Comments, quoted strings and properties."""
    results = read_results(GMAIL)
    assert results is not None
    assert results.authserv_id == "mx.google.com"
    assert [(finding.method, finding.result) for finding in results.findings] == [("dkim", "pass"), ("spf", "pass"), ("dmarc", "pass")]
    assert results.findings[0].domain("header.d", "header.i") == "amazon.it"
    assert results.findings[0].properties["header.b"] == "ab/12+"
    assert results.of("spf")[0].domain("smtp.mailfrom") == "bounces.amazon.it"
    assert results.of("dmarc")[0].domain("header.from") == "amazon.it"
    assert results.of("arc") == ()


def test_escapes() -> None:
    """A backslash hides what follows it, in comments and in strings."""
    results = read_results(r'a (b\) c); dkim=pass reason="x\"; y" (\() header.d=amazon.de; spf=none')
    assert results is not None
    assert [finding.result for finding in results.findings] == ["pass", "none"]
    assert results.findings[0].domain("header.d") == "amazon.de"


def test_words_alone() -> None:
    """What Microsoft writes has no server's name, and a result without a name is none."""
    assert read_results("spf=pass (sender IP is 1.2.3.4) smtp.mailfrom=x.example; dkim=pass") is None
    results = read_results("a.example; ; =pass; ?; dkim=pass")
    assert results is not None
    assert [finding.method for finding in results.findings] == ["dkim"]


def test_too_long() -> None:
    """Nobody writes that much."""
    assert read_results("a; " + "x" * 20_000) is None


HOSTILE = ['"', "(", "a.", "a", " a", "a.b=", " ", '"a', '"\\', "\\(", "-a", '\\""', '"\\"', "=", ";"]


@given(st.text(alphabet='a.;=()"\\ /d', max_size=80))
@example(GMAIL)
def test_any_text(text: str) -> None:
    """Nothing makes it raise, and a server's name is never empty."""
    results = read_results(text)
    assert results is None or results.authserv_id


def test_hostile_texts_end() -> None:
    """Patterns that would take time beyond all bounds if any part of the reader were not linear: sixteen thousand of each."""
    for piece in HOSTILE:
        for before in ("a; ", "a; dkim=pass ", "a; dkim=pass x=", "a; dkim=pass (", 'a; dkim=pass x="', ""):
            read_results((before + piece * 16_000)[:16_000])

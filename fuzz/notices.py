"""Read mails that a fuzzer guided by coverage makes of notices, for ten minutes; what must hold is written in the tests.

Words on the command line go to libFuzzer, such as ``-max_total_time=60``, or the file of a finding to run it again. What is found is put
into ``fuzz/findings``; mails that reach something new are kept in ``fuzz/corpus`` for the next time.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import atheris

HERE = Path(__file__).parent
ROOT = HERE.parent
CORPUS, FINDINGS, WORDS = HERE / "corpus", HERE / "findings", HERE / "words"
USUAL = (
    "-max_total_time=600",
    "-timeout=5",
    "-rss_limit_mb=2048",
    "-max_len=40000",
    f"-artifact_prefix={FINDINGS}/",
    "-print_final_stats=1",
)

with atheris.instrument_imports(include=["optoutkit"]):
    from tests.notices import test_robustness as robustness

    from optoutkit.authentication import TrustedParties, authentication_flow
    from optoutkit.flows import run
    from optoutkit.testing.forwarding import CLIENTS, FORWARDING_LANGUAGES, forward_inline
    from optoutkit.testing.notices import LANGUAGES, notice_mail

PARTIES = TrustedParties(authserv_ids=frozenset({"mx.example"}), domains=frozenset({"shop.example"}))


def seeds() -> Iterable[bytes]:
    """Notices in every language and layout, forwarded in every way, and the mails of the tests."""
    for layout in ("2017", "2026"):
        for language in LANGUAGES:
            yield notice_mail(layout=layout, language=language)
    for number, client in enumerate(CLIENTS):
        yield forward_inline(notice_mail(), by=client, language=FORWARDING_LANGUAGES[number % len(FORWARDING_LANGUAGES)], words="FYI")
    yield from robustness.NOTICES
    for file in sorted((ROOT / "tests/notices/mails").glob("*.eml")):
        yield file.read_bytes()


def look(raw: bytes) -> None:
    """Read bytes as a mail and as a notice, and find out who sent it as far as that needs no DNS."""
    robustness.check(raw)
    run(authentication_flow(raw, PARTIES, offline=True), lambda _: ())


def main() -> None:
    """Make a corpus and a dictionary of the project's own, and fuzz."""
    for folder in (CORPUS, FINDINGS):
        folder.mkdir(exist_ok=True)
    for number, raw in enumerate(seeds()):
        (CORPUS / f"seed-{number}").write_bytes(raw)
    tokens = ("".join(f"\\x{byte:02x}" for byte in token) for token in robustness.TOKENS)
    WORDS.write_text("".join(f'"{token}"\n' for token in tokens), encoding="ascii")
    runs_again = any(Path(word).is_file() for word in sys.argv[1:])
    atheris.Setup([sys.argv[0], *USUAL, f"-dict={WORDS}", *sys.argv[1:], *([] if runs_again else [str(CORPUS)])], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

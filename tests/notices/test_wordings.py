"""The data behind the parser, and users' own files."""

from pathlib import Path

import pytest

from optoutkit.errors import InvalidInput
from optoutkit.notices import NoticeKind, NoticeParser, parse_notice
from optoutkit.notices.surroundings import surroundings
from optoutkit.notices.wordings import Wordings, letters_of, load_wordings
from optoutkit.text.folding import fold

LANGUAGES = {"en", "de", "fr", "es", "it", "ja", "nl", "pt", "pl", "sv", "tr", "ar", "hi", "zh"}
FINNISH = """
language = "fi"
subjects = ["Viestiäsi ei voitu toimittaa"]
greetings = ["Hyvä myyjä"]
sign_offs = ["Amazonin myyjätuki"]

[[wordings]]
kind = "opt_out"
clause = "koska ostaja on {valinnut|päättänyt} olla vastaanottamatta viestejä"

[types]
Opted_Out_By_Mail = "opt_out"
SURVEY = ""
"""


def test_every_language_has_its_file() -> None:
    """Each of the fourteen has a subject, a greeting, a sign-off and a wording for opt-outs; each wording has an example and a source."""
    wordings = load_wordings()
    assert {wording.language for wording in wordings.wordings if wording.kind is NoticeKind.OPT_OUT} == LANGUAGES
    assert set(wordings.phrases) - {""} == LANGUAGES
    for language in LANGUAGES:
        phrases = wordings.phrases[language]
        assert phrases.subjects
        assert phrases.greetings
        assert phrases.sign_offs
    assert {wording.kind for wording in wordings.wordings} == set(NoticeKind)
    for wording in wordings.wordings:
        assert wording.example
        assert wording.source


def test_what_nobody_has_seen_says_less() -> None:
    """Translations of our own are marked, and make less sure than anything that was seen."""
    wordings = load_wordings().wordings
    assert {wording.language for wording in wordings if wording.verified and wording.kind is NoticeKind.OPT_OUT} == {"en", "fr", "it", "ja"}
    assert max(wording.confidence for wording in wordings if not wording.verified) < min(
        wording.confidence for wording in wordings if wording.verified
    )


def test_known_types() -> None:
    """Only one of the notification types seen so far is a notice."""
    types = load_wordings().types
    assert {name: kind for name, kind in types.items() if kind} == {"BUYER_OPTED_OUT_BSM_MESSAGES": NoticeKind.OPT_OUT}
    assert types["RETURN_REQUEST"] is None
    assert len(types) == 8


def test_places_are_those_of_the_text() -> None:
    """A clause is found whatever stands between its letters, and where it stands."""
    text = fold("Abc. Because the — BUYER has\nchosen to opt out, of (receiving) unsolicited messages; more.").text
    (found,) = load_wordings().find(text)
    assert text[found.start : found.end] == "because the - buyer has\nchosen to opt out, of (receiving) unsolicited messages"
    assert load_wordings().find("nothing of that") == []


def test_of_two_wordings_at_one_place_the_surer_one() -> None:
    """The verified English wording is also an instance of the guessed one; each place counts once, in the order of the text."""
    clause = "because the buyer has chosen to opt out of receiving unsolicited messages"
    other = "because your account was restricted from sending proactive messages"
    found = load_wordings().find(f"{clause}. {other}. {clause}.")
    assert [(each.wording.kind.value, each.wording.confidence) for each in found] == [
        ("opt_out", 0.97),
        ("account_restricted", 0.97),
        ("opt_out", 0.97),
    ]


def test_a_wording_that_was_seen_replaces_a_guess(tmp_path: Path) -> None:
    """A user who has a real Spanish notice tells its clause, which begins elsewhere than that of the translation; it decides."""
    path = tmp_path / "es.toml"
    path.write_text(
        'language = "es"\n[[wordings]]\nkind = "opt_out"\nconfidence = "H"\nverified = true\nsource = "a notice of 2026-11-01"\n'
        'clause = "comprador ha elegido no recibir mensajes no solicitados de los vendedores"',
        encoding="utf-8",
    )
    mail = (
        b"From: Amazon.es <auto-communication@amazon.com>\n\nNo hemos podido entregar el mensaje del pedido 404-1234567-7654321 porque el "
        b"comprador ha elegido no recibir mensajes no solicitados de los vendedores."
    )
    guessed, seen = parse_notice(mail), NoticeParser(wordings=[path]).parse(mail)
    assert guessed is not None
    assert seen is not None
    assert (guessed.confidence, guessed.evidence[0].verified) == (0.525, False)
    assert (seen.confidence, seen.evidence[0].source, seen.order_ids) == (0.97, "a notice of 2026-11-01", guessed.order_ids)


def test_letters_of_a_text() -> None:
    """Case, accents written apart, blanks, signs and full-width forms don't count."""
    assert letters_of("L\u2019Acheteur  a-choisi e\u0301\uff21!") == "lacheteurachoisiéa"


def test_a_users_own_file(tmp_path: Path) -> None:
    """A file adds a language, names of types and phrases, without code; what shipped still holds."""
    path = tmp_path / "fi.toml"
    path.write_text(FINNISH, encoding="utf-8-sig")
    parser = NoticeParser(wordings=[path])
    body = "Emme voineet toimittaa tilauksen 405-1234567-7654321 viestiä, koska ostaja on päättänyt olla vastaanottamatta viestejä."
    mail = f"From: Amazonin myyjätuki <x@mail.example>\n\nHyvä myyjä\n\n{body}".encode()
    notice = parser.parse(mail)
    assert notice is not None
    assert (notice.kind, notice.language, notice.confidence) == (NoticeKind.OPT_OUT, "fi", 0.63)
    assert parse_notice(mail) is None
    typed = parser.parse(b"X-Space-Notification-Type: OPTED_OUT_BY_MAIL\n\nx")
    assert typed is not None
    assert typed.kind is NoticeKind.OPT_OUT
    assert parser.parse(b"X-Space-Notification-Type: BUYER_OPTED_OUT_BSM_MESSAGES\n\nx") is not None
    assert parser.parse(b"X-Space-Notification-Type: SURVEY\n\nx") is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("language = ", "fi.toml: Invalid value"),
        ('[[wordings]]\nkind = "opt_out"\nclause = "because the buyer has opted out"', "the language is missing"),
        ('language = "fi"\n[[wordings]]\nclause = "because the buyer has opted out"', "a wording needs the text 'kind'"),
        ('language = "fi"\n[[wordings]]\nkind = "opt_out"\nclause = 3', "clause must be a text"),
        ('language = "fi"\n[[wordings]]\nkind = "opt_out"', "a wording needs the text 'clause'"),
        ('language = "fi"\n[[wordings]]\nkind = "opt_out"\nclause = "because he has opted {out"', "a brace without its other half"),
        (f'language = "fi"\n[[wordings]]\nkind = "opt_out"\nclause = "because {"{a|b}" * 14}"', "more than 10,000 texts in one clause"),
        ('language = "fi"\n[[wordings]]\nverfied = true', "unknown key 'verfied'"),
        (
            'language = "fi"\n[[wordings]]\nkind = "opt_out"\nclause = "because the buyer has opted out"\nverified = "no"',
            "verified must be true or false",
        ),
        ('language = "fi"\nwordings = ["because the buyer has opted out"]', "wordings must be tables"),
        ("wordings = 3", "wordings must be tables"),
        ("language = []", "language must be a text"),
        ('langauge = "fi"', "unknown key 'langauge'"),
        ('language = "fi"\n[[wordings]]\nkind = "opted"\nclause = "because the buyer has opted out"', "kind must be one of opt_out, "),
        ('language = "fi"\n[[wordings]]\nkind = "opt_out"\nclause = "opt {out|-}"', "too short to decide anything"),
        ('language = "ja"\n[[wordings]]\nkind = "opt_out"\nclause = "未承諾広告"', "too short to decide anything"),
        (
            'language = "fi"\n[[wordings]]\nkind = "opt_out"\nconfidence = "X"\nclause = "because the buyer has opted out"',
            "confidence must be one of H, M, L",
        ),
        ('language = "fi"\ngreetings = "Hei"', "greetings must be a list of texts"),
        ('language = "fi"\nsubjects = [1]', "subjects must be a list of texts"),
        ("types = 3", "types must be a table"),
        ('[types]\nX = "nonsense"', "kind must be one of"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: str, reason: str) -> None:
    """One clear line that names the file and what is wrong with it."""
    path = tmp_path / "fi.toml"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="not a file of notice wordings") as error:
        NoticeParser(wordings=[path])
    assert reason in str(error.value)
    assert "fi.toml" in str(error.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, or not in UTF-8."""
    with pytest.raises(InvalidInput, match="cannot read the file"):
        NoticeParser(wordings=[tmp_path / "missing.toml"])
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    with pytest.raises(InvalidInput, match="cannot read the file"):
        NoticeParser(wordings=[str(tmp_path / "latin.toml")])


def test_a_later_file_adds_to_a_language() -> None:
    """Two files of one language put their phrases together."""
    wordings = Wordings([("a", 'language = "fi"\ngreetings = ["Hei"]'), ("b", 'language = "fi"\ngreetings = ["Moi"]')])
    assert wordings.phrases["fi"].greetings == ("Hei", "Moi")
    assert wordings.greetings == ("hei", "moi")


def test_months_are_told_apart() -> None:
    """Every month has names in the data."""
    assert set(surroundings().months.values()) == set(range(1, 13))

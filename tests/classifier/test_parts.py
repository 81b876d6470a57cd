"""The steps from a text to features: words, phrases, sentences, the stored weights."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.classifier.features import ANYWHERE, context_features, sentence_features
from optoutkit.classifier.lexicons import Lexicon, load_lexicon
from optoutkit.classifier.model import Entries, Model, inputs, load_model, packed
from optoutkit.classifier.reading import read
from optoutkit.messages import Message
from optoutkit.text.folding import fold
from optoutkit.text.tokens import tokenize


def words(text: str) -> list[str]:
    """The words of a folded text."""
    return [token.text for token in tokenize(fold(text).text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("l'adresse n'est pas", ["l", "adresse", "n", "est", "pas"]),
        ("Straße Größe ÇÜŞ", ["strasse", "grosse", "cus"]),
        ("see https://a.example/x?y=1 or a@b.example", ["see", "<link>", "or", "<mail>"]),
        ("नाम लिखें", ["नाम", "लिखें"]),
        ("お名前をabcに", ["お名前を", "abc", "に"]),
        ("302-1234567 302-1234567-1234567", ["302", "1234567", "<order>"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    """Accents are taken off, links and addresses are one word each, scripts without spaces come in runs."""
    assert words(text) == expected


def found(lexicon: Lexicon, text: str, *languages: str) -> list[tuple[str, str]]:
    """(label, text) of each phrase found."""
    folded = fold(text).text
    return [(cue.label, folded[cue.start : cue.end]) for cue in lexicon.find(folded, list(tokenize(folded)), languages)]


def test_phrases() -> None:
    """Whole words, any ending after a star, several words in a row, in the languages asked for and in those of all."""
    lexicon = Lexicon(
        {
            "de": {"a": ["gravier*", "welche* name", "adresse", "", "?"]},
            "en": {"b": ["address"]},
            "ja": {"c": ["お名前", "*"]},
            "": {"own": ["frog"]},
        }
    )
    assert found(lexicon, "Gravierung, welcher Name und Adresse?", "de") == [("a", "gravierung"), ("a", "welcher name"), ("a", "adresse")]
    assert found(lexicon, "Adressen, welcher, welcher Frosch", "de") == []
    assert found(lexicon, "welcher", "de") == []
    assert found(lexicon, "address", "de") == []
    assert found(lexicon, "address frog", "en", "de") == [("b", "address"), ("own", "frog")]
    assert found(lexicon, "刻印するお名前を", "ja") == [("c", "お名前")]
    assert found(lexicon, "刻印するお名字を", "ja") == []
    assert found(lexicon, "刻印するお名前を", "de") == []


def test_shipped_lexicon_is_sound() -> None:
    """It finds phrases of each language, and every list is one that the features know."""
    assert ("review_request", "review") in found(load_lexicon(), "please write a review", "en") or found(
        load_lexicon(), "leave a review", "en"
    )
    assert found(load_lexicon(), "ohne ihre antwort", "de")


def test_sentences_of_a_message() -> None:
    """The subject comes first, without marks and Re:; quoted mail is left out; long runs are read in pieces."""
    reading = read(Message("Re: [Important] Your parcel", "Which size?\n\n> old question"), load_lexicon())
    assert [(sentence.part, sentence.text.strip()) for sentence in reading.sentences] == [
        ("subject", "your parcel"),
        ("text", "which size?"),
    ]
    long = read(Message("", "word " * 300), load_lexicon())
    assert [len(sentence.tokens) for sentence in long.sentences] == [120, 120, 60]
    assert "".join(sentence.text for sentence in long.sentences).count("word") == 300


def test_subject_keeps_brackets_that_are_no_mark() -> None:
    """Only known marks are taken out."""
    reading = read(Message("[Lamp 3000] arrived", ""), load_lexicon())
    assert reading.sentences[0].text.startswith("[lamp 3000]")


def test_features_know_their_words() -> None:
    """Each feature is a CRC-32, and belongs to a word or to none."""
    reading = read(
        Message("", "Which name shall we engrave?\n1. Anna: yes 😀\nPlease tell us:\nhttps://a.example 12\n刻印\n✔Done\nGo!"),
        load_lexicon(),
    )
    for index, sentence in enumerate(reading.sentences):
        for feature, token in sentence_features(sentence):
            assert 0 <= feature < 2**32
            assert ANYWHERE <= token < len(sentence.tokens)
        assert list(context_features(reading.sentences, index))


@given(
    st.dictionaries(
        st.integers(0, 2**32 - 1), st.lists(st.tuples(st.integers(0, 40), st.integers(-127, 127)), max_size=5).map(tuple), max_size=20
    )
)
def test_weights_read_back(entries: dict[int, tuple[tuple[int, int], ...]]) -> None:
    """What is written is what is read, at the stored precision."""
    read_back = Entries(packed(entries.items()), 0.1)
    assert set(read_back) == entries.keys()
    assert read_back.get(max(entries, default=0) + 1) == ()
    for feature, pairs in entries.items():
        assert read_back.get(feature) is read_back.get(feature) or not pairs
        assert [
            (label, round((abs(weight) ** 0.5) / 0.1) * (1 if weight >= 0 else -1)) for label, weight in read_back.get(feature)
        ] == list(pairs)


def test_inputs_match_the_model() -> None:
    """The shipped weights fit the inputs they are for."""
    model = load_model()
    assert isinstance(model, Model)
    values = inputs(model.labels, [[1 / len(model.labels)] * len(model.labels)] * 3, 0.5)
    assert len(model.critical) == len(values) + 1
    assert {len(weights) for weights in model.topic} == {len(values) + 1}
    assert sum(model.topic_scores(values)) == pytest.approx(1)
    assert 0 < model.criticality(values) < 1

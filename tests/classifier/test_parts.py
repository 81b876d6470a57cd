"""The steps from a text to a verdict: words, concepts, sentences, features, the stored weights."""

import functools
from operator import mul

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optoutkit.classifier.features import KINDS, Key, add_up, features, of_itself
from optoutkit.classifier.layers import Layer
from optoutkit.classifier.lexicons import concepts, expressed
from optoutkit.classifier.model import load_model
from optoutkit.classifier.reading import read
from optoutkit.classifier.verdict import inputs
from optoutkit.classifier.weights import UNIT, Weights, packed, restored
from optoutkit.messages import Message
from optoutkit.text.folding import fold
from optoutkit.text.phrases import Phrases
from optoutkit.text.tokens import places, tokenize
from optoutkit.text.tokens import words as words_of
from optoutkit.text.wordlists import LANGUAGES


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("والعنوان الصحيح للطلب", ["عنوان", "صحيح", "طلب"]),
        ("وصلنا وقت الله لدينا", ["وصلنا", "وقت", "الله", "لدينا"]),
        ("إلى أنت آخر", ["الي", "انت", "اخر"]),
        ("ज़रूरी हाँ", ["जरूरी", "हां"]),
        ("łódź ığdır", ["lodz", "igdir"]),
    ],
)
def test_words_lose_what_is_written_as_one_pleases(text: str, expected: list[str]) -> None:
    """Arabic particles and article, variants of letters, optional dots."""
    assert words(text) == expected


@given(st.text(max_size=200) | st.text("aé 1-@.:/w名あاوख़", max_size=60))
def test_words_are_the_texts_of_the_tokens(text: str) -> None:
    """The short way gives the same."""
    folded = fold(text).text
    assert words_of(folded) == words(text)
    assert places(folded) == [(token.start, token.end) for token in tokenize(folded)]


def found(phrases: Phrases, text: str) -> list[tuple[str, str]]:
    """(label, text) of each phrase found."""
    folded = fold(text).text
    return [(phrase.label, folded[phrase.start : phrase.end]) for phrase in phrases.find(list(tokenize(folded)))]


@pytest.mark.parametrize("again", [False, True])
def test_phrases(again: bool) -> None:
    """Whole words, any ending after a star, several words in a row; without spaces anywhere; the same when restored."""
    phrases = Phrases(
        {
            "a": ["gravier*", "welche* name", "adresse", "", "?", "wir * "],
            "b": ["in * fall*"],
            "c": ["お名前", "*", "色", "qrコード", "注文ID"],
        }
    )
    if again:
        phrases = Phrases.restore(phrases.data())
    assert found(phrases, "Gravierung, welcher Name und Adresse?") == [("a", "gravierung"), ("a", "welcher name"), ("a", "adresse")]
    assert found(phrases, "Adressen, welcher, welcher Frosch") == []
    assert found(phrases, "welcher") == []
    assert found(phrases, "刻印するお名前を") == [("c", "お名前")]
    assert found(phrases, "刻印するお名字を") == []
    assert found(phrases, "何色ですか") == [("c", "色")]
    assert found(phrases, "qrコードを") == [("c", "qrコードを")]
    assert found(phrases, "注文idを") == [("c", "注文id")]
    assert found(phrases, "ご注文ありがとう id") == []
    assert found(phrases, "注文") == []


@given(st.lists(st.sampled_from(["which", "name", "names", "tell", "us", "お名前を", "色"]), max_size=8))
def test_labels_and_places_agree_with_what_is_found(given_words: list[str]) -> None:
    """The short ways give the same."""
    phrases = Phrases({"a": ["which name*", "names"], "b": ["tell us", "tell", "us *"], "c": ["お名前", "色", "which"]})
    tokens = list(tokenize(" ".join(given_words)))
    hits = phrases.find(tokens)
    assert phrases.labels([token.text for token in tokens]) == list(dict.fromkeys(phrase.label for phrase in hits))
    assert [label for label, _ in phrases.places([token.text for token in tokens])] == [phrase.label for phrase in hits]


def test_shipped_lexicon_is_sound() -> None:
    """Each language has one, and it finds what its sellers say."""
    assert "review" in concepts(words("please write a review"), ["en"])
    assert {"otherwise", "reply"} & set(concepts(words("ohne ihre antwort"), ["de", "en"]))
    assert ("review", range(3, 4)) in expressed(words("please write a review"), ["en"])
    assert {"until", "address"} <= set(concepts(words("〆切までにご住所をお知らせください"), ["ja"]))
    assert concepts(["which"], ["xx"]) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_a_lexicon(language: str) -> None:
    """Its own word for a review is in it."""
    word = {
        "ar": "تقييم",
        "de": "bewertung",
        "en": "review",
        "es": "reseña",
        "fr": "avis",
        "hi": "रिव्यू",
        "it": "recensione",
        "ja": "レビュー",
    }
    word |= {"nl": "beoordeling", "pl": "opinie", "pt": "avaliação", "sv": "recension", "tr": "yorum", "zh": "评价"}
    assert concepts(words(word[language]), [language])


def test_sentences_of_a_message() -> None:
    """The subject comes first, without marks and Re:; quoted mail is left out; long runs are read in pieces."""
    reading = read(Message("Re: [Important] Your parcel", "Which size?\n\n> old question"))
    assert [(sentence.part, sentence.said.text.strip()) for sentence in reading.sentences] == [
        ("subject", "your parcel"),
        ("text", "which size?"),
    ]
    long = read(Message("", "word " * 300))
    assert [len(sentence.said.words) for sentence in long.sentences] == [120, 120, 60]
    assert "".join(sentence.said.text for sentence in long.sentences).count("word") == 300


@given(st.text("a1-é名。 .\n", max_size=40).map(lambda text: text * 40))
def test_words_have_their_places(text: str) -> None:
    """Of each sentence, pieces of long ones too, the words and the tokens are the same, and it stands where it says."""
    reading = read(Message("", text))
    for sentence in reading.sentences:
        assert reading.text[sentence.part][sentence.start : sentence.end] == sentence.said.text
        assert [token.text for token in tokenize(sentence.said.text)] == list(sentence.said.words)
        assert len(sentence.said.seen) == len(sentence.said.words)


def test_what_was_said_before_is_remembered() -> None:
    """The same sentence is the same object, unless it is read in another language or very long."""
    again = "We have got your order.\nThe same again."
    first, second = (read(Message("", text)).sentences for text in (f"Hello Anna.\n{again}", f"Hello Tom.\n{again}"))
    assert [one is two for one, two in zip((one.said for one in first), (two.said for two in second), strict=True)] == [False, True, True]
    english, german = (read(Message("", "12345 67890"), language).sentences[0].said for language in ("en", "de"))
    assert english is not german
    long = [read(Message("", "the order is here " * 20)).sentences[0].said for _ in range(2)]
    assert long[0] is not long[1]
    assert long[0].words == long[1].words


def test_subject_keeps_brackets_that_are_no_mark() -> None:
    """Only known marks are taken out."""
    reading = read(Message("[Lamp 3000] arrived", ""))
    assert reading.sentences[0].said.text.startswith("[lamp 3000]")


def test_features_of_keys() -> None:
    """Each feature is a CRC-32; the kind tells equal keys apart."""
    seen = [features(kind, key) for kind in KINDS for key in ("address", "名前", ("your", "address"), ("この", "名前"))]
    assert all(0 <= feature < 2**32 for hashes in seen for feature in hashes)
    assert len({hashes for hashes in seen if len(hashes) == 1}) == sum(len(hashes) == 1 for hashes in seen)
    assert len(features("word", "address")) > len(features("word", "name")) > len(features("word", "#")) == 1
    assert features("shape", ("asks", "emoji")) == features("shape", ("asks",)) + features("shape", ("emoji",))


class Counted(dict[Key, int]):
    """Every key counts one."""

    def __missing__(self, key: Key) -> int:
        self[key] = 1
        return 1


def test_what_is_seen_of_a_message() -> None:
    """Numbers are one word, runs fall into groups, neighbours and form are seen, and the subject tells on all sentences."""
    tables = {kind: Counted() for kind in KINDS}
    message = Message("Your name", "Which name shall we engrave?\n1. Anna: yes 😀\nPlease tell us:\nhttps://a.example 12\n刻印\n✔Done\nGo!")
    itself = functools.partial(of_itself, tables=tables, sum_up=sum)
    totals, shared = add_up(read(message, "ja").sentences, tables, sum, itself)
    assert len(totals) == len(read(message, "ja").sentences)
    assert min(totals) > 0
    assert shared > 0
    assert {"刻", "印", "刻印"} == tables["run"].keys()
    assert {"which", "name", "#", "<link>"} <= tables["word"].keys()
    assert "刻印" not in tables["word"]
    assert {("which", "name"), ("^", "anna"), ("<link>", "#"), ("^", "刻印"), ("us", "$")} <= tables["pair"].keys()
    assert {"asks", "field", "emoji", "number", "colon", "exclaims", "subject"} <= {name for shape in tables["shape"] for name in shape}
    assert "?" in tables["before"]
    assert "none" not in tables["subject"]
    add_up(read(Message("", "Thanks")).sentences, tables, sum, itself)
    assert "none" in tables["subject"]


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([features("shape", str(number))[0] for number in range(300)]),
        st.lists(st.tuples(st.integers(0, 40), st.integers(-127, 127)), max_size=5).map(tuple),
        max_size=200,
    )
)
def test_weights_add_up(entries: dict[int, tuple[tuple[int, int], ...]]) -> None:
    """What is written is what is read, all lanes at once, and of what is unknown only the number is counted."""
    weights = Weights(packed(entries.items()), 41)
    total = sum(weights.tables["shape"][str(number)] for number in range(310))
    expected = [0] * 41
    for pairs in entries.values():
        for lane, stored in pairs:
            expected[lane] += restored(stored)
    assert list(weights.lanes.read(total)) == [*expected, 310]
    assert [weights.lanes.read_one(total, lane) for lane in range(42)] == [*expected, 310]
    assert UNIT * restored(-127) == -UNIT * restored(127)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many words there are, the tables do not grow for ever, and give the same."""
    monkeypatch.setattr("optoutkit.classifier.weights._MOST_KEYS", 10)
    monkeypatch.setattr("optoutkit.text.phrases._MOST_WORDS", 10)
    weights = Weights(packed([(features("shape", "a")[0], [(0, 5)])]), 1)
    first = weights.tables["shape"]["a"]
    assert [weights.tables["shape"][f"b{number}"] for number in range(50)]
    assert len(weights.tables["shape"]) <= 10
    assert weights.tables["shape"]["a"] == first
    phrases = Phrases({"a": ["name"]})
    assert phrases.labels([*(f"b{number}" for number in range(50)), "name"]) == ["a"]


@pytest.mark.parametrize("character", ["〇", "안", "a"])
def test_a_word_without_end_counts_as_its_beginning(character: str) -> None:
    """So that no lane runs over, and the tables keep nothing large."""
    long, short = (read(Message("", f"{character * length} please")).sentences for length in (1_500_000, 200))
    model = load_model()
    assert model.totals(long) == model.totals(short)
    assert long[0].said.words[0] == character * 1_500_000


def test_inputs_match_the_model() -> None:
    """The shipped weights fit the inputs they are for."""
    model = load_model()
    rows = [[1 / len(model.labels)] * len(model.labels)] * 3
    values = inputs(rows, model.needs(rows), model.pleas(rows), 0.5)
    assert len(model.critical) == len(values) + 1
    assert model.units.inputs == len(values)
    assert model.topic.inputs == model.units.units
    assert model.topic.units == len(model.topics)
    likely, topics = model.message(values)
    assert 0 < likely < 1
    assert sum(topics) == pytest.approx(1)
    assert model.likeliest(topics, critical=True).critical
    assert not model.likeliest(topics, critical=False).critical


@pytest.mark.parametrize(
    "score", [0, 1 << 14, -(1 << 14), *(sign * size for sign in (1, -1) for size in (460, 461, 708, 709, 709.7, 710, 740, 745, 746))]
)
def test_probabilities_of_any_total(score: float) -> None:
    """However far the lanes go, up or down, all or one of them, the probabilities are some, and add up to one."""
    model = load_model()
    for others in (score, 0):
        lanes = [int(score / UNIT), *[int(others / UNIT)] * (len(model.labels) - 1), 0, 1]
        probabilities = model.sentence(model.weights.lanes.together(lanes))
        assert sum(probabilities) == pytest.approx(1)
        if others != score:
            assert probabilities[0] == pytest.approx(1.0 if score > 0 else 0.0)


@given(st.data())
def test_a_layer_is_the_sums_that_it_stands_for(data: st.DataObject) -> None:
    """All units at once give what each gives by itself, below nothing too."""
    numbers = st.floats(-50, 50)
    inputs_, units = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    rows = data.draw(st.lists(st.lists(numbers, min_size=inputs_ + 1, max_size=inputs_ + 1), min_size=units, max_size=units))
    values = data.draw(st.lists(numbers, min_size=inputs_, max_size=inputs_))
    expected = [sum(map(mul, row, [*values, 1.0])) for row in rows]
    assert Layer(rows)(values) == pytest.approx(expected, abs=0.001)


@given(st.lists(st.integers(-512, 512), min_size=6, max_size=6))
def test_a_layer_is_exact_where_nothing_is_rounded(numbers: list[int]) -> None:
    """Numbers that are multiples of what it rounds to."""
    first, second, third, *values = (number / 512 for number in numbers)
    rows = [[first, second, third, 1.0], [third, first, second, -1.0]]
    assert Layer(rows)(values) == [sum(map(mul, row, [*values, 1.0])) for row in rows]

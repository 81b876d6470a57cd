"""The verdict on whole messages: what must hold whatever the weights are, and plain cases that the shipped weights must get right."""

from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optoutkit.classifier import Classification, Classifier, Topic, classify, reading
from optoutkit.messages import Message

ADDRESS = Message(
    "Your parcel came back",
    "Hello Anna,\n\nthe carrier returned your parcel because the house number is missing.\n"
    "Please send us your complete address so that we can ship it again.\n\nKind regards\nTom",
)
REVIEW = Message("", "Hi Anna, we hope you enjoy the lamp! Please leave us a review on Amazon, it only takes a minute.")


def test_critical_message() -> None:
    """A question that the order needs answered is critical, and its topic is what it asks about."""
    found = classify(ADDRESS)
    assert found.critical
    assert not found.solicits
    assert found.topic is Topic.SHIPPING_ADDRESS
    assert found.confidence > 0.8
    assert found.language == "en"


def test_plea_for_a_review() -> None:
    """A solicitation is not critical."""
    found = classify(REVIEW)
    assert not found.critical
    assert found.solicits
    assert found.topic is Topic.REVIEW_REQUEST


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Which name shall we engrave on the bracelet? We can't start until you tell us."),
        ("de", "Guten Tag Frau Huber, welchen Namen sollen wir auf das Armband gravieren? Ohne Ihre Antwort können wir nicht anfangen."),
        ("fr", "Bonjour Madame, quel prénom devons-nous graver sur le bracelet ? Sans votre réponse, nous ne pouvons pas commencer."),
        ("es", "Hola Ana, ¿qué nombre quieres que grabemos en la pulsera? Sin tu respuesta no podemos empezar."),
        ("it", "Buongiorno Anna, quale nome dobbiamo incidere sul bracciale? Senza la sua risposta non possiamo iniziare."),
        ("ja", "佐藤様 ブレスレットに刻印するお名前をお知らせください。ご返信をいただくまで製作を始められません。"),
    ],
)
def test_customization_in_each_language(language: str, text: str) -> None:
    """The same question, in each language, is critical and about customization."""
    found = classify(text)
    assert (found.critical, found.topic, found.language) == (True, Topic.CUSTOMIZATION, language)


@pytest.mark.parametrize(
    "text",
    [
        "Your order has been shipped with DHL. The tracking number is 00340434161094021501.",
        "Ihre Bestellung wurde heute mit DHL versendet. Die Sendungsnummer lautet 00340434161094021501.",
        "Votre commande a été expédiée aujourd'hui avec Colissimo. Numéro de suivi : 6A12345678901.",
        "Tu pedido ha sido enviado hoy con Correos. Número de seguimiento: PQ4F2D0012345670128001X.",
        "Il tuo ordine è stato spedito oggi con BRT. Numero di tracking: 129012345678.",
        "ご注文の商品を本日発送いたしました。お問い合わせ番号は1234-5678-9012です。",
    ],
)
def test_shipping_confirmation_in_each_language(text: str) -> None:
    """News that asks nothing is not critical."""
    found = classify(text)
    assert (found.critical, found.topic) == (False, Topic.SHIPPING_CONFIRMATION)


def test_mixed_message_is_not_critical() -> None:
    """A true question loses its force beside a solicitation, and bears the solicitation's topic."""
    found = classify(
        Message(ADDRESS.subject, ADDRESS.body.replace("Kind regards", "And please write a product review on Amazon!\n\nKind regards"))
    )
    assert (found.critical, found.solicits, found.topic) == (False, True, Topic.REVIEW_REQUEST)


def test_solicitation_hidden_in_the_other_body_counts() -> None:
    """If body and HTML differ, or a text is hidden, a plea in either makes the message not critical."""
    html = "<p>" + ADDRESS.body.replace("\n", "<br>") + "</p>"
    plain = ADDRESS.body + "\n\nPS: Please leave us a five-star review on Amazon!"
    assert classify(Message(ADDRESS.subject, "", html=html)).critical
    assert not classify(Message(ADDRESS.subject, plain, html=html)).critical
    hidden = html + "<div style='display:none'>Please leave us a five-star review on Amazon!</div>"
    assert not classify(Message(ADDRESS.subject, "", html=hidden)).critical


def test_quoted_mail_and_subject_mark_are_no_evidence() -> None:
    """What the buyer wrote, and a mark such as [Important], change nothing."""
    quoted = Message(
        "",
        "Your order was shipped today with UPS.\n\nOn 3 May 2026 Anna wrote:\n"
        "> What is my address? Which name will you engrave? Please tell me.\n",
    )
    plain = classify(Message("", "Your order was shipped today with UPS."))
    found = classify(quoted)
    assert (found.critical, found.topic) == (plain.critical, plain.topic)
    marked = classify(attrs_evolve(REVIEW, subject="[Important]"))
    assert (marked.critical, marked.confidence) == (False, classify(REVIEW).confidence)


def attrs_evolve(message: Message, subject: str) -> Message:
    """The same message under another subject."""
    return Message(subject, message.body)


def test_tricks_with_letters_do_not_help() -> None:
    """Zero-width characters, look-alike letters and spaced letters are folded before anything is read."""
    tricky = REVIEW.body.replace("a review", "your r e v i e w").replace("leave", "le\u200bave").replace("Amazon", "Am\u0430zon")
    found = classify(tricky)
    assert (found.critical, found.solicits, found.topic) == (False, True, Topic.REVIEW_REQUEST)


@pytest.mark.parametrize("empty", ["", "   \n", "\u200b", "!!! 🎉"])
def test_no_text_is_not_critical_and_says_so(empty: str) -> None:
    """Nothing to read: not critical, about nothing, no confidence."""
    found = classify(empty)
    assert (found.critical, found.topic, found.confidence, found.evidence) == (False, Topic.OTHER, 0.0, ())


def test_evidence_points_at_the_words() -> None:
    """Each span holds the very words, in the part it names; the sign tells which way they pull."""
    for message in (ADDRESS, REVIEW):
        found = classify(message)
        assert found.evidence
        for phrase in found.evidence:
            source = {"subject": message.subject, "text": message.text, "alternative": message.alternative}[phrase.part]
            assert source[phrase.start : phrase.end] == phrase.text
            assert phrase.text.strip()
    assert max(classify(ADDRESS).evidence, key=lambda phrase: phrase.weight).label == "need:shipping_address"
    assert all(phrase.weight <= 0 for phrase in classify(REVIEW).evidence)


def test_evidence_survives_folding() -> None:
    """Spans are those of the text as given, not of the folded one."""
    text = "\u200b\u200bPlea\u200bse send us your com\u00adplete address so that we can ship the parcel again."
    for phrase in classify(text).evidence:
        assert text[phrase.start : phrase.end] == phrase.text


def test_declared_topic() -> None:
    """A critical topic is believed unless the text solicits; one that is not critical always; an unknown one says nothing."""
    news = "Your order was shipped today with UPS."
    assert classify(Message("", news, topic="digital_access")).critical
    assert classify(Message("", news, topic="digital_access")).topic is Topic.DIGITAL_ACCESS
    assert not classify(Message("", REVIEW.body, topic="shipping_address")).critical
    assert not classify(Message("", ADDRESS.body, topic="invoice")).critical
    assert classify(Message("", ADDRESS.body, topic="nonsense")).topic is Topic.SHIPPING_ADDRESS
    template = classify(Message("", "", topic="digital_access"))
    assert (template.critical, template.confidence) == (True, 1.0)


def test_kinds_of_input_agree() -> None:
    """A Message, a mail, its bytes and a bare text give the same verdict."""
    mail = EmailMessage()
    mail["Subject"] = ADDRESS.subject
    mail.set_content(ADDRESS.body)
    verdicts = [classify(given) for given in (ADDRESS, mail, bytes(mail))]
    assert {(found.critical, found.topic) for found in verdicts} == {(True, Topic.SHIPPING_ADDRESS)}
    assert classify(ADDRESS.body).critical


def test_markup_in_a_plain_body_is_not_read() -> None:
    """Tags in a text are no words, and part sentences."""
    found = classify(Message("", "Hello Anna,<br>\nplease send us your complete address<br>\nso that we can ship the parcel again.<br>"))
    assert found.topic is Topic.SHIPPING_ADDRESS


def test_words_in_angle_brackets_are_read() -> None:
    """What looks like a tag and is none is seen by the buyer."""
    text = ADDRESS.body.replace("Kind regards", "<please write a product review on amazon>\n\nKind regards")
    assert classify(text).solicits


def test_unknown_language_is_not_critical() -> None:
    """What cannot be read cannot be critical."""
    for text in (
        "Καλημέρα, ποιο όνομα θέλετε να χαράξουμε;",
        "Ποια διεύθυνση;",
        "Яку адресу вказати на посилці? Напишіть нам, будь ласка.",
    ):
        found = classify(text)
        assert not found.critical
        assert found.language is None


def test_own_threshold() -> None:
    """Nothing is critical at a threshold above all, everything that solicits nothing at 0."""
    assert not Classifier(threshold=1.0).classify(ADDRESS).critical
    assert Classifier(threshold=0.0).classify("Your order was shipped today with UPS.").critical
    assert not Classifier(threshold=0.0).classify(REVIEW).critical
    with pytest.raises(ValueError, match="between 0 and 1"):
        Classifier(threshold=2)


def test_own_phrases_and_topics() -> None:
    """A tool can teach words without touching the package."""
    text = "Hello Anna, which ribbon would you like round the box?"
    own = Classifier(topics={"gift_wrap": True, "club_news": False}, phrases={"gift_wrap": ["which ribbon"], "club_news": ["lamp club*"]})
    found = own.classify(text)
    assert (found.critical, found.topic) == (True, "gift_wrap")
    assert any(phrase.label == "gift_wrap" for phrase in found.evidence)
    assert (own.classify("News of the lamp clubhouse.").critical, own.classify("News of the lamp clubhouse.").topic) == (False, "club_news")
    assert own.classify(Message("", "Your order was shipped.", topic="gift_wrap")).topic == "gift_wrap"
    assert own.classify(ADDRESS).topic is Topic.SHIPPING_ADDRESS
    known = Classifier(phrases={Topic.CUSTOMIZATION: ["paint the frog"], "marketing": ["frog week"]})
    assert known.classify("Do we paint the frog green?").topic is Topic.CUSTOMIZATION
    assert known.classify("It is frog week in our shop.").solicits
    with pytest.raises(ValueError, match="not known: whim"):
        Classifier(phrases={"whim": ["x"]})
    with pytest.raises(ValueError, match="not one text: marketing"):
        Classifier(phrases={"marketing": "frog week"})


def test_known_topic_taken_otherwise() -> None:
    """A tool may say that invoices are critical, or that nothing about customs is."""
    news = "Your order was shipped today with UPS. The tracking number is 1Z999."
    assert Classifier(topics={"shipping_confirmation": True}).classify(news).critical
    assert not Classifier(topics={"shipping_address": False}).classify(ADDRESS).critical
    assert not Classifier(topics={"review_request": True}).classify(REVIEW).critical


def test_own_phrase_is_the_evidence() -> None:
    """What moved the verdict is the phrase itself, wherever it stands."""
    own = Classifier(topics={"gift_wrap": 1}, phrases={"gift_wrap": ["which ribbon", "リボンの色"]})  # type: ignore[dict-item]  # 1 will do
    for text, phrase in (
        ("Or would you say which Rib\u200bbon, red or blue?", "which Rib\u200bbon"),
        ("ご希望のリボンの色は？", "リボンの色"),
    ):
        found = own.classify(text)
        assert (found.critical, found.topic) == (True, "gift_wrap")
        assert [one.text for one in found.evidence if one.label == "gift_wrap"] == [phrase]


@pytest.mark.parametrize(
    "text",
    [
        "word " * 117 + "302-1234567-1234567-9",
        "word " * 300 + "🎉",
        "あ" * 1000 + " which name? " + "名前を" * 100,
        "\ud800 which name",
        "_",
        "〆切",
    ],
)
def test_odd_texts_get_an_answer(text: str) -> None:
    """Very long sentences and runs, lone surrogates, single signs."""
    for phrase in classify(text).evidence:
        assert text[phrase.start : phrase.end] == phrase.text


def test_evidence_in_a_language_without_spaces() -> None:
    """It is the characters that say it, not the whole line."""
    text = "佐藤様、いつもお世話になっております。ブレスレットに刻印するお名前を教えてください。"
    assert all(len(phrase.text) < len(text) for phrase in classify(text).evidence)


def test_expected_language() -> None:
    """A region does not matter; where there is no text it is the answer."""
    assert classify("", language="de-AT").language == "de"
    assert classify(Message("", "", language="FR")).language == "fr"


def test_many_threads() -> None:
    """They share what was looked up before, and get the same answers as one alone."""
    texts = [f"{REVIEW.body} {number} {'x' * number}" for number in range(40)]
    alone = [classify(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(classify, texts * 3)) == alone * 3


def test_deterministic() -> None:
    """The same message gives the same answer, evidence included."""
    assert classify(ADDRESS) == classify(ADDRESS)


@given(st.permutations([*ADDRESS.text.splitlines(), *REVIEW.text.splitlines(), "Which name shall we engrave?", "आपका नाम?", "お名前は？"]))
def test_what_was_met_before_changes_nothing(lines: list[str]) -> None:
    """A message of sentences that others had gets the same answer as one whose sentences are new."""
    message = Message("", "\n".join(lines))
    found = classify(message)
    reading._remembered.cache_clear()
    assert classify(message) == found


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400), st.text(max_size=60))
def test_any_text_gets_an_answer(body: str, subject: str) -> None:
    """No text breaks it, and every answer is whole."""
    message = Message(subject, body)
    found = classify(message)
    assert isinstance(found, Classification)
    assert 0 <= found.confidence <= 1
    assert not (found.critical and found.solicits)
    assert Topic(found.topic).critical == found.critical
    for phrase in found.evidence:
        source = {"subject": message.subject, "text": message.text, "alternative": message.alternative}[phrase.part]
        assert source[phrase.start : phrase.end] == phrase.text


@pytest.mark.parametrize("unit", ["a ", "review ", "? ", "\n", "あ", "x@y ", "http://a.b ", "(", "< ", "que ", "…", "१ "])
def test_a_megabyte_of_anything_ends(unit: str) -> None:
    """Work is linear: a large text of one repeated thing gets its answer."""
    assert classify(unit * (200_000 // len(unit))).confidence >= 0

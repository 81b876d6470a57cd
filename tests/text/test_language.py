"""Languages told by script and function words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optoutkit.text.folding import fold
from optoutkit.text.language import Guess, detect
from optoutkit.text.wordlists import LANGUAGES

SENTENCES = {
    "ar": "يرجى إخبارنا باللون الذي تريده لطلبك حتى نتمكن من الشحن.",
    "de": "Bitte teilen Sie uns mit, welche Farbe Sie für die Bestellung möchten, damit wir sie verschicken können.",
    "en": "Please tell us which colour you would like for your order so that we can send it.",
    "es": "Por favor, díganos qué color quiere para su pedido y lo enviaremos en cuanto podamos.",
    "fr": "Merci de nous dire quelle couleur vous souhaitez pour votre commande, afin que nous puissions l’envoyer.",
    "hi": "कृपया हमें बताएं कि आप अपने ऑर्डर के लिए कौन सा रंग चाहते हैं।",
    "it": "Per favore ci dica quale colore desidera per il suo ordine, così che lo possiamo spedire.",
    "ja": "ご注文の色を教えてください。確認後に発送いたします。",
    "nl": "Laat ons alstublieft weten welke kleur u voor uw bestelling wilt, dan kunnen wij het versturen.",
    "pl": "Proszę napisać, jaki kolor chcą Państwo do tego zamówienia, żebyśmy mogli je wysłać.",
    "pt": "Por favor, diga-nos qual a cor que quer para a sua encomenda, para que a possamos enviar.",
    "sv": "Skriv till oss vilken färg du vill ha på din beställning så att vi kan skicka den.",
    "tr": "Siparişiniz için hangi rengi istediğinizi bize yazın ki gönderebilelim, bu çok önemli.",
    "zh": "请告诉我们您的订单需要什么颜色，以便我们发货。",
}


@pytest.mark.parametrize("language", [language for language in SENTENCES if language in {*LANGUAGES, "ar", "hi", "ja", "zh"}])
def test_a_sentence_is_enough(language: str) -> None:
    """Folded or not, and with a product's name in Latin letters in it."""
    text = SENTENCES[language]
    for form in (text, text.upper(), fold(text).text, f"{text} TurboClean 3000 XL"):
        guess = detect(form)
        assert guess.language == language
        assert guess.candidates[0] == language
        assert 0 < guess.confidence <= 1


@pytest.mark.parametrize("text", ["", "302-1234567-1234567", "TurboClean 3000", "!!!", "Привет, как дела?", "안녕하세요", "Γεια σου"])
def test_what_could_be_anything_is_nothing(text: str) -> None:
    """No sign of a language, or one of a script that none of ours has."""
    assert detect(text).language is None
    assert detect(text).confidence == 0


def test_a_hint_decides_between_equals_only() -> None:
    """It is no evidence of its own."""
    assert detect("de", "es").language == "es"
    assert detect("de", "fr").language == "fr"
    assert detect("de").language is None
    assert {"es", "fr"} <= set(detect("de").candidates)
    assert detect(SENTENCES["de"], "fr").language == "de"
    assert detect("", "fr") == Guess(None, 0.0)


def test_a_text_in_two_languages_has_both_as_candidates() -> None:
    """The classifier looks for phrases of either."""
    assert set(detect(f"{SENTENCES['de']} {SENTENCES['en']}").candidates) >= {"de", "en"}
    assert set(detect(f"{SENTENCES['ja']} {SENTENCES['en'][:30]}").candidates) >= {"ja", "en"}


def test_a_text_without_kana_is_chinese() -> None:
    """A few kana among the ideographs make it Japanese."""
    assert detect("请确认地址谢谢").language == "zh"
    assert detect("住所確認の件").language == "ja"


def test_letters_of_its_own_tell_a_language() -> None:
    """Where no word does; a name in a text of another language does not."""
    assert detect("Kırık kutu yazıldı").language == "tr"
    assert detect("Żółty, wąski").language == "pl"
    assert detect(f"{SENTENCES['de']} Ayşe Yıldırım Dağ").language == "de"


@pytest.mark.parametrize("quoted", ["'The order is late'", "‘The order is late’", "'The order isn't late'", '"The order is late"'])
def test_words_in_quotes_are_known(quoted: str) -> None:
    """A quote is no part of a word; an apostrophe inside is."""
    assert detect(quoted) == detect(quoted.strip("'‘’\""))
    assert detect(quoted).language == "en"


@given(st.text(), st.none() | st.sampled_from(LANGUAGES))
def test_any_text_gives_a_guess(text: str, hint: str | None) -> None:
    """A language that is known, or none; a confidence between 0 and 1."""
    guess = detect(text, hint)
    assert guess.language is None or guess.language in {*LANGUAGES, "ar", "hi", "ja", "zh"}
    assert 0 <= guess.confidence <= 1
    assert (guess.language is None) == (guess.confidence == 0)

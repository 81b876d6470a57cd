"""The page with the parser's precision."""

import importlib.util
from pathlib import Path

from optoutkit.testing.forwarding import CLIENTS, SERVERS
from optoutkit.testing.notices import LANGUAGES


def test_the_page_shows_what_the_parser_does() -> None:
    """As ``precision.py`` writes it; every mail is judged right, and close ones are half of them."""
    spec = importlib.util.spec_from_file_location("precision", Path(__file__).with_name("precision.py"))
    assert spec is not None
    assert spec.loader is not None
    precision = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(precision)
    cases = precision.cases()
    assert [f"{case.language}, {case.form}: {case.name}: {case.verdict}" for case in cases if not case.is_right] == []
    page = precision.PAGE.read_text(encoding="utf-8")
    assert page.partition(precision.BEGIN)[2].partition(precision.END)[0].strip() == precision.figures(cases)

    others = [case for case in cases if not case.orders]
    assert len(cases) >= 250
    assert len(others) >= len(cases) / 2
    for language in LANGUAGES:
        own = [case.form for case in cases if case.language == language]
        assert set(own) == {*precision.FORMS, *precision.LOOK_ALIKES}, language
    assert {*CLIENTS, *SERVERS} <= {word.strip(",") for case in cases for word in case.name.split()}

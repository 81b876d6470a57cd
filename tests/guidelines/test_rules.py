"""The rules: each with an example that breaks it and no other, and one that comes near and breaks none."""

import importlib.util
from pathlib import Path

import pytest

from optoutkit.guidelines import Rule, Violation, check_guidelines, rules
from optoutkit.messages import Message
from optoutkit.text.mime import Attachment

DOCS = Path(__file__).parents[2] / "docs"
BUYER = "7yxwc3c8k00p1k3@marketplace.amazon.de"


def written(rule: Rule, example: str) -> Message:
    """The message that an example stands for."""
    if rule.form == "html":
        return Message("", "", html=example)
    if rule.form == "attachment":
        return Message("", "Which colour shall it be?", attachments=[Attachment(filename=example, content_type="application/pdf", size=9)])
    return Message("", example, to=BUYER if rule.id == "other_language" else ())


def found(rule: Rule, example: str) -> tuple[Violation, ...]:
    """What breaks a rule in an example; only one of them is about order IDs."""
    return check_guidelines(written(rule, example), skip=() if rule.id == "missing_order_id" else ("missing_order_id",))


@pytest.mark.parametrize("name", rules())
def test_examples_do_what_they_say(name: str) -> None:
    """The one breaks its rule and nothing else, the other nothing at all."""
    rule = rules()[name]
    assert {violation.rule for violation in found(rule, rule.breaks)} == {name}
    assert found(rule, rule.keeps) == ()


def test_the_page_lists_the_rules() -> None:
    """As ``docs/guideline_rules.py`` writes it."""
    spec = importlib.util.spec_from_file_location("guideline_rules", DOCS / "guideline_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "guidelines.md").read_text(encoding="utf-8")
    assert page.partition(module.BEGIN)[2].partition(module.END)[0].strip() == module.listed().strip()


def test_explanations_are_one_sentence() -> None:
    """For people, and not long."""
    for rule in rules().values():
        assert rule.explanation.endswith(".")
        assert ". " not in rule.explanation
        assert len(rule.explanation) < 120


def test_a_rule_can_be_switched_off() -> None:
    """And one that there is not is an error that names those there are."""
    assert [violation.rule for violation in check_guidelines("Ah! 😊")] == ["emoji", "missing_order_id"]
    assert check_guidelines("Ah! 😊", skip=["emoji", "missing_order_id"]) == ()
    assert [violation.rule for violation in check_guidelines("Ah! 😊", skip="emoji")] == ["missing_order_id"]
    with pytest.raises(ValueError, match=r"there is no rule 'emojis'; there are: external_link, .*emoji"):
        check_guidelines("", skip=["emojis"])

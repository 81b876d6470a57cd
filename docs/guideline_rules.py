"""The part of guidelines.md that lists the rules, made from the rules themselves: ``python docs/guideline_rules.py`` writes it anew."""

from pathlib import Path

from optoutkit.guidelines import Rule, rules

PAGE = Path(__file__).parent / "guidelines.md"
BEGIN, END = "<!-- rules -->\n", "<!-- end of rules -->\n"


def section(rule: Rule) -> str:
    """What the page says of a rule."""
    kind = {"text": "text", "html": "html", "attachment": "text"}[rule.form]
    form = ", as the name of an attachment" if rule.form == "attachment" else ""
    replies = "" if rule.replies else " Not for answers to the buyer."
    return (
        f"### `{rule.id}`\n\n{rule.explanation}{replies} Since {rule.since}; {rule.source}.\n\n"
        f"Breaks it{form}:\n\n```{kind}\n{rule.breaks}\n```\n\nDoes not:\n\n```{kind}\n{rule.keeps}\n```\n"
    )


def listed() -> str:
    """All of it."""
    return "\n".join(section(rule) for rule in rules().values())


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{listed()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")

"""What Amazon forbids in a message: a linter for sellers' templates.

:func:`check_guidelines` holds a message against Amazon's communication guidelines (amazon.md section e). The rules are data in
``rules.toml``; the words that matter to them are in ``words``, one file a language.
"""

from optoutkit.guidelines.checker import check_guidelines
from optoutkit.guidelines.values import Rule, Violation, rules

__all__ = ["Rule", "Violation", "check_guidelines", "rules"]

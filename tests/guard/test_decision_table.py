"""Case by case, what becomes of a message, written down here by hand; the page in the documentation is what guards make of these cases."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from optoutkit.guard import Action, Decision, DecisionReason, Policy
from optoutkit.optouts import Reason

DOCS = Path(__file__).parents[2] / "docs"


def _loaded() -> Any:
    spec = importlib.util.spec_from_file_location("decision_table", DOCS / "decision_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


made: Any = _loaded()

# A line for each case: its words, then for each policy of its group but AUDIT what becomes of each recipient; a missing column is as
# the one before it. "+" is send, "-" suppress, "?" hold.
EXPECTED = """
What the caller declares
    a reply | + declared_reply
    a reply; the text solicits | + declared_reply | - opted_out
    a reply; the classifier fails | + declared_reply
    a Handmade or custom order | + custom_order
    a Handmade or custom order; the text solicits | + custom_order
    a critical topic that Amazon names | + declared_critical
    another critical topic | + declared_critical | - opted_out
    a critical topic; the text solicits | - opted_out
    a critical topic; the classifier fails | + declared_critical
    a topic that is not critical; the text is | - opted_out
    a topic that nobody knows; the text is critical | + critical | - opted_out
    a topic that nobody knows | - opted_out
    the contact reason *Confirm customization details* | + declared_critical
    the contact reason *Problem with order* | + declared_critical | - opted_out
    the contact reason *Problem with order*; the text solicits | - opted_out
    the contact reason *Ask product review*; the text is critical | - opted_out
    a contact reason that nobody knows; the text is critical | + critical
What the text is
    critical, on a topic that Amazon names | + critical
    critical, on another topic | + critical | - opted_out
    the classifier is not sure | - opted_out
    not critical | - opted_out
    soliciting, whatever else it says | - opted_out
    there is none (a template, an attachment) | - opted_out
    the classifier fails | - opted_out
    the classifier fails, and the buyer is not on the list | + not_opted_out
Where the opt-out is found
    nowhere | + not_opted_out
    at the buyer's address | - opted_out
    at the address, written with a case number | - opted_out
    at the order of the message | - opted_out
    at an earlier order, which is linked to the buyer | - opted_out
    at an earlier order, of which no link is known | + not_opted_out
    at the buyer of the order, where the message has no recipient | - opted_out
    in the list that holds for all sellers | - opted_out
    in the list of another seller | + not_opted_out
    expired | + not_opted_out
    withdrawn | + not_opted_out
    for the reason `complaint` | - opted_out
    for the reason `buyer_opt_out` | - opted_out
    for the reason `unsubscribe` | - opted_out
    for the reason `manual` | - opted_out
    for the reason `hard_bounce` | - opted_out
`block_always`
    critical, listed for `complaint` | + critical | - blocked_reason
    critical, listed for `buyer_opt_out` | + critical | + critical | - blocked_reason
    critical, listed for `unsubscribe` | + critical | + critical | - blocked_reason
    critical, listed for `manual` | + critical | + critical | - blocked_reason
    critical, listed for `hard_bounce` | + critical | + critical | - blocked_reason
    critical by the caller's word, listed for `complaint` | + declared_critical | - blocked_reason
    critical, the order listed for `complaint` | + critical | - blocked_reason
    a reply, listed for `complaint` | + declared_reply
    critical, and the store is down | + critical
While the store does not answer
    not critical, to a buyer | ? store_unavailable
    critical, to a buyer | + critical
    critical on another topic than Amazon names, to a buyer | + critical | ? store_unavailable
    a critical topic is declared | + declared_critical
    a reply | + declared_reply
    a custom order | + custom_order
    the classifier fails | ? store_unavailable
    not critical, to a supplier | + store_unavailable
    not critical, to both | ? store_unavailable, + store_unavailable
    not critical, about an order without recipient | ? store_unavailable
Whom it is for
    a buyer and a supplier, the buyer on the list | - opted_out, + not_opted_out
    two buyers, one on the list | + not_opted_out, - opted_out
    To the supplier, Cc the buyer, who is on the list | + not_opted_out, - opted_out
    To the supplier, Bcc the buyer, who is on the list | + not_opted_out, - opted_out
    To two buyers, the order of one on the list | - opted_out, - opted_out
    a supplier, who is on the list | - opted_out
    a supplier, about an order that is on the list | + not_opted_out
    To a group: the buyer, who is on the list, and a supplier | - opted_out, + not_opted_out
    a group of nobody | + unreadable_address
    what is no address | + unreadable_address
    an order on the list, without recipient | - opted_out
    nobody, about nothing |
Amazon's guidelines
    keeps them | + not_opted_out
    breaks one | + not_opted_out | + not_opted_out | - guideline_violation
    breaks one, and the buyer is on the list | - opted_out
    breaks one, and is critical | + critical
    breaks one, and is a reply | + declared_reply
    breaks one, to a supplier | + not_opted_out
    the checker fails | + not_opted_out
One request an order
    the first request | + not_opted_out
    a request was sent before | - already_requested
    a request was sent before; this one is about a custom order | - already_requested
    a request was sent before; this one has the topic declared | - already_requested
    a request was sent before; this is none | + not_opted_out
    a request was sent before; this is critical | + critical
    a request was sent before; this is a reply that solicits | + declared_reply | - already_requested
    a request was sent before, and the buyer is on the list | - opted_out
    a request was sent before; this one names no order | + not_opted_out
    a request was sent before; this one has no recipient, but the order | - already_requested
    another one is being sent | ? request_pending
    another one is being sent; this is to the buyer and a supplier | ? request_pending, + not_opted_out
    the ledger does not answer | ? ledger_unavailable
    the ledger does not answer; this is no request | + not_opted_out
"""
SIGNS = {Action.SEND: "+", Action.SUPPRESS: "-", Action.HOLD: "?"}


def expected() -> dict[tuple[str, str], list[str]]:
    """The columns of each line, by title and words."""
    found, title = {}, ""
    for line in EXPECTED.strip("\n").splitlines():
        if line.startswith("    "):
            words, *columns = (column.strip() for column in line.split("|"))
            found[title, words] = columns
        else:
            title = line
    return found


CASES = [(group, case) for group in made.GROUPS for case in group.cases]


def told(decision: Decision) -> str:
    """A decision as it stands above."""
    return f"{SIGNS[decision.action]} {decision.reason.value}"


def test_every_case_is_written_down_and_no_other() -> None:
    """In the same order, none twice."""
    assert list(expected()) == [(group.title, case.words) for group, case in CASES]


@pytest.mark.parametrize(("group", "case"), CASES, ids=[f"{group.title}: {case.words}" for group, case in CASES])
def test_what_becomes_of_a_message(group: Any, case: Any) -> None:
    """Under each policy what is written down; AUDIT tells what AMAZON does, and sends; the explanation begins with what is done."""
    columns = expected()[group.title, case.words]
    for number, (name, policy) in enumerate(group.policies.items()):
        decisions = made.verdict(case, policy).decisions
        outcome = ", ".join(map(told, decisions))
        if name == "AUDIT":
            enforced = made.verdict(case, Policy.AMAZON).decisions
            assert [(decision.action, decision.unenforced, decision.reason) for decision in decisions] == [
                (Action.SEND, decision.action, decision.reason) for decision in enforced
            ]
            assert all(
                decision.explanation == f"Only reported. {other.explanation}" for decision, other in zip(decisions, enforced, strict=True)
            )
        else:
            assert outcome == columns[min(number, len(columns) - 1)], name
            for decision in decisions:
                beginning = {Action.SEND: "It may go", Action.SUPPRESS: "It must not go", Action.HOLD: "It must wait"}[decision.action]
                assert decision.explanation.startswith(beginning)


def test_every_rule_and_every_reason_is_in_the_table() -> None:
    """Nothing that can decide is left out."""
    words = EXPECTED.replace("|", " ").replace(",", " ").replace("`", " ").split()
    assert {reason.value for reason in (*DecisionReason, *Reason)} <= set(words)


def test_the_page_is_what_the_guards_make_of_it() -> None:
    """As ``docs/decision_table.py`` writes it."""
    page = (DOCS / "decision-table.md").read_text(encoding="utf-8")
    assert page.partition(made.BEGIN)[2].partition(made.END)[0].strip() == made.table().strip()


def test_the_script_writes_the_page(tmp_path: Path) -> None:
    """Anew between its marks, and leaves the rest as it is."""
    import subprocess

    (tmp_path / "decision_table.py").write_text((DOCS / "decision_table.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "decision-table.md").write_text(f"before\n{made.BEGIN}old\n{made.END}after\n", encoding="utf-8")
    done = subprocess.run([sys.executable, str(tmp_path / "decision_table.py")], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    assert (tmp_path / "decision-table.md").read_text(encoding="utf-8") == f"before\n{made.BEGIN}\n{made.table()}\n{made.END}after\n"

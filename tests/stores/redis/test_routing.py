"""Which command goes where, and what answers mean: flows that are fed with answers."""

from collections.abc import Callable
from typing import Any

import pytest

from optoutkit.errors import StoreCorrupt, StoreUnavailable
from optoutkit.flows import run
from optoutkit.stores.redis.exchanges import Answer, Exchange, Failure, Refusal
from optoutkit.stores.redis.routing import Router
from optoutkit.stores.redis.settings import Node, Settings

A, B, C = ("a", 1), ("b", 2), ("c", 3)
TO_A, TO_B = (1, (b"GET", b"1")), (16_000, (b"GET", b"2"))
SLOTS = [[0, 8191, [b"a", 1, b"id", []]], [8192, 16383, [b"b", 2, b"id", []], [b"c", 3, b"id", []]]]


def cluster(**options: Any) -> Router:
    """One of which the first node is known."""
    return Router(Settings(nodes=(A,), cluster=True, **options))


def play(router: Router, commands: list[Any], *rounds: dict[Node, Answer], durable: bool = False) -> Any:
    """Send commands; each round gives what each node answers, in that order of nodes."""
    left = list(rounds)

    def perform(exchange: Exchange) -> list[Answer]:
        answers = left.pop(0)
        assert [talk.node for talk in exchange.talks] == list(answers)
        for talk, answer in zip(exchange.talks, answers.values(), strict=True):
            assert isinstance(answer, Failure) or len(answer) == len(talk.commands), talk.commands
        return list(answers.values())

    replies = run(router.send(commands, durable=durable), perform)  # type: ignore[arg-type]
    assert not left
    return replies


def test_each_command_goes_to_the_owner_of_its_slot() -> None:
    """The replies come in the order of the commands; who owns what is asked once."""
    router = cluster()
    assert play(router, [TO_B, TO_A, TO_B], {A: [SLOTS]}, {B: [1, 2], A: [3]}) == [1, 3, 2]
    assert play(router, [TO_A], {A: [4]}) == [4]


def test_a_moved_slot_is_followed_and_remembered() -> None:
    """What a node says has moved is asked elsewhere at once, and from then on."""
    router = cluster()
    assert play(router, [TO_A, TO_B], {A: [SLOTS]}, {A: [Refusal("MOVED", C)], B: [2]}, {C: [1]}) == [1, 2]
    assert play(router, [TO_A], {C: [3]}) == [3]
    assert play(router, [TO_A], {C: [Refusal("MOVED", ("", 9))]}, {("c", 9): [4]}) == [4]


def test_ask_is_followed_just_once() -> None:
    """While a slot moves, a single command is asked elsewhere, and the next one at the old place."""
    router = cluster()
    assert play(router, [TO_A], {A: [SLOTS]}, {A: [Refusal("ASK", C)]}, {C: [b"OK", 1]}) == [1]
    assert play(router, [TO_A], {A: [2]}) == [2]


def test_a_node_without_the_script_is_given_it() -> None:
    """The script is loaded, and what wanted it is sent again; the rest is not."""
    router = Router(Settings(nodes=(A,)))
    assert play(router, [TO_A, TO_A], {A: [1, Refusal("NOSCRIPT")]}, {A: [b"sha", 2]}, durable=True) == [1, 2]


def test_after_a_failure_the_cluster_is_asked_again() -> None:
    """A node that is gone is left out if another has its slots; the one that failed is asked last."""
    router = cluster()
    play(router, [TO_A], {A: [SLOTS]}, {A: [1]})
    assert play(router, [TO_A], {A: Failure("gone")}, {B: [[[0, 16383, [b"c", 3]]]]}, {C: [2]}) == [2]


@pytest.mark.parametrize(
    ("rounds", "says"),
    [
        ([{A: Failure("gone")}], "a:1: gone"),
        ([{A: [Refusal("ERR")]}], "no cluster"),
        ([{A: [[[0, "x"]]]}], "does not say which slots"),
        ([{A: [7]}], "does not say which slots"),
        ([{A: [[]]}], "the cluster is down"),
        ([{A: [SLOTS]}, {A: Failure("gone")}, {B: [SLOTS]}], "a:1: gone"),
        ([{A: [SLOTS]}, {A: Failure("gone")}, {B: Failure("gone")}, {C: Failure("gone")}, {A: Failure("gone too")}], "a:1: gone too"),
        ([{A: [SLOTS]}, {A: [Refusal("CLUSTERDOWN")]}], "the cluster is down"),
        ([{A: [SLOTS]}, *[{A: [Refusal("TRYAGAIN")]}] * 5], "slots are moving"),
        ([{A: [SLOTS]}, *[{A: [Refusal("MOVED", A)]}] * 5], "slots are moving"),
        ([{A: [SLOTS]}, {A: [Refusal("STRANGE")]}], r"refused a command \(STRANGE\)"),
    ],
)
def test_what_cannot_be_done_is_unavailable(rounds: list[dict[Node, Answer]], says: str) -> None:
    """Each ends after a bounded number of tries, and says which node had what."""
    with pytest.raises(StoreUnavailable, match=says):
        play(cluster(), [TO_A], *rounds)


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (Failure("gone"), StoreUnavailable, "a:1: gone"),
        ([Refusal("MOVED", B)], StoreUnavailable, "write redis\\+cluster://"),
        ([Refusal("OOM")], StoreUnavailable, "out of memory"),
        ([Refusal("WRONGTYPE")], StoreCorrupt, "another prefix"),
    ],
)
def test_one_server_has_nobody_to_turn_to(answer: Answer, error: type[Exception], says: str, durable: bool) -> None:
    """Its refusals and failures are final."""
    with pytest.raises(error, match=says):
        play(Router(Settings(nodes=(A,))), [TO_A], {A: answer}, durable=durable)


def test_a_write_waits_for_its_replicas() -> None:
    """It is acknowledged when as many have it as were asked for, and not before."""
    router = cluster(wait=2)
    assert play(router, [TO_A, TO_B], {A: [SLOTS]}, {A: [1, 2], B: [3, 4]}, durable=True) == [1, 3]
    with pytest.raises(StoreUnavailable, match="only 1 of 2 replicas"):
        play(router, [TO_A], {A: [1, 1]}, durable=True)
    with pytest.raises(StoreUnavailable, match=r"refused a command \(ERR\)"):
        play(router, [TO_A], {A: [1, Refusal("ERR")]}, durable=True)
    assert play(router, [TO_A], {A: [1]}) == [1]  # a read does not


def test_the_servers_with_data_are_known() -> None:
    """Replicas are not among them."""
    flow: Callable[[Any], list[Answer]] = lambda exchange: [[SLOTS]]  # noqa: E731
    assert run(cluster().nodes(), flow) == [A, B]
    assert run(Router(Settings(nodes=(A,))).nodes(), flow) == [A]

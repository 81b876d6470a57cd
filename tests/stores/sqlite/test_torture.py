"""Nothing that was acknowledged is lost: processes killed while they record, full disks, failing disks, many writers at once.

These are the short forms. ``nox -s torture`` sets OPTOUTKIT_TORTURE, which makes them long, and prints what was counted.
"""

import inspect
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from optoutkit.identities import Address
from optoutkit.stores.sqlite import SqliteStore

LONG = "OPTOUTKIT_TORTURE" in os.environ
Start = Callable[..., "subprocess.Popen[str]"]
Raw = Callable[..., list[Any]]


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a figure, in the long form."""

    def show(text: str) -> None:
        if LONG:
            with capsys.disabled():
                sys.stdout.write(f"\n    {text}")

    return show


def missing(tool: str) -> None:
    """Skip a test for want of a tool; where tests must not be skipped, fail."""
    (pytest.fail if "CI" in os.environ else pytest.skip)(f"this test needs {tool}")


def buyers(run: int, number: int) -> list[Address]:
    """The buyers of a batch: mostly one, sometimes many, known by the run and the number of the batch."""
    size = random.Random(f"{run} {number}").choice([1, 1, 2, 10, 300, 800])
    return [Address(f"buyer-{run}-{number}-{copy}@example.com") for copy in range(size)]


SCRIPT = f"""
import itertools, json, os, random, shutil, sys, threading, time
from optoutkit.errors import StoreUnavailable
from optoutkit.identities import Address, OrderId
from optoutkit.optouts import OptOut
from optoutkit.stores.sqlite import SqliteStore
{inspect.getsource(buyers)}
def record(run, number):
    store.record([OptOut(buyer) for buyer in buyers(run, number)])
    print("recorded", run, number, flush=True)
"""


def acknowledged(output: str) -> list[tuple[int, int]]:
    """The batches of which a process has said that they were recorded; a line that was cut off says nothing."""
    lines = [line for line in output.splitlines(keepends=True) if line.startswith("recorded ") and line.endswith("\n")]
    return [(int(run), int(number)) for _, run, number in map(str.split, lines)]


def check_all_there(path: Path, raw: Raw, batches: list[tuple[int, int]]) -> str:
    """Every acknowledged opt-out is there, no other batch is there in part, and the file is sound; returns what was counted."""
    assert raw("PRAGMA integrity_check") == [("ok",)]
    with SqliteStore(path) as store:
        expected = [buyer for batch in batches for buyer in buyers(*batch)]
        assert store.lookup(expected).keys() == set(expected)
        there = Counter(tuple(str(entry.identity).split("-")[1:3]) for entry in store.scan())
    for (run, number), count in there.items():
        assert count == len(buyers(int(run), int(number)))
    return f"{len(expected):,} opt-outs acknowledged in {len(batches):,} batches, lost 0; {there.total():,} there, integrity ok"


RECORD = (
    SCRIPT
    + """
run = int(sys.argv[2])
store = SqliteStore(sys.argv[1])
for number in itertools.count():
    record(run, number)
"""
)


def test_what_was_acknowledged_survives_a_kill(path: Path, start: Start, raw: Raw, tell: Callable[[str], None]) -> None:
    """A process that is killed at a random moment while it records loses nothing that it has acknowledged, and leaves no half batch."""
    moments = random.Random(4)
    batches = []
    kills = 100 if LONG else 5
    for run in range(kills):
        process = start(RECORD, path, run)
        assert process.stdout is not None
        first = process.stdout.readline()
        for _ in range(moments.randrange(20)):
            first += process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0, 0.02))
        process.kill()
        rest, errors = process.communicate(timeout=60)
        assert errors == ""
        batches += acknowledged(first + rest)
        assert raw("PRAGMA integrity_check") == [("ok",)]
    tell(f"killed {kills} times: {check_all_there(path, raw, batches)}")


# On a disk of 4 MB most of which something else takes, which gives way a little in each round.
FULL = (
    SCRIPT
    + """
path, rounds = sys.argv[1], int(sys.argv[2])
filler = os.path.join(os.path.dirname(path), "filler")
with open(filler, "wb") as file:
    file.write(bytes(3_300_000))
store = SqliteStore(path)
for run in range(rounds):
    os.truncate(filler, 3_300_000 - run * 100_000)
    try:
        for number in itertools.count():
            record(run, number)
    except StoreUnavailable as error:
        print(error)
    assert len(store.lookup(buyers(run, 0))) in (0, len(buyers(run, 0)))
os.remove(filler)
record(rounds, 0)
store.close()
for file in os.listdir(os.path.dirname(path)):  # with its log, if there was no room to write it back
    shutil.copy(os.path.join(os.path.dirname(path), file), os.path.dirname(sys.argv[3]))
"""
)


def test_a_full_disk_loses_nothing(path: Path, raw: Raw, tell: Callable[[str], None]) -> None:
    """Each time there is no room, the error says so, what was acknowledged is there, and it goes on when there is room again."""
    folder = path.with_name("small")
    folder.mkdir()
    rounds = 25 if LONG else 3
    mount = f'mount -t tmpfs -o size=4m tmpfs {folder} && exec {sys.executable} -W error -c "$0" "$@"'
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount, FULL, f"{folder}/optouts.db", str(rounds), str(path)]
    if shutil.which("unshare") is None or subprocess.run(["unshare", "--mount", "--map-root-user", "true"], check=False).returncode:
        missing("unshare, and leave to mount a small disk")
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.stderr == ""
    errors = [line for line in done.stdout.splitlines() if not line.startswith("recorded ")]
    assert len(errors) == rounds
    assert [error for error in errors if "the disk is full: make room" not in error and "the disk reports an error" not in error] == []
    batches = acknowledged(done.stdout)
    tell(f"disk full {rounds} times: {check_all_there(path, raw, batches)}")


# Lets every fiftieth or so call that writes, or asks for what was written to reach the disk, fail as a dying disk does.
FAILING_DISK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/types.h>
static int fails(void) {
    static unsigned state = 0;
    const char *seed = getenv("FAILING_DISK");
    if (seed == NULL) return 0;
    if (state == 0) state = atoi(seed);
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % 50 == 0;
}
#define CALL(type, name, parameters, arguments) \\
    type name parameters { \\
        static type (*real) parameters; \\
        if (!real) real = dlsym(RTLD_NEXT, #name); \\
        if (fails()) { errno = EIO; return -1; } \\
        return real arguments; \\
    }
CALL(ssize_t, pwrite64, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
CALL(ssize_t, pwrite, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
CALL(int, fdatasync, (int file), (file))
CALL(int, fsync, (int file), (file))
CALL(int, ftruncate64, (int file, off_t size), (file, size))
CALL(int, ftruncate, (int file, off_t size), (file, size))
"""

RECORD_ON_A_FAILING_DISK = (
    SCRIPT
    + """
run, attempts = int(sys.argv[2]), int(sys.argv[3])
store = None
for number in range(attempts):
    try:
        store = store or SqliteStore(sys.argv[1])
        record(run, number)
        assert len(store.lookup(buyers(run, number))) == len(buyers(run, number))
    except StoreUnavailable as error:
        print(error)
del os.environ["FAILING_DISK"]  # from here on it is sound again
store.close()
"""
)


@pytest.fixture(scope="module")
def failing_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that is loaded before the others, between SQLite and the disk."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        missing("a C compiler on Linux")
    source = tmp_path_factory.mktemp("disk") / "failing.c"
    source.write_text(FAILING_DISK, encoding="utf-8")
    library = source.with_suffix(".so")
    subprocess.run([str(compiler), "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True, timeout=60)
    return library


def test_a_failing_disk_loses_nothing(
    path: Path, failing_disk: Path, start: Start, raw: Raw, monkeypatch: pytest.MonkeyPatch, tell: Callable[[str], None]
) -> None:
    """Whichever call to the disk fails, it is a clear error; what was acknowledged is there when the disk is sound again."""
    batches: list[tuple[int, int]] = []
    errors: list[str] = []
    SqliteStore(path).close()
    for run in range(40 if LONG else 4):
        with monkeypatch.context() as patch:
            patch.setenv("LD_PRELOAD", str(failing_disk))
            patch.setenv("FAILING_DISK", str(run + 1))
            process = start(RECORD_ON_A_FAILING_DISK, path, run, 100 if LONG else 40)
        output, told = process.communicate(timeout=120)
        assert (process.returncode, told) == (0, "")
        batches += acknowledged(output)
        errors += [line for line in output.splitlines() if not line.startswith("recorded ")]
    assert errors
    assert [error for error in errors if "the disk reports an error" not in error] == []
    tell(f"a write failed {len(errors):,} times: {check_all_there(path, raw, batches)}")


# Each of its threads records batches that overlap with those of the other processes, looks some up, links, and scans. It starts
# when it is told to, so that all of them make the file at once. In the long form it goes on until the time is over.
HAMMER = (
    SCRIPT
    + """
path, seller, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + seconds
new, times = [], {"record": [], "lookup": []}
def timed(verb, *arguments):
    begin = time.perf_counter()
    answer = getattr(store, verb)(*arguments)
    times[verb].append(time.perf_counter() - begin)
    return answer
with SqliteStore(path) as store:
    def work(thread):
        for batch in itertools.count():
            if batch >= 15 and time.monotonic() >= end:
                break
            mine = [Address(f"buyer{number}@example.com") for number in range(batch * 10, batch * 10 + 20)]
            new.append(timed("record", [OptOut(buyer) for buyer in mine]).new)
            for _ in range(5 if seconds else 1):
                assert timed("lookup", mine).keys() == set(mine)
            store.link([(OrderId(f"302-{thread:07}-{batch:07}"), mine[0])], seller=seller)
        assert len(list(itertools.islice(store.scan(), 160))) == 160
    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(json.dumps({"new": new, "times": times}))
"""
)


def test_many_processes_and_threads_share_a_file(path: Path, start: Start, raw: Raw, tell: Callable[[str], None]) -> None:
    """Nobody meets a lock, nothing is lost or counted twice, though all of them make the file at the same time."""
    processes = [start(HAMMER, path, f"seller {number}", 60 if LONG else 0) for number in range(8 if LONG else 4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=300) for process in processes]
    assert [errors for _, errors in results] == [""] * len(processes)
    reports = [json.loads(output) for output, _ in results]
    batches = [len(report["new"]) for report in reports]
    (entries,) = raw("SELECT count(*) FROM entry")[0]
    assert sum(sum(report["new"]) for report in reports) == entries
    assert raw("SELECT count(*) FROM link") == [(sum(batches),)]
    assert raw("PRAGMA integrity_check") == [("ok",)]
    for verb in ("record", "lookup"):
        times = sorted(itertools.chain.from_iterable(report["times"][verb] for report in reports))
        middle, high = (f"{times[len(times) * part // 100] * 1e3:.1f} ms" for part in (50, 99))
        tell(f"{len(processes)} processes x 4 threads: {len(times):,} times {verb} of 20, median {middle}, p99 {high}")

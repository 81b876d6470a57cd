"""Everything a developer or CI runs: ``nox`` for the usual, ``nox --list`` for all."""

import pathlib
import shutil

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "lint", "typing", "docs"]


def group(name: str) -> list[str]:
    """The packages of a dependency group."""
    return nox.project.dependency_groups(PYPROJECT, name)


def wheel(session: nox.Session) -> str:
    """Build the wheel and return its path: what is tested is what users get."""
    folder = pathlib.Path(session.create_tmp(), "wheel").resolve()
    shutil.rmtree(folder, ignore_errors=True)
    session.install("build", "hatchling")
    session.run("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), silent=True)
    return str(next(folder.glob("*.whl")))


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the test suite against the built wheel, with coverage. Words after ``--`` go to pytest."""
    session.install(f"{wheel(session)}[all]", *group("test"))
    environment = {"COVERAGE_FILE": str(pathlib.Path(session.create_tmp(), ".coverage").resolve())}
    session.run("coverage", "erase", env=environment)
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or ["-n", "2"]), env=environment)
    session.run("coverage", "combine", "--quiet", env=environment)
    # The aim is 100: a tenth is left for lines that only one outcome of a race between processes reaches.
    session.run("coverage", "report", *([] if session.posargs else ["--fail-under=99.9"]), env=environment)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format and the direction of imports."""
    session.install("-e", ".", *group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types: mypy strict, and that every public name is fully typed."""
    session.install("-e", ".[all]", *group("typing"))
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--ignoreexternal", "--verifytypes", "optoutkit")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install("-e", ".[all]", *group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure speed as ratios against a bare peer in the same run."""
    session.install(f"{wheel(session)}[all]", *group("bench"))
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def precision(session: nox.Session) -> None:
    """Write how the notice parser judges the project's own mails into its page; fail if it judges any wrongly."""
    session.install("-e", ".")
    session.run("python", "tests/notices/precision.py")


@nox.session
def torture(session: nox.Session) -> None:
    """Kill, starve and crowd the stores for minutes, and print what was counted: that nothing acknowledged is lost."""
    session.install(f"{wheel(session)}[all]", *group("test"))
    files = sorted(str(path) for path in pathlib.Path("tests").rglob("test_torture.py"))
    session.run("python", "-m", "pytest", *(session.posargs or files), env={"OPTOUTKIT_TORTURE": "1"})


@nox.session
def fuzz(session: nox.Session) -> None:
    """Read what a fuzzer guided by coverage makes of notices, for ten minutes; words after ``--`` go to libFuzzer."""
    session.install("-e", ".", *group("fuzz"))
    session.run("python", "-m", "fuzz.notices", *session.posargs)


@nox.session
def train(session: nox.Session) -> None:
    """Make what the classifier ships anew from the training texts and lexicons; with ``-- --check`` only compare."""
    session.install("-e", ".", *group("train"))
    # The same sums in the same order, whatever the processor can do besides: the same texts give the same bytes.
    same_everywhere = {
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR",
        "OPENBLAS_CORETYPE": "Prescott",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",  # numpy tells of features that this processor does not have
    }
    session.run("python", "training/train.py", *session.posargs, env=same_everywhere)

"""The page that says what holds for each sender."""

import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_conformance_suite_says() -> None:
    """Each tick is a test that is there, and so passes; run ``python docs/sender_matrix.py`` after a change."""
    made = subprocess.run([sys.executable, DOCS / "sender_matrix.py", "--collect"], capture_output=True, encoding="utf-8", check=False)
    assert made.returncode == 0, made.stderr
    page = (DOCS / "sender-matrix.md").read_text(encoding="utf-8")
    table = page.partition("<!-- matrix -->\n\n")[2].partition("\n<!-- end of the matrix -->")[0]
    assert set(made.stdout.splitlines()) <= set(table.splitlines())
    if sys.version_info >= (3, 12):  # Python 3.11 has not the newest Django
        assert made.stdout == table

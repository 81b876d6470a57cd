"""The lexicons as people write them, made ready for use."""

import json
import pathlib
import tomllib

from optoutkit.text.phrases import Phrases

__all__ = ["FOLDER", "compiled", "concepts"]

FOLDER = pathlib.Path(__file__).parent / "lexicons"


def concepts(file: pathlib.Path) -> dict[str, list[str]]:
    """Concept to phrases, of one language's file: its two tables, what a sentence does and what it is about, as one."""
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return {**data["acts"], **data["things"]}


def compiled() -> dict[str, bytes]:
    """For each language the bytes that ship."""
    return {
        file.stem: json.dumps(Phrases(concepts(file)).data(), ensure_ascii=False, separators=(",", ":")).encode()
        for file in sorted(FOLDER.glob("*.toml"))
    }

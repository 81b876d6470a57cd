"""Links: outside ones, insecure ones, ways to opt out, and logos that lead to a website."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources

from optoutkit.guidelines import placeholders
from optoutkit.guidelines.pages import Anchor
from optoutkit.guidelines.sources import Found, Reading, Source
from optoutkit.marketplaces import MARKETPLACES

__all__ = ["Domains", "check_links", "check_logo_names", "check_opt_out_words", "host_of", "hosts", "is_in", "url_spans"]

# Nothing in it can match at two lengths; a URL ends where a script without spaces begins.
_URL = re.compile(
    r"(?:(?:[a-z][a-z0-9+.-]{1,15}:)?//|(?<![\w@.-])www\.)(?=[\w\[])[!#$%&()*+,\-./0-9:;=?@A-Z\[\]_a-z~\u00c0-\u024f]{1,2000}",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?<![\w@./-])[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.){1,4}(?:com|net|org|biz|shop|co\.uk|com\.br|com\.tr|com\.mx)(?![\w@-]|\.\w)"
)
_TRAILING = ".,;:!?)]('\""
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]{0,30}):")
_AUTHORITY = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]{0,30}:)?[/\\]{2,}([^/\\?#\s]{0,400})")
_LOCAL = frozenset({"cid", "data", "about", "javascript", "file", "blob", "x-apple-data-detectors"})
_CONTACTS = frozenset({"mailto", "tel", "sms", "callto", "whatsapp", "facetime"})
_WEBSITE = re.compile(r"(?:www\.|https?://)[\w-]|[a-z0-9-]\.(?:com|net|org|shop)\b", re.IGNORECASE)
_OPT_OUT_PATH = re.compile(r"unsubscribe|opt-?out|abmelden|desabonn|desinscri|disiscri|afmelden|wypisz|avregistrer", re.IGNORECASE)

Domains = tuple[str, ...]


@cache
def hosts(kind: str) -> Domains:
    """The domains of a kind in ``links.toml``; ``"amazon"`` includes the stores'."""
    data = tomllib.loads((resources.files("optoutkit.guidelines") / "links.toml").read_text(encoding="utf-8"))
    stores = tuple(store.domain for store in MARKETPLACES) if kind == "amazon" else ()
    return (*data[kind], *stores)


def host_of(url: str) -> str:
    """The host of a URL, lower case; empty if it has none, or a placeholder stands for it."""
    authority = _AUTHORITY.match(url)
    if authority is None:
        return ""
    host = authority[1].rpartition("@")[2].partition(":")[0].rstrip(".").lower()
    return "" if placeholders.blank(host) != host else host


def is_in(host: str, domains: Domains) -> bool:
    """Whether a host is one of these domains or below one."""
    parts = host.split(".")
    return any(".".join(parts[place:]) in domains for place in range(len(parts)))


def url_spans(source: Source) -> list[tuple[int, int]]:
    """Where links are written out in the text of a source."""
    found = [(url.start(), url.start() + len(url[0].rstrip(_TRAILING))) for url in _URL.finditer(source.text)]
    found = sorted([*found, *(bare.span() for bare in _BARE.finditer(source.text))])
    return [span for place, span in enumerate(found) if not place or span[0] >= found[place - 1][1]]


def check_links(reading: Reading, allowed: Domains) -> Iterator[Found]:
    """Find the links that must not be there."""
    for source in reading.sources:
        covered = list[tuple[int, int]]()
        for anchor in source.anchors:
            found = list(_check_anchor(source, anchor, allowed))
            yield from found
            if found:
                covered.append((anchor.text_start, anchor.text_end))
        yield from _check_text(source, covered, allowed)


def _check_anchor(source: Source, anchor: Anchor, allowed: Domains) -> Iterator[Found]:
    scheme = _SCHEME.match(anchor.href)
    kind = scheme[1].lower() if scheme else ""
    labels = [label for sentence in source.around(anchor.text_start, anchor.text_end) for label in sentence.labels]
    if kind in _LOCAL or kind in _CONTACTS or "opt_out" in labels:  # contacts, and the words of opting out, are found elsewhere
        return
    if _OPT_OUT_PATH.search(anchor.href):
        yield Found.place("opt_out_link", source, anchor.start, anchor.end)
        return
    url = (
        anchor.href
        if kind or anchor.href.startswith(("//", "\\\\"))
        else "//" + anchor.href
        if anchor.href.lower().startswith("www.")
        else ""
    )
    if not url:
        return
    host = host_of(url)
    if kind in ("", "http", "https") and not host:
        return
    is_picture = anchor.pictures > 0 and not source.text[anchor.text_start : anchor.text_end].strip()
    if is_picture and not is_in(host, hosts("amazon")) and not is_in(host, allowed):
        yield Found.place("website_logo", source, anchor.start, anchor.end)
    elif not _is_fine(host, labels, allowed):
        yield Found.place("external_link", source, anchor.start, anchor.end)
    if kind == "http" and not is_in(host, hosts("amazon")):
        yield Found.place("insecure_link", source, anchor.start, anchor.end)


def _check_text(source: Source, covered: list[tuple[int, int]], allowed: Domains) -> Iterator[Found]:
    """Links that are written out, unless they are the words of a link that was found already."""
    ahead = iter(covered)
    current = next(ahead, None)
    for start, end in url_spans(source):
        while current and current[1] <= start:
            current = next(ahead, None)
        if current and current[0] <= start:
            continue
        url = source.text[start:end]
        host = host_of(url if "//" in url[:20] else f"//{url}")
        labels = [label for sentence in source.around(start, end) for label in sentence.labels]
        if "opt_out" in labels:
            continue
        if _OPT_OUT_PATH.search(url):
            yield Found.words("opt_out_link", source, start, end)
        elif not _is_fine(host, labels, allowed):
            yield Found.words("external_link", source, start, end)
        if url.lower().startswith("http://") and not is_in(host, hosts("amazon")):
            yield Found.words("insecure_link", source, start, end)


def _is_fine(host: str, labels: list[str], allowed: Domains) -> bool:
    return (
        is_in(host, hosts("amazon"))
        or is_in(host, hosts("carriers"))
        or is_in(host, allowed)
        or "link_needed" in labels
        or "carrier_or_warranty" in labels
    )


def check_opt_out_words(reading: Reading) -> Iterator[Found]:
    """Find sentences that tell how to opt out of messages, link or not."""
    for source in reading.sources:
        for sentence in source.sentences:
            for phrase in sentence.find("opt_out"):
                yield Found.words("opt_out_link", source, *sentence.place(phrase))
                break


def check_logo_names(reading: Reading) -> Iterator[Found]:
    """Find pictures whose description names a website."""
    for element in reading.main.elements:
        if element.name == "img" and _WEBSITE.search(placeholders.blank(element.attributes.get("alt", ""))):
            yield Found.place("website_logo", reading.main, element.start, element.end)

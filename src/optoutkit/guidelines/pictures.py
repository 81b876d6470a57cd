"""Pictures and signs: emoji, GIFs, tracking pixels, pictures of the product, insecure and wide ones."""

import re
from collections.abc import Iterator

from optoutkit.guidelines import placeholders
from optoutkit.guidelines.links import host_of, hosts, is_in
from optoutkit.guidelines.pages import Element
from optoutkit.guidelines.sources import Found, Reading

__all__ = ["check_emoji", "check_pictures"]

# What is shown as a picture unless told otherwise (Unicode Technical Standard 51, Emoji_Presentation), what mail programs show so
# all the same, and whatever bears the sign for it (U+FE0F).
_PICTURE_SIGN = (
    r"[\U0001f000-\U0001faff\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2639\u263a\u2648-\u2653\u2665\u267f\u2693\u26a1\u26aa"
    r"\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2764"
    r"\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
)
_EMOJI = re.compile(
    rf"(?:{_PICTURE_SIGN}|[#*0-9\u00a9\u00ae\u203c-\u3299]\ufe0f)[\ufe0f\u200d\u20e3\U000e0020-\U000e007f]*(?:{_PICTURE_SIGN}[\ufe0f\u200d]*)*"
)
_TEXT_STYLE = "\ufe0e"
_PERCENT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,5})?)\s*%")
_PIXELS = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,5})?)\s*(?:px)?")
_WIDEST = 80  # percent, amazon.md section e
_BACKGROUND = re.compile(r"url\(\s*+(?:['\"]\s*+)?http://", re.IGNORECASE)
_PRODUCT_PICTURE = re.compile(
    r"(?:product|item|asin|article|artikel|produkt|produit|producto|prodotto)[\W_]{0,3}(?:image|img|photo|picture|pic|bild|foto)",
    re.IGNORECASE,
)
_GIF = re.compile(r"\.gif(?:[?#]|\Z)|\Adata:image/gif", re.IGNORECASE)
_REMOTE = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_LONGEST_ADDRESS = 4000


def check_emoji(reading: Reading) -> Iterator[Found]:
    """Find emoji, those next to one another together."""
    for source in reading.sources:
        for found in _EMOJI.finditer(source.text):
            if source.text[found.end() : found.end() + 1] != _TEXT_STYLE:
                yield Found.words("emoji", source, *found.span())


def check_pictures(reading: Reading) -> Iterator[Found]:
    """Find pictures that must not be there, or not so."""
    for attachment in reading.message.attachments:
        if attachment.content_type == "image/gif" or attachment.filename.lower().endswith(".gif"):
            yield Found("gif", text=attachment.filename)
    for element in reading.main.elements:
        address = element.attributes.get("src", "") if element.name in ("img", "input") else element.attributes.get("background", "")
        address = "".join(address[:_LONGEST_ADDRESS].split())
        for rule in _broken(element, address):
            yield Found.place(rule, reading.main, element.start, element.end)


def _broken(element: Element, address: str) -> Iterator[str]:
    styled = element.style.get("background-image", "") + element.style.get("background", "")
    if address.lower().startswith("http://") or _BACKGROUND.search(styled):
        yield "insecure_image"
    if element.name != "img":
        return
    if _is_tracking(element, address):
        yield "tracking_pixel"
        return
    if _GIF.search(address):
        yield "gif"
    if _shows_product(element, address):
        yield "product_image"
    if any(
        _is_wide(width)
        for width in (element.attributes.get("width", ""), element.style.get("width", ""), element.style.get("min-width", ""))
    ):
        yield "wide_image"


def _is_tracking(element: Element, address: str) -> bool:
    if not (_REMOTE.match(address) or placeholders.blank(address) != address):
        return False
    if any(sign in address.lower() for sign in hosts("pixels")):
        return True
    width, height = _side(element, "width"), _side(element, "height")
    hidden = element.style.get("display") == "none" or element.style.get("visibility") == "hidden" or "hidden" in element.attributes
    return hidden or (width is not None and height is not None and width <= 1 and height <= 1)


def _side(element: Element, name: str) -> float | None:
    found = _PIXELS.fullmatch(element.style.get(name) or element.attributes.get(name, "").strip())
    return float(found[1]) if found else None


def _shows_product(element: Element, address: str) -> bool:
    host = host_of(address)
    if is_in(host, hosts("pictures")) and ("/images/i/" in address.lower() or "/images/p/" in address.lower()):
        return True
    return any(_PRODUCT_PICTURE.search(found[0]) for found in placeholders.find(address + " " + element.attributes.get("alt", "")))


def _is_wide(width: str) -> bool:
    found = _PERCENT.fullmatch(width.strip())
    return found is not None and float(found[1]) > _WIDEST

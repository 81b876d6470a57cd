"""The parts of a mail: where each begins and ends in its bytes, found in one pass over the mail.

The standard library's parser recurses once per level, tests each line against every open boundary, and keeps no offsets.
This one is iterative, asks one dictionary per candidate line, and its limits hold before anything grows. It does not look into
attached mails: what they hold belongs to them (RFC 2046 section 5.2.1).
"""

import re
from collections.abc import Iterator

import attrs

from optoutkit.errors import MessageTooLarge
from optoutkit.text.headers import Headers, read_headers
from optoutkit.text.transfer import transfer_decode

__all__ = ["Limits", "Part", "read_parts"]

_BOUNDARY_LINE = re.compile(rb"(?<![^\r\n])--[^\r\n]*")
_LONGEST_BOUNDARY = 250  # RFC 2046 section 5.1.1 allows 70; some mailers take more
_CONTENT_TYPE = re.compile(r"[^\s/;]+/[^\s/;]+")


@attrs.frozen(kw_only=True)
class Limits:
    """How much of a mail is read; more is refused.

    Attributes:
        max_bytes: Size of the whole mail.
        max_parts: Number of MIME parts, multiparts and the mail itself included.
        max_depth: Multiparts within one another.
        max_header_bytes: Size of the header fields of the mail and of its parts together.

    Raises:
        ValueError: One of them is not positive.
    """

    max_bytes: int = attrs.field(default=32 * 2**20, validator=attrs.validators.gt(0))
    max_parts: int = attrs.field(default=1000, validator=attrs.validators.gt(0))
    max_depth: int = attrs.field(default=50, validator=attrs.validators.gt(0))
    max_header_bytes: int = attrs.field(default=2**20, validator=attrs.validators.gt(0))


@attrs.define(eq=False)
class Part:
    """One MIME part; the mail itself is the outermost.

    Attributes:
        raw: The bytes of the whole mail.
        headers: The part's own header block.
        content_type: Such as ``"text/plain"``, lower case; the default where none or nonsense is declared.
        parameters: Those of Content-Type.
        start: Where its body begins in ``raw``.
        end: Where its body ends, before the line break that belongs to the boundary.
        children: The parts of a multipart.
    """

    raw: bytes = attrs.field(repr=False)
    headers: Headers
    content_type: str
    parameters: dict[str, str]
    start: int
    end: int
    children: list["Part"] = attrs.field(factory=list)

    @property
    def is_multipart(self) -> bool:
        """Whether it holds parts and no content of its own."""
        return self.content_type.startswith("multipart/") and bool(self.children)

    @property
    def disposition(self) -> str:
        """``"inline"``, ``"attachment"``, another word, or empty where none is declared (RFC 2183)."""
        return self.headers.parameters("content-disposition").value

    @property
    def filename(self) -> str:
        """The name it is to be saved under; empty if it has none."""
        disposition = self.headers.parameters("content-disposition").parameters
        return disposition.get("filename") or self.parameters.get("name", "")

    @property
    def size(self) -> int:
        """Bytes of its body as it stands in the mail."""
        return self.end - self.start

    def content(self, size: int | None = None) -> bytes:
        """The body without its transfer encoding; of a body of more than ``size`` bytes only whole lines of the first ones."""
        encoding = self.headers.parameters("content-transfer-encoding").value.partition(" ")[0]
        end = self.end
        if size is not None and self.size > size:
            end = self.start + size
            end = self.raw.rfind(b"\n", self.start, end) + 1 or end
        return transfer_decode(self.raw[self.start : end], encoding)

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in the order of the mail."""
        waiting: list[Part] = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.children))


def read_parts(raw: bytes, start: int, limits: Limits) -> Part:
    """Find the parts of a mail whose header block begins at ``start``.

    Raises:
        MessageTooLarge: It has more parts, deeper ones, or longer headers than ``limits`` allow.
    """
    root = _part(raw, start, "text/plain", limits.max_header_bytes)
    left = limits.max_header_bytes - root.headers.size
    nest = _Nest(limits.max_depth)
    nest.enter(root)
    count, position = 1, root.start
    for line in _BOUNDARY_LINE.finditer(raw, root.start):
        if not nest:
            break  # whatever follows the last boundary belongs to nobody
        if line.start() < position or line.end() - line.start() > _LONGEST_BOUNDARY:
            continue
        found = nest.find(line[0][2:].rstrip(b" \t"))
        if found is None:
            continue
        level, closes = found
        parent = nest.leave(level, _before_newline(raw, line.start()), closes=closes)
        if closes:
            continue
        count += 1
        if count > limits.max_parts:
            raise MessageTooLarge(f"the mail has more than {limits.max_parts} parts")
        digest = parent.content_type == "multipart/digest"  # RFC 2046 section 5.1.5: its parts are mails unless they say otherwise
        part = _part(raw, _after_newline(raw, line.end()), "message/rfc822" if digest else "text/plain", left)
        left -= part.headers.size
        parent.children.append(part)
        nest.enter(part)
        position = part.start
    return root


class _Nest:
    """The multiparts around the place that is being read, each with its boundary."""

    def __init__(self, max_depth: int) -> None:
        self._open: list[tuple[Part, bytes]] = []
        self._levels: dict[bytes, int] = {}
        self._max_depth = max_depth

    def __len__(self) -> int:
        return len(self._open)

    def enter(self, part: Part) -> None:
        """Go into a part if it is a multipart whose boundary is not that of one around it, which would never let it begin."""
        boundary = part.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
        if not part.content_type.startswith("multipart/") or not boundary or boundary in self._levels:
            return
        if len(self._open) == self._max_depth:
            raise MessageTooLarge(f"the mail has multiparts nested deeper than {self._max_depth}")
        self._levels[boundary] = len(self._open)
        self._open.append((part, boundary))

    def find(self, token: bytes) -> tuple[int, bool] | None:
        """The level whose boundary a line has, and whether the line closes it."""
        level = self._levels.get(token)
        if level is not None:
            return level, False
        level = self._levels.get(token[:-2]) if token.endswith(b"--") else None
        return None if level is None else (level, True)

    def leave(self, level: int, end: int, *, closes: bool) -> Part:
        """End whatever is open inside the multipart of that level, and the multipart itself if its boundary closes it."""
        multipart = self._open[level][0]
        last = multipart
        while last.children and last.children[-1].end > end:
            last = last.children[-1]
            last.end = end = max(last.start, end)
        if closes:
            multipart.end = max(multipart.start, end)
        for _, boundary in self._open[level + (not closes) :]:
            del self._levels[boundary]
        del self._open[level + (not closes) :]
        return multipart


def _part(raw: bytes, start: int, default_type: str, longest_headers: int) -> Part:
    headers, body = read_headers(raw, start, longest_headers)
    declared = headers.parameters("content-type")
    content_type = declared.value if _CONTENT_TYPE.fullmatch(declared.value) else default_type if not declared.value else "text/plain"
    return Part(raw, headers, content_type, dict(declared.parameters), body, len(raw))


def _before_newline(raw: bytes, position: int) -> int:
    if raw[position - 2 : position] == b"\r\n":
        return position - 2
    return max(position - 1, 0)


def _after_newline(raw: bytes, position: int) -> int:
    if raw[position : position + 2] == b"\r\n":
        return position + 2
    return min(position + 1, len(raw))

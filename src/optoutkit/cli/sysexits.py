"""The exit codes that mail programs tell one another by, of BSD's <sysexits.h>."""

import enum

__all__ = ["Failed", "SysExit", "of_reply"]


class SysExit(enum.IntEnum):
    """What ``sendmail`` tells its caller."""

    OK = 0
    USAGE = 64
    DATA_ERROR = 65
    NO_USER = 67
    NO_HOST = 68
    UNAVAILABLE = 69
    TEMPORARY = 75
    NO_PERMISSION = 77
    CONFIG = 78


class Failed(Exception):
    """Nothing of a mail has been sent.

    Attributes:
        code: The exit code that says why; another program's own may be none of those above.
    """

    def __init__(self, code: int, text: str) -> None:
        """Say it in words, too."""
        super().__init__(text)
        self.code = code


_BY_ENHANCED_CODE = {"5.1.1": SysExit.NO_USER, "5.1.2": SysExit.NO_HOST}


def of_reply(code: int, text: str) -> SysExit:
    """What a server's refusal amounts to.

    Args:
        code: The reply code; 4yz is temporary (RFC 5321 section 4.2.1).
        text: The reply's text; an enhanced code at its beginning tells more (RFC 3463: X.1.1 "bad destination mailbox address", X.1.2
            "bad destination system address", X.7 "security or policy status").
    """
    if 400 <= code < 500:  # noqa: PLR2004 - RFC 5321 section 4.2.1
        return SysExit.TEMPORARY
    enhanced = text.split(maxsplit=1)[0] if text.strip() else ""
    if enhanced.startswith("5.7."):
        return SysExit.NO_PERMISSION
    return _BY_ENHANCED_CODE.get(enhanced, SysExit.UNAVAILABLE)

"""Where a mail goes from here: a mail server by SMTP or LMTP, or another program that is called as sendmail(8) is."""

import os
import re
import smtplib
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

import attrs

from optoutkit.cli.sysexits import Failed, SysExit, of_reply

__all__ = ["MARK", "ProgramRelay", "Refusal", "Relay", "ServerRelay"]

MARK = "OPTOUTKIT_SENDMAIL"
"""A variable in the environment of a program that is called, by which it is known when it calls back."""

_LINE_END = re.compile(
    rb"\r\n|\r|\n"
)  # RFC 5321 section 2.3.8: a lone CR or LF must not be sent; some servers would see the end of the mail in it
_TIMEOUT = 300.0  # RFC 5321 section 4.5.3.2: the longest that a server may take for an answer, but for that to the mail itself


@attrs.frozen
class Refusal:
    """A recipient whom the server did not take, while others may have the mail.

    Attributes:
        recipient: Who.
        code: What it amounts to.
        text: The server's words.
    """

    recipient: str
    code: SysExit
    text: str


class Relay(Protocol):
    """Takes a mail over."""

    @property
    def completes(self) -> bool:
        """Whether it puts in what a mail from a local program lacks."""
        ...

    def send(self, sender: str, recipients: Sequence[str], raw: bytes) -> list[Refusal]:
        """Hand a mail over.

        Raises:
            Failed: None of the recipients will get it from here.
        """
        ...


@attrs.frozen
class ServerRelay:
    """A mail server.

    A recipient whom it cannot take now, and says so before the mail is handed over, keeps the mail from going to anybody: so it can be
    tried again as a whole, and nobody gets it twice.

    Attributes:
        host: Where it is; for LMTP also the path of a Unix socket.
        port: Its port.
        lmtp: Whether it is spoken to by LMTP.
    """

    host: str
    port: int
    lmtp: bool = False
    completes: bool = attrs.field(default=False, init=False)

    def send(self, sender: str, recipients: Sequence[str], raw: bytes) -> list[Refusal]:
        """See :meth:`Relay.send`."""
        with _failures(), self._connected() as client:
            client.ehlo_or_helo_if_needed()
            _expect(client.mail(sender, _options(client, [sender, *recipients], raw)))
            replies = [(recipient, *client.rcpt(recipient)) for recipient in recipients]
            refused = [_refusal(*reply) for reply in replies if not _is_good(reply[1])]
            _give_up_where_nobody_has_it(refused, len(recipients))
            taken = [recipient for recipient, code, _ in replies if _is_good(code)]
            answers = [client.data(_LINE_END.sub(b"\r\n", raw))]
            if not self.lmtp:
                _expect(answers[0])
                return refused
            answers += [client.getreply() for _ in taken[1:]]  # RFC 2033 section 4.2: one for each that was taken
            late = [_refusal(recipient, *answer) for recipient, answer in zip(taken, answers, strict=True) if not _is_good(answer[0])]
            if len(late) == len(taken):
                _give_up_where_nobody_has_it([*refused, *late], len(recipients))
            return [*refused, *late]

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        client = (smtplib.LMTP if self.lmtp else smtplib.SMTP)(self.host, self.port, timeout=_TIMEOUT)
        try:
            yield client
        finally:
            with suppress(OSError, smtplib.SMTPException):  # whatever it says now, the mail has gone or has not
                client.quit()
            client.close()


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        text = _text(error.smtp_error)
        raise Failed(of_reply(error.smtp_code, text), f"the relay says: {error.smtp_code} {text}") from None
    except smtplib.SMTPNotSupportedError as error:
        raise Failed(SysExit.UNAVAILABLE, f"the relay cannot take this mail: {error}") from None
    except (OSError, smtplib.SMTPException) as error:  # it cannot be reached, or hung up
        raise Failed(SysExit.TEMPORARY, f"the relay does not answer: {error}") from None


def _options(client: smtplib.SMTP, addresses: Sequence[str], raw: bytes) -> list[str]:
    options = []
    if client.has_extn("size"):
        options.append(f"size={len(raw)}")
    if client.has_extn("8bitmime") and not raw.isascii():
        options.append("body=8bitmime")
    if not all(address.isascii() for address in addresses):
        if not client.has_extn("smtputf8"):
            raise smtplib.SMTPNotSupportedError("it knows no addresses beyond ASCII")
        options.append("smtputf8")
    return options


def _is_good(code: int) -> bool:
    return 200 <= code < 300  # noqa: PLR2004 - RFC 5321 section 4.2.1


def _expect(reply: tuple[int, bytes]) -> None:
    if not _is_good(reply[0]):
        raise smtplib.SMTPResponseException(*reply)


def _refusal(recipient: str, code: int, text: bytes) -> Refusal:
    said = _text(text)
    return Refusal(recipient, of_reply(code, said), f"{code} {said}")


def _give_up_where_nobody_has_it(refused: Sequence[Refusal], recipients: int) -> None:
    later = next((refusal for refusal in refused if refusal.code is SysExit.TEMPORARY), None)
    if later:
        raise Failed(SysExit.TEMPORARY, f"the relay says: {later.text}")
    if len(refused) == recipients:
        raise Failed(refused[0].code, f"the relay says: {refused[0].text}")


def _text(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")


@attrs.frozen
class ProgramRelay:
    """Another sendmail(8).

    Attributes:
        program: Its path.
        arguments: What of the options given here is for it.
    """

    program: str
    arguments: tuple[str, ...] = ()
    completes: bool = attrs.field(default=True, init=False)

    def send(self, sender: str, recipients: Sequence[str], raw: bytes) -> list[Refusal]:
        """See :meth:`Relay.send`."""
        command = [self.program, "-i", *self.arguments, "-f", sender or "<>", "--", *recipients]
        try:
            done = subprocess.run(command, input=raw, check=False, env=os.environ | {MARK: "1"})  # noqa: S603 - what the user named
        except (OSError, ValueError) as error:
            raise Failed(SysExit.CONFIG, f"{self.program} cannot be run: {error}") from None
        if done.returncode:
            code = done.returncode if done.returncode > 0 else SysExit.TEMPORARY  # ended by a signal
            raise Failed(code, f"{self.program} ended with {done.returncode}")
        return []

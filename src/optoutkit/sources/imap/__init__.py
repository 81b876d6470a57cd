"""Mails from IMAP servers."""

from optoutkit.sources.imap.mailbox import ImapMailbox, read_imap

__all__ = ["ImapMailbox", "read_imap"]

"""Where notices come from: files, folders, mboxes, Maildirs, standard input, IMAP servers."""

from optoutkit.sources.feeding import feed, feed_async
from optoutkit.sources.files import read_file, read_folder, read_mbox, read_stdin, read_stream
from optoutkit.sources.item import MAX_BYTES, Item
from optoutkit.sources.maildir import is_maildir, read_maildir
from optoutkit.sources.opening import open_mailbox, open_source
from optoutkit.sources.stopping import Stop
from optoutkit.sources.watching import Mailbox, watch

__all__ = [
    "MAX_BYTES",
    "Item",
    "Mailbox",
    "Stop",
    "feed",
    "feed_async",
    "is_maildir",
    "open_mailbox",
    "open_source",
    "read_file",
    "read_folder",
    "read_maildir",
    "read_mbox",
    "read_stdin",
    "read_stream",
    "watch",
]

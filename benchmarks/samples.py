"""The mails and buyers that are measured with."""

from email.message import EmailMessage
from email.policy import SMTP

from optoutkit import Address, Identity, OrderId
from optoutkit.testing.forwarding import forward_inline
from optoutkit.testing.notices import notice_mail

__all__ = ["FORWARDED_NOTICE", "LONG_NOTICE", "MESSAGE_TEXT", "NOTICE", "SELLER_MAIL", "address", "identity"]

MESSAGE_TEXT = """\
Hello Anna,

thank you for your order 302-1234567-7654321. We packed it on Monday and handed it to the courier. Unfortunately he brought your
parcel back to us today, because the house number is missing in the address and nobody in the street knew your name.

Please send us your complete address, with the number of the house and of the flat, and a telephone number under which the driver
can reach you between nine and five. As soon as we have it, we will send the parcel out again; there is no charge for that. If we
do not hear from you within ten days, we will have to put the things back on the shelf.

You may of course have it sent to your office instead, or to a neighbour who is at home. If you would rather have your money back,
please tell us as well, and it will be on your card in three to five days.

Kind regards
Your team at Toy Shop
"""
"""A message of about 830 characters."""


def _seller_mail() -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Toy Shop <shop@example.com>"
    mail["To"] = "7yxwc3c8k00p1k3@marketplace.amazon.de"
    mail["Subject"] = "Your order 302-1234567-7654321"
    mail["Date"] = "Mon, 23 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = "<1@mail.example.com>"
    mail.set_content(MESSAGE_TEXT)
    mail.add_alternative("".join(f"<p>{part}</p>" for part in MESSAGE_TEXT.split("\n\n")), subtype="html")
    return mail.as_bytes()


SELLER_MAIL = _seller_mail()
"""An ordinary mail of a seller, plain and HTML; no notice."""

NOTICE = notice_mail(order_ids=["302-1234567-7654321"], buyer="7yxwc3c8k00p1k3@marketplace.amazon.de", language="de")
"""A notice in the layout of 2026."""


def _long_notice() -> bytes:
    """A notice in a layout of nested tables with a style at every element, as mails of shops have them: some 9 KB."""
    cell = '<td style="font-family: Arial, sans-serif; font-size: 13px; color: #333333; padding: 0 0 8px 0;" valign="top" align="left">'
    lead = "We were unable to deliver the message you sent to Anna for order [302-1234567-7654321] "
    reason = "because the buyer has chosen to opt out of receiving unsolicited messages from sellers."
    sentences = [lead + reason, *MESSAGE_TEXT.replace("\n\n", "\n").splitlines()]
    rows = "".join(
        f'<tr>{cell}\n  <table width="100%" cellpadding="0" cellspacing="0" border="0"><tbody>\n  <tr>{cell}<p style="margin: 1px 0 8px 0; '
        f'font: 12px/16px Arial, sans-serif;">{text}</p>\n<a href="https://www.amazon.de/gp/help/?ref=x&amp;n={number}" '
        f'style="text-decoration: none; color: #006699;"><span>Help</span></a></td></tr></tbody></table>\n</td></tr>\n'
        for number, text in enumerate(sentences)
    )
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Amazon.de <auto-communication@amazon.de>"
    mail["To"] = "shop@example.com"
    mail["Subject"] = "Your message to a buyer could not be delivered"
    mail["Date"] = "Mon, 23 Nov 2026 10:00:00 +0100"
    mail["Message-ID"] = "<2@mail.example.com>"
    mail.set_content(f'<html><body><table border="0" width="600"><tbody>{rows}</tbody></table></body></html>', subtype="html")
    return mail.as_bytes()


LONG_NOTICE = _long_notice()
"""A notice of some 9 KB, HTML alone."""

FORWARDED_NOTICE = forward_inline(NOTICE, by="gmail", words="For your information.")
"""The notice, forwarded by hand."""


def address(number: int) -> Address:
    """One of any number of buyers."""
    return Address(f"buyer{number:010}@marketplace.amazon.de")


def identity(number: int) -> Identity:
    """A buyer's address or an order, in turns."""
    return address(number) if number % 2 else OrderId(f"302-{number // 10**7:07}-{number % 10**7:07}")

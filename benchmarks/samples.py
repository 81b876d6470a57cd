"""The mails and buyers that are measured with."""

from email.message import EmailMessage
from email.policy import SMTP

from optoutkit import Address, Identity, OrderId
from optoutkit.testing.notices import notice_mail

__all__ = ["MESSAGE_TEXT", "NOTICE", "SELLER_MAIL", "address", "identity"]

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


def address(number: int) -> Address:
    """One of any number of buyers."""
    return Address(f"buyer{number:010}@marketplace.amazon.de")


def identity(number: int) -> Identity:
    """A buyer's address or an order, in turns."""
    return address(number) if number % 2 else OrderId(f"302-{number // 10**7:07}-{number % 10**7:07}")

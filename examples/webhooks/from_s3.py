"""Mails that Amazon SES has put into an S3 bucket: read, and deleted when what matters of them is saved.

From cron:
OPTOUTKIT_STORE=sqlite:////var/lib/shop/optouts.db QUARANTINE=/var/lib/shop/quarantine python from_s3.py my-bucket notices/
"""

import functools
import os
import sys

import boto3

from optoutkit import Intake, open_store
from optoutkit.intake import IntakeStatus
from optoutkit.sources import MAX_BYTES, Item, feed


def read_bucket(s3, bucket, prefix=""):
    """The mails in a bucket, for :func:`optoutkit.sources.feed`."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            key = found["Key"]
            yield Item(
                name=f"s3://{bucket}/{key}",
                raw=s3.get_object(Bucket=bucket, Key=key)["Body"].read(MAX_BYTES + 1),
                arrived=found["LastModified"],
                done=functools.partial(s3.delete_object, Bucket=bucket, Key=key),
            )


def main(bucket, prefix=""):
    with open_store(os.environ["OPTOUTKIT_STORE"]) as store:
        intake = Intake(store, quarantine=os.environ["QUARANTINE"])
        for item, result in feed(read_bucket(boto3.client("s3"), bucket, prefix), intake):
            print(item.name, result.status)
        return 75 if intake.counts[IntakeStatus.RETRY] else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

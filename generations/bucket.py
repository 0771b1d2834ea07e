"""Files in an S3 bucket, of which a part can be asked for: a seek in an hour of sound costs what is heard of it."""

from __future__ import annotations

from typing import BinaryIO, cast

from botocore.exceptions import ClientError  # type: ignore[import-untyped]
from storages.backends.s3 import S3Storage
from storages.utils import clean_name


class Bucket(S3Storage):  # type: ignore[misc]
    def open_part(self, name: str, start: int, stop: int) -> BinaryIO:
        """The bytes from `start` until before `stop`, read as they come. FileNotFoundError where there is no file."""
        key = self._normalize_name(clean_name(name))
        try:
            found = self.bucket.Object(key).get(Range=f"bytes={start}-{stop - 1}")
        except ClientError as refused:
            if refused.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                raise FileNotFoundError(f"There is no {name} in the bucket.") from None
            raise
        return cast(BinaryIO, found["Body"])

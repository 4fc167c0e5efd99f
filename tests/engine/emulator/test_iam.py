"""Whose access key it is, asked at each request."""

from __future__ import annotations

import subprocess
import sys

_ASK = """\
from engine.emulator.iam.models import ExtendedIAMBackend, moto_models
moto_models.iam_backends.backend = ExtendedIAMBackend
ask = moto_models.get_account_id_from
backend = moto_models.iam_backends["111122223333"]["aws"]
backend.create_user("us-east-1", "ann")
key = backend.create_access_key("ann")
print(ask(key.access_key_id), ask("AKIAIOSFODNN7EXAMPLE"), *moto_models.iam_backends["111122223333"])
"""


def test_a_key_is_found_without_making_the_backends_of_partitions_that_nobody_uses() -> None:
    done = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["111122223333", "123456789012", "aws"]

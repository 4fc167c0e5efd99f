"""Facts about pods that values and components share; nothing of Pulumi is imported here."""

from __future__ import annotations

from typing import Final

# The label by which the pods of one application are found.
APP_LABEL: Final = "app.kubernetes.io/name"
# Where a client in a pod looks for its account's token.
ACCOUNT_FOLDER: Final = "/var/run/secrets/kubernetes.io/serviceaccount"

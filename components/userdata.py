"""What nodes are told at their start, beyond what EKS tells them: today, to make one RAID 0 of their NVMe disks."""

from __future__ import annotations

import base64
from typing import Final

from components.pools import ImageFamily

# Source: nodeadm, NodeConfig reference, LocalStorage, 2026-11. EKS merges it into its own.
_NODEADM: Final = """\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  instance:
    localStorage:
      strategy: RAID0

--//--
"""
# Source: Bottlerocket documentation, "ephemeral-storage" of apiclient and settings.bootstrap-commands, 2026-11.
_BOTTLEROCKET: Final = """\
[settings.bootstrap-commands.local-storage]
commands = [
  ["apiclient", "ephemeral-storage", "init"],
  ["apiclient", "ephemeral-storage", "bind", "--dirs", "/var/lib/containerd", "/var/lib/kubelet", "/var/log/pods"],
]
essential = true
mode = "always"
"""


def user_data(image: ImageFamily, *, raid0: bool) -> str | None:
    """User data in base64, as launch templates take it; None where there is nothing to say."""
    if not raid0:
        return None
    text = {ImageFamily.AL2023: _NODEADM, ImageFamily.BOTTLEROCKET: _BOTTLEROCKET}[image]
    return base64.b64encode(text.encode()).decode()

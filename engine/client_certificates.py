"""A client's certificate and its key for TLS, which Python takes from files alone: here without one that others see.

On Linux it is a file in memory that has no name. Elsewhere it is one in the user's temporary folder, which its owner
alone can read from its first moment and which goes at once.
"""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from pathlib import Path


def load(context: ssl.SSLContext, chain: bytes) -> None:
    """Let ``context`` present itself with ``chain``: a certificate and its key, both PEM. Raises ssl.SSLError."""
    if sys.platform == "linux" and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("client-certificate")
        with os.fdopen(descriptor, "wb") as memory:
            memory.write(chain)
            memory.flush()
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        return
    with tempfile.NamedTemporaryFile(prefix="bedplate-") as file:  # made with mode 0600
        file.write(chain)
        file.flush()
        context.load_cert_chain(file.name)

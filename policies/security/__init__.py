"""Security rules of AWS and Kubernetes: each module here registers its rules, so that adding a file is enough.

A module must not be called what a library is called (``secrets``): Pulumi runs packs from their own folder.
"""

from policies.kit import import_modules
from policies.security.pack import SECURITY

__all__ = ["SECURITY"]

import_modules(__name__, __path__)

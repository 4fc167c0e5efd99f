"""What the API server would say of a manifest, told before there is one: checks against the OpenAPI of a version.

The facts lie in ``engine.kubernetes``; here they are applied to manifests of a program, in which UNKNOWN may stand.
"""

from engine.providers.kubernetes.schema.replacing import replaced_by
from engine.providers.kubernetes.schema.validate import validate

__all__ = ["replaced_by", "validate"]

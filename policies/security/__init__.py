"""Security rules of AWS and Kubernetes. A module of rules must not be called what a library is called (``secrets``)."""

from policies.security import buckets
from policies.security.pack import SECURITY

__all__ = ["SECURITY", "buckets"]

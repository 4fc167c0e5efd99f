"""Where figures come from that lie elsewhere: AWS's price list, its bills, and what the cluster has measured.

NotAllowed   there are no credentials, or they don't allow it
NoAnswer     the service can't be reached, or doesn't answer as it should
"""

from policies.pricing.sources.errors import NoAnswer, NotAllowed

__all__ = ["NoAnswer", "NotAllowed"]

"""Where EKS answers; read by moto, which routes by botocore's model once the path is known to be EKS's."""

from moto.eks.urls import url_bases

from engine.emulator.eks.responses import ExtendedEKSResponse

__all__ = ["url_bases", "url_paths"]

_ROOTS = ("clusters", "tags", "addons", "access-policies", "cluster-versions")
url_paths = {
    pattern: ExtendedEKSResponse.dispatch
    for root in _ROOTS
    for pattern in (f"{{0}}/{root}$", f"{{0}}/{root}/(?P<rest>.+)$")
}

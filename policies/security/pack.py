"""The security pack; importing ``policies.security`` registers its rules."""

from policies.kit import Pack

SECURITY = Pack(
    "security",
    title="Security",
    description="Storage, keys, images, clusters, nodes, identities, networks, data and pods are closed by default.",
)

"""EKS: clusters, node groups, add-ons, access entries and Pod Identity, and what it refuses."""

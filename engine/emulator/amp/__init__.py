"""Amazon Managed Prometheus: what moto lacks of workspaces (keys, tokens of requests, logs that aren't there)."""

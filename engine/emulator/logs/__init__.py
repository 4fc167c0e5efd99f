"""CloudWatch Logs: what moto lacks of log groups (class, keys that change, protection, allowed retentions)."""

"""CloudWatch: what moto lacks of alarms (PromQL, windows, checks, states that stay) and of dashboards (checks)."""

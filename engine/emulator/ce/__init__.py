"""Cost Explorer: what moto lacks of it (anomaly monitors and subscriptions, listings, cost allocation tags)."""

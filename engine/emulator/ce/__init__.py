"""Cost Explorer: what moto lacks (anomaly monitors and subscriptions, listings, cost allocation tags, spending)."""

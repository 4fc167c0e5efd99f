"""AWS Budgets: what moto lacks of it (update, tags, notifications and subscribers, validation)."""

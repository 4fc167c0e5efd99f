"""ECR: what moto lacks of it (pull-through cache rules)."""

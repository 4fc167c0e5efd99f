"""ECR: what moto lacks of it (pull-through cache rules, repository creation templates)."""

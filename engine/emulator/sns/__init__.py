"""SNS: settings of topics that moto keeps and doesn't tell, and a replay policy, which it refuses."""

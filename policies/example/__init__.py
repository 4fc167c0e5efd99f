"""A pack as users write their own: ordinary Pulumi policies, nothing of Bedplate's."""

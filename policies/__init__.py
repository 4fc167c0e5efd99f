"""Policy packs: security, budget and governance rules, each an ordinary Pulumi policy pack; and what they share."""

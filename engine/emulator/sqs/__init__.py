"""SQS: what moto drops (a queue's policy when another attribute is set) or doesn't know (RedriveAllowPolicy)."""

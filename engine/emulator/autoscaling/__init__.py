"""Auto Scaling: the groups of managed node groups, and scheduled actions that belong to their group."""

"""What runs inside the program's own process. It imports the Pulumi SDK and nothing of ours (see ``program``)."""

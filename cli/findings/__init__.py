"""What policy packs found, in the forms that other tools read."""

"""What the commands can be asked: their arguments and options, said once."""

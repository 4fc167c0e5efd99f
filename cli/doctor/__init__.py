"""What of all that Bedplate can use is on this machine, in which version, what each is for, how to get what is not."""

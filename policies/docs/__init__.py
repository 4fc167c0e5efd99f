"""The rules' pages, one for each pack: written from the rules and their cases by ``python -m policies.docs``."""

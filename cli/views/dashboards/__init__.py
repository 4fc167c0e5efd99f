"""Dashboards to look at without a server: a list of them, and a page that draws each with invented data."""

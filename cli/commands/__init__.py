"""The commands: each takes its request apart, asks the engine, hands the answer to a view."""

"""The other engine: the Pulumi CLI, driven as a process and heard through its stream of engine events.

``CliSession`` is to the CLI what ``engine.session.Session`` is to our own engine: the same verbs, the same events,
plans and outcomes, so that nobody who reads them has to know which of the two was at work.
"""

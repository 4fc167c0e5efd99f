"""Providers that are other processes: the embedded engine as a client of Pulumi's provider protocol.

    attached      those that run already, by PULUMI_DEBUG_PROVIDERS
    finding       plugin executables: on PATH, named in Pulumi.yaml, in Pulumi's plugin folder
    process       one that runs, ended with us (``keeper`` sees to that)
    connection    what is said to it and how what goes wrong is told
    components    components and methods in its messages
    provider      ``engine.providers.base.Provider`` over all this
    plugins       all those of one session

Source: ``provider.proto``, which ships in the ``pulumi`` package, and Pulumi 3.260's own client, whose order of calls
and whose defaults for older providers are kept.
"""

"""Our providers over Pulumi's provider protocol, so that the Pulumi CLI can attach to them.

    python -m engine.providers.serve aws          # prints its port
    PULUMI_DEBUG_PROVIDERS=aws:PORT pulumi preview

The engine of the CLI opens a connection for each provider resource and configures it; so each connection is answered
by a provider of its own.
"""

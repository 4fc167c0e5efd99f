"""The AWS provider: one specification (a YAML file below ``specs``) per resource type, one interpreter over botocore.

``spec.py`` describes the form of a specification; ``README.md`` says how to add a type. Nothing here imports botocore
until something is created, read, changed or deleted: a preview needs the specifications alone.
"""

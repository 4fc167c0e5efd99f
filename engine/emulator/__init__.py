"""The AWS emulator: moto's server with what the platform needs and moto lacks.

Run it with ``python -m engine.emulator``, or through ``engine.sandbox``. Its state is in memory: an emulator that is
started again is empty and has another instance id.
"""

"""What a cluster does by itself when objects change, done at once: one module a concern, each a table of reactions.

A reaction is called with every event of the storage that it names, looks at the objects as they are now, and writes
what should be; it writes nothing where that is so already, so that settling ends.
"""

from engine.emulator.kubernetes.controllers.loop import Controllers

__all__ = ["Controllers"]

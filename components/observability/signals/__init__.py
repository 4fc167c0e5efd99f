"""The signals, by area. ``all_signals`` is the list; a test asks each of their alerts its cases."""

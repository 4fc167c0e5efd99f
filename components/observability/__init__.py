"""Monitoring: what is measured and judged, as values, and the servers that do it, as components.

``values`` and ``models`` are what the rest speaks of. ``metrics`` is the catalogue of what exporters export;
``signals`` are recording rules, alerts and panels, by area; ``rules``, ``prometheus_config`` and
``alertmanager_config`` write the servers' files; ``dashboards`` draw the panels. None of these know Pulumi. The
components lie beside them, and ``stack`` composes those.
"""

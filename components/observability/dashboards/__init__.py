"""Dashboards: what the signals' panels come to in Grafana, an area or a model at a time.

``board`` are the values and ``areas`` the kinds; ``boards`` says which there are. ``json_model`` writes them as Grafana
reads them, ``files`` as ConfigMaps hold them, and ``synthetic`` invents what they show in a preview.
"""

"""Dashboards: what the signals' panels come to in Grafana, an area or a model at a time.

``board`` are the values and ``areas`` the kinds; ``boards`` says which there are, ``promises`` how a model's begins.
``json_model`` and ``panel_model`` write them as Grafana reads them, ``schema`` holds them against its types, ``files``
puts them into ConfigMaps. ``synthetic`` invents what they show in a preview: ``cast`` who, ``magnitudes`` how much.
"""

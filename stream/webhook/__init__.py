"""Alerts of somebody else's Alertmanager: its webhook becomes findings on the topic ``findings``."""

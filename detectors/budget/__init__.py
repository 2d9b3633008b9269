"""Alarm budgets: so many false pages a month, divided over everything that may page, and the thresholds that keep to it."""

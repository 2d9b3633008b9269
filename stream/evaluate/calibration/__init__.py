"""The calibrated tests and limits, and how the budget of false pages is shared among them."""

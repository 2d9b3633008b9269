"""From findings and actions to incidents and deliveries: decisions are pure functions of (state, input, now)."""

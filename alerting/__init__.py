"""From findings and actions to incidents and deliveries: decisions are pure, I/O stays at the rim."""

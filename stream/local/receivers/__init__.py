"""Recording receivers: PagerDuty and Slack on the loopback interface, with the vendors' limits and their semantics that bite."""

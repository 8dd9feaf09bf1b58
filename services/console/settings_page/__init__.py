"""The settings page of a subject: the policy, their choices, and who received their posts."""

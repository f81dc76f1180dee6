"""Programs that drive Customer.io's own SDKs; run in environments of their own, never imported."""

"""Results that travel: aggregate submissions, which tell of no single record, and joined boards."""

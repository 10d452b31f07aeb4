"""Webhooks in: whoever signed one is told 200 once Kafka has it, and nothing vanishes."""

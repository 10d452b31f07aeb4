"""Ordergroove subscription events from Kafka, per-customer state, marketing vendors over HTTP."""

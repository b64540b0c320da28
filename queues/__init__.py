"""Queues, their members and who waits in them."""

"""Tests that need a real Asterisk."""

"""Tests of the conferences app."""

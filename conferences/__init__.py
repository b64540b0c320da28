"""Conferences: their page, and what one can do to a room and to who is in it."""

"""A PBX to play with: it speaks AMI on a real loopback socket, and obeys the panel's actions as Asterisk does.

``pbx`` is the switch (channels, bridges, dials), with ``queues`` and ``rooms`` beside it; ``scenario`` makes people
call, wait, answer and hang up; ``answers`` and ``server`` are the manager interface. Every event is written as a real
Asterisk 22 writes it: a test holds each one against the real thing. It is for looking at the panel, never for a test
of what Asterisk does.
"""

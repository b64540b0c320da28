"""The lab: real Asterisks and real SIP phones for the tests, on loopback, set up from nothing.

`install` fetches and unpacks Asterisk, `instance` runs it, `phones` call through it, `checker` reads its own
lists from outside, `storm` loads it, `fixtures` is the pytest plugin, `play` a PBX to look at by hand.
"""

"""A room: one leads; the others see the very frames the leader sees, and may take hands of their own and come back.

Whoever follows only watches: frames are made once and sent to all, so thirty who follow cost no training. Nothing is
kept: a room lies in this process's memory and is gone with it, or when its leader ends it or stays away.
"""

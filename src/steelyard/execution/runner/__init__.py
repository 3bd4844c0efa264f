"""The one process that holds broker keys, asked over a socket of this machine and this user.

place.py      its files: socket, secret, lock; who may not have them
frames.py     one JSON object each way, its length before it
requests.py   what may be asked
jobs.py       one plan at a time, for whoever hands it over and whoever carries it out
server.py     connections, each in a thread of its own, and what they are answered
client.py     asking
"""

"""What happens, told as plain values; exporters and stores subscribe from above.

events.py     typed events of planning, of what is stored and of planner instances
recorder.py   stamps them and hands them to subscribers, each on its own
logs.py       a line for each module, and lines of the log as JSON
timings.py    what parts of plans took, added up; peak memory
metrics.py    the figures of a service; structured.py its log; traces.py one trace over services:
              of the extra `server`, imported by services alone
breaker.py    the circuit of a module that fails; health.py keeps count between plans
"""

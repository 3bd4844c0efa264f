"""What an algorithm may see and must answer, and all of the algorithms: one file each.

TBD
"""

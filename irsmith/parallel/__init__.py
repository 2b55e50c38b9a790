"""Map over items: the same function over many items, on all cores of this machine.

In: workers or a function, and items. Out: results by index, the same whatever the
number of processes; work that is written in shards goes on where a kill left it.
"""

"""The only place where foreign code runs: crash-proof workers with limits and time-outs.

In: a function and items. Out: for each item an :class:`~irsmith.sandbox.worker.Outcome`,
a value or the way in which the worker died. LLVM passes abort and loop, and
miscompiled programs do worse, so both run only here.
"""

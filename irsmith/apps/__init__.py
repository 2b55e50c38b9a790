"""What a person asks for: optimize, autotune.

In: a file and what is wanted of it. Out: a frozen result that the command line
prints, with bytes to write. Only these put search and check together.
"""

"""Parse and print: one file a command, imported when it is called.

In: the command line. Out: data on stdout, talk on stderr, an exit status.
"""

"""The drop-in compiler: a person's own build, smaller, every object checked.

In: the command line of a C or C++ compiler, or a whole build. Out: what the real compiler
makes of it, status, diagnostics and dependency files included; objects for which a smaller
one passed every check are replaced. Whatever is not understood stays the real compiler's.

``call`` and ``driver`` run at every call of a compiler: they import next to nothing. The rest
is imported in a process of its own, when there is an object to make smaller.
"""

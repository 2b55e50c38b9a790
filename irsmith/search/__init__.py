"""Pass lists for a module: the space, the strategies, the portfolios.

In: a module's bitcode, a budget in compilations. Out: candidates with their
sizes, the best one made small and canonical, and portfolios of a few lists that
do well on modules not seen.

``space`` draws and changes candidates, ``evaluate`` measures them, ``autotune``
searches, ``reduce`` drops what is redundant, ``portfolio`` keeps the few lists
that ship.
"""

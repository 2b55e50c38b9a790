"""Map over items: the same function over many items, here and on a cluster.

In: workers or a description of the work, and items. Out: results by index or by shard,
the same whatever the number of processes or machines; work that is written in shards
goes on where a kill left it.

``local`` spreads items over the workers of one caller. ``work`` says what is done to
items, ``processes`` and ``cluster`` do it in as many processes of ours as there are
cores, here or on every machine of a Ray cluster, and ``shards`` keeps what they made.
"""

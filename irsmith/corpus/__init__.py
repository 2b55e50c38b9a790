"""Programs in, modules out.

In: Parquet files of modules in ComPile's columns and ours. Out:
:class:`~irsmith.records.Module` rows, whole units or single functions, of the split
that was asked for and no other.
"""

"""Training: one loop for every stage and every size of machine.

In: folders of packed shards (:mod:`irsmith.train.data`) and a recipe, a Python function
that returns a complete :class:`~irsmith.train.config.TrainConfig`. Out: a run folder with
checkpoints, ``metrics.jsonl``, ``curves.png`` and a release.

``data`` is the format, ``packing`` and ``mixture`` decide the order, ``loop`` trains,
``optimizer``, ``schedule``, ``checkpoint`` and ``validate`` are its parts, ``estimate`` says
beforehand what a run takes.
"""

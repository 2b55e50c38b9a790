"""The four tasks: what a model is asked, in which words, and what its answer is worth.

In: modules, candidates, sizes. Out: prompts and answers as parts (special tokens and
normalised text), parsed answers, scores. ``vocabulary`` holds the special tokens; nobody
else formats a prompt.
"""

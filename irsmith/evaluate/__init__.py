"""Evaluation: what a model's answers are worth, beside what needs no model.

In: a model, rows of a corpus and their labels. Out: results of single modules (``answers``),
with baselines at the same number of compilations. Everything that counts as a win was
compiled and passed the checks.
"""

"""Verdicts: may this candidate be used?

In: a candidate (pass list and code generation options), a suite of self-testing
programs. Out: a verdict with the programs that broke and the smallest list that
still breaks one.

``sources`` says where programs come from, ``fetch`` and ``compile_suite`` bring
them here as bitcode, ``suite`` keeps those that judge well, ``runner`` runs one
program under one candidate, ``cross`` does so for AArch64, ``passlisteval`` gives
the verdict with the smallest list that is still bad.
"""

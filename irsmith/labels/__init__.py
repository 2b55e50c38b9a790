"""Labels: what a model learns from, made from the modules of a corpus.

In: corpus files (single functions or whole units), a portfolio, a toolchain. Out: Parquet
files of rows (``rows``), each one label of ``tasks.example`` with where its module came
from. A row holds no program text: with the module's bitcode, which the corpus has under the
row's ``module`` hash, the example is made again to the byte (``replay``).

``tune`` searches for the best checked list of each module and ``share`` tries the lists most
often best on all modules; ``emulate`` draws lists at random; ``disassemble`` draws levels and
forms. All are maps of ``parallel``; ``gather`` puts their shards together with a card.
Nothing of the test split, and nothing of a package that is never learnt from, passes
through here, whatever its row says.
"""

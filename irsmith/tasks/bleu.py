"""BLEU of code, for comparison with published figures and for nothing else.

Code that differs in one register computes something else; only grades say what an answer
is worth.
"""

from __future__ import annotations

from irsmith.records import IrsmithError

SIGNATURE = "nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp"
"""How sacrebleu names what :func:`bleu` computes (arXiv 1804.08771)."""


def bleu(text: str, reference: str) -> float:
    """Sentence BLEU of a whole text against one reference, by sacrebleu.

    Returns:
        0 to 1; 1 for equal texts.

    Raises:
        IrsmithError: sacrebleu is not installed.
    """
    try:
        import sacrebleu
    except ImportError as error:
        raise IrsmithError("BLEU needs sacrebleu: pip install 'irsmith[evaluate]'") from error
    score = sacrebleu.sentence_bleu(text, [reference], smooth_method="exp", tokenize="13a")
    return min(float(score.score) / 100, 1.0)

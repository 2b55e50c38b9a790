"""Machine code lifted by rules: the yardstick that models which read code back must beat.

In: normalised assembly of one function (:mod:`irsmith.corpus.assembly`). Out: textual IR that
does what the instructions do, for LLVM to optimise and compile again; whether it is the
function's IR is for those who ask to check.
"""

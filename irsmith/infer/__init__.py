"""Inference without torch: a trained model's answers, most likely first.

In: a release folder, prompts as token ids. Out: logits, ranked candidates, pass lists that
parse, samples.

``engine`` is the contract that every engine fulfils: ``engine_onnx`` (the default),
``engine_numpy`` (the method itself, the oracle of tests), ``engine_torch`` (an accelerator)
and ``engine_server`` (somebody's vLLM or llama.cpp). ``load`` opens a release. On top of any
engine stand ``grammar`` (lists that parse), ``search`` (the k best, in order), ``sample``,
``tuning`` (what a module may be tried with) and ``window`` (modules that do not fit).
"""

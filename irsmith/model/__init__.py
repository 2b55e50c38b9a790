"""The language model: its shape, the network, and the folder in which it is released.

In: token ids of packed documents. Out: logits and losses; a release folder that
Hugging Face, vLLM, onnxruntime and llama.cpp read.

``config`` sets the size with one dial, ``network`` is the whole of the
mathematics, ``release`` saves and loads, ``onnx`` and ``gguf`` write the forms
that run without torch. Only ``network`` and ``release`` need torch.
"""

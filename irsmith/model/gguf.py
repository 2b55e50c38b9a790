"""The network as GGUF for llama.cpp and its kin, in float32.

llama.cpp turns neighbouring channels of a head together (2i and 2i + 1), the network
channels i and i + half; so the rows of the query and key matrices change places, as in
llama.cpp's own converter. The tokenizer goes along as the byte-level kind that llama.cpp
calls ``gpt2``. llama.cpp has no rule for how ours splits text before merging: give it token
ids (its server takes them as a prompt), and let it write the answer's text.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from irsmith.model.config import ModelConfig
from irsmith.records import IrsmithError

if TYPE_CHECKING:
    from irsmith.model.network import Network

_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def export_gguf(network: Network, path: Path, *, tokenizer: Path, end: int) -> Path:
    """Write a GGUF file.

    Args:
        network: with whole weights.
        path: the file.
        tokenizer: its ``tokenizer.json``.
        end: token id that ends a document.

    Returns:
        The file.

    Raises:
        IrsmithError: package gguf is missing, the tokenizer is not byte-level BPE or larger
            than the network's vocabulary, or the file cannot be written.
    """
    try:
        import gguf
    except ImportError as error:
        raise IrsmithError("export needs gguf: pip install 'irsmith[export]'") from error
    config = network.config
    tokens, kinds, merges = read_tokenizer(tokenizer, config.vocabulary)
    beside = path.with_name(f".{path.name}.part")
    try:
        writer = gguf.GGUFWriter(beside, "llama")
        _describe(writer, config)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_types(kinds)
        writer.add_token_merges(merges)
        writer.add_bos_token_id(end)
        writer.add_eos_token_id(end)
        writer.add_add_bos_token(False)
        for name, tensor in network.state_dict().items():
            array = tensor.detach().float().numpy()
            writer.add_tensor(tensor_name(name), _as_llama(name, array, config))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise IrsmithError(f"{path}: cannot be written: {error.strerror}") from error
    return path


def _describe(writer: Any, config: ModelConfig) -> None:
    writer.add_name("irsmith")
    writer.add_block_count(config.layers)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.kv_heads)
    writer.add_layer_norm_rms_eps(config.norm_epsilon)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_rope_dimension_count(config.head_width)
    writer.add_vocab_size(config.vocabulary)
    writer.add_file_type(0)  # all in float32


def tensor_name(name: str) -> str:
    """llama.cpp's name for one of the network's parameters."""
    plain = {
        "model.embed_tokens.weight": "token_embd.weight",
        "model.norm.weight": "output_norm.weight",
        "lm_head.weight": "output.weight",
    }
    if name in plain:
        return plain[name]
    _, _, index, part = name.removesuffix(".weight").split(".", 3)
    return f"blk.{index}.{_NAMES[part]}.weight"


def _as_llama(name: str, array: NDArray[np.float32], config: ModelConfig) -> NDArray[np.float32]:
    if ".q_proj." not in name and ".k_proj." not in name:
        return array
    heads = array.reshape(-1, 2, config.head_width // 2, config.width)
    return np.ascontiguousarray(heads.swapaxes(1, 2).reshape(array.shape))


def read_tokenizer(path: Path, vocabulary: int) -> tuple[list[str], list[int], list[str]]:
    """Tokens, their kinds and the merges of a byte-level BPE ``tokenizer.json``.

    Ids that the tokenizer does not use, up to ``vocabulary``, are filled.

    Raises:
        IrsmithError: it is another kind of tokenizer, or larger than the vocabulary.
    """
    from gguf import TokenType

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        model, added = data["model"], data.get("added_tokens", [])
        if model["type"] != "BPE":
            raise IrsmithError(f"{path}: a tokenizer of type {model['type']}, not BPE")
        known = {int(number): token for token, number in model["vocab"].items()}
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IrsmithError(f"{path}: not a tokenizer.json: {error}") from error
    special = {int(token["id"]): str(token["content"]) for token in added}
    known |= special
    if known and max(known) >= vocabulary:
        raise IrsmithError(
            f"{path}: has id {max(known)}, but the network's vocabulary is {vocabulary}: "
            "not the tokenizer of these weights"
        )
    kinds = [
        TokenType.CONTROL
        if number in special
        else TokenType.NORMAL
        if number in known
        else TokenType.UNUSED
        for number in range(vocabulary)
    ]
    tokens = [known.get(number, f"[unused{number}]") for number in range(vocabulary)]
    return tokens, [int(kind) for kind in kinds], merges

"""DiTTransformer2DModel of diffusers and facebookresearch/DiT's class DiT (Peebles & Xie 2023): one network under two
sets of names, but for the frequencies of the timestep's embedding and an epsilon."""

from typing import Any, Dict, Iterator, Mapping, Tuple

import torch

from ._core import CheckpointError

Weights = Dict[str, torch.Tensor]

_EMBED = "transformer_blocks.{}.norm1.emb."
_SHARED = {
    "timestep_embedder.linear_1": "t_embedder.mlp.0",
    "timestep_embedder.linear_2": "t_embedder.mlp.2",
}
_BLOCK = {
    "norm1.linear": "adaLN_modulation.1",
    "attn1.to_out.0": "attn.proj",
    "ff.net.0.proj": "mlp.fc1",
    "ff.net.2": "mlp.fc2",
}
_REST = {
    "pos_embed.proj": "x_embedder.proj",
    "proj_out_1": "final_layer.adaLN_modulation.1",
    "proj_out_2": "final_layer.linear",
}
_FIXED: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
    "activation_fn": ("gelu-approximate", ("gelu-approximate",)),
    "norm_type": ("ada_norm_zero", ("ada_norm_zero",)),
    "norm_elementwise_affine": (False, (False,)),
    "attention_bias": (True, (True,)),
    "norm_eps": (1e-5, (1e-5, 1e-6)),
}


def _pairs(depth: int) -> Iterator[Tuple[str, str]]:
    """Names there and here of every layer with a weight and a bias, but for q, k and v."""
    yield from _REST.items()
    for theirs, ours in _SHARED.items():
        yield _EMBED.format(0) + theirs, ours
    for i in range(depth):
        for theirs, ours in _BLOCK.items():
            yield f"transformer_blocks.{i}.{theirs}", f"blocks.{i}.{ours}"


def model_of(config: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> Dict[str, Any]:
    """DiT's hyper-parameters of a config.json of diffusers. CheckpointError says what has no place in DiT."""
    for key, (default, accepted) in _FIXED.items():
        if config.get(key, default) not in accepted:
            raise CheckpointError(
                f"this transformer is no DiT: its {key} is {config.get(key)!r}, DiT's {accepted[0]!r}"
            )
    heads, depth = config.get("num_attention_heads", 16), config.get("num_layers", 28)
    width = heads * config.get("attention_head_dim", 72)
    channels = config.get("in_channels", 4)
    out_channels = config.get("out_channels") or channels
    if out_channels not in (channels, 2 * channels):
        raise CheckpointError(f"this transformer is no DiT: {channels} channels go in and {out_channels} come out")
    classes = config.get("num_embeds_ada_norm", 1000)
    rows = weights[_EMBED.format(0) + "class_embedder.embedding_table.weight"].shape[0]
    return {
        "input_size": config.get("sample_size", 32),
        "patch_size": config.get("patch_size", 2),
        "in_channels": channels,
        "hidden_size": width,
        "depth": depth,
        "num_heads": heads,
        "mlp_ratio": weights["transformer_blocks.0.ff.net.2.weight"].shape[1] / width,
        "num_classes": classes,
        "class_dropout_prob": 0.1 if rows > classes else 0.0,
        "learn_sigma": out_channels == 2 * channels,
        # As diffusers computes them.
        "frequency_shift": 1,
        "mlp_norm_eps": config.get("norm_eps", 1e-5),
    }


def weights_of(model: Mapping[str, Any], theirs: Mapping[str, torch.Tensor]) -> Weights:
    """The weights of diffusers' transformer under DiT's names. Each block of diffusers has the embedders once more."""
    ours = {"y_embedder.embedding_table.weight": theirs[_EMBED.format(0) + "class_embedder.embedding_table.weight"]}
    for end in ("weight", "bias"):
        ours.update({f"{here}.{end}": theirs[f"{there}.{end}"] for there, here in _pairs(model["depth"])})
        for i in range(model["depth"]):
            qkv = [theirs[f"transformer_blocks.{i}.attn1.to_{which}.{end}"] for which in "qkv"]
            ours[f"blocks.{i}.attn.qkv.{end}"] = torch.cat(qkv)
            for name in (*_SHARED, "class_embedder.embedding_table"):
                first = theirs.get(f"{_EMBED.format(0)}{name}.{end}")
                other = theirs.get(f"{_EMBED.format(i)}{name}.{end}")
                if first is not None and (other is None or not torch.equal(first, other)):
                    raise CheckpointError(f"this transformer is no DiT: block {i} has another {name} than block 0")
    return ours


def config_of(model: Mapping[str, Any]) -> Dict[str, Any]:
    """The config.json of a DiTTransformer2DModel. CheckpointError says what has no place there."""
    if model.get("mlp_ratio", 4) != 4:
        raise CheckpointError(
            f"this network is no transformer of diffusers: its mlp_ratio is {model['mlp_ratio']}, not 4"
        )
    if not model.get("class_dropout_prob", 0.1) > 0:
        raise CheckpointError("this network is no transformer of diffusers: it has no null class")
    channels, heads = model.get("in_channels", 4), model.get("num_heads", 16)
    return {
        "_class_name": "DiTTransformer2DModel",
        "num_attention_heads": heads,
        "attention_head_dim": model.get("hidden_size", 1152) // heads,
        "in_channels": channels,
        "out_channels": channels * (2 if model.get("learn_sigma", True) else 1),
        "num_layers": model.get("depth", 28),
        "sample_size": model.get("input_size", 32),
        "patch_size": model.get("patch_size", 2),
        "num_embeds_ada_norm": model.get("num_classes", 1000),
        "attention_bias": True,
        "activation_fn": "gelu-approximate",
        "norm_type": "ada_norm_zero",
        "norm_elementwise_affine": False,
        "norm_eps": model.get("mlp_norm_eps", 1e-6),
    }


def weights_from(model: Mapping[str, Any], ours: Mapping[str, torch.Tensor]) -> Weights:
    """The weights of a DiT under the names of diffusers."""
    depth = model.get("depth", 28)
    theirs: Weights = {}
    for end in ("weight", "bias"):
        theirs.update({f"{there}.{end}": ours[f"{here}.{end}"] for there, here in _pairs(depth)})
        for i in range(depth):
            qkv = ours[f"blocks.{i}.attn.qkv.{end}"].chunk(3)
            theirs.update({f"transformer_blocks.{i}.attn1.to_{which}.{end}": m for which, m in zip("qkv", qkv)})
            for there, here in _SHARED.items():
                theirs[f"{_EMBED.format(i)}{there}.{end}"] = ours[f"{here}.{end}"]
    for i in range(depth):
        table = ours["y_embedder.embedding_table.weight"]
        theirs[_EMBED.format(i) + "class_embedder.embedding_table.weight"] = table
    return theirs

"""UNet2DModel of diffusers and the U-Net of ADM (Dhariwal & Nichol 2021): the same network where their settings agree,
under other names."""

from typing import Any, Dict, Iterator, List, Mapping, Tuple

import torch

from ._core import CheckpointError

Weights = Dict[str, torch.Tensor]
Part = Tuple[str, str, str]  # what it is, its name there, its name here

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
# What ADM has no choice in, with what UNet2DModel takes where its config is silent.
_FIXED: Dict[str, Tuple[Any, Tuple[Any, ...]]] = {
    "center_input_sample": (False, (False,)),
    "time_embedding_type": ("positional", ("positional",)),
    "time_embedding_dim": (None, (None,)),
    "freq_shift": (0, (0,)),
    "flip_sin_to_cos": (True, (True,)),
    "mid_block_type": ("UNetMidBlock2D", ("UNetMidBlock2D",)),
    "mid_block_scale_factor": (1, (1,)),
    "downsample_padding": (1, (1,)),
    "act_fn": ("silu", ("silu", "swish")),
    "norm_num_groups": (32, (32,)),
    "norm_eps": (1e-5, (1e-5,)),
    "add_attention": (True, (True,)),
    "class_embed_type": (None, (None,)),
}


def _fail(why: str) -> None:
    raise CheckpointError(f"this UNet2DModel is no U-Net of ADM: {why}")


def _parts(model: Mapping[str, Any]) -> Iterator[Part]:
    """Every part of the network with its two names, from the hyper-parameters of ADM."""
    levels, blocks = len(model["channel_mult"]), model["num_res_blocks"]
    attends = [2**level in model["attention_resolutions"] for level in range(levels)]
    resnet = model["resblock_updown"]
    yield "plain", "conv_in", "input_blocks.0.0"
    place = 1
    for level in range(levels):
        there = f"down_blocks.{level}"
        for i in range(blocks):
            yield "resnet", f"{there}.resnets.{i}", f"input_blocks.{place}.0"
            if attends[level]:
                yield "attention", f"{there}.attentions.{i}", f"input_blocks.{place}.1"
            place += 1
        if level + 1 < levels:
            if resnet:
                yield "resnet", f"{there}.downsamplers.0", f"input_blocks.{place}.0"
            else:
                yield "plain", f"{there}.downsamplers.0.conv", f"input_blocks.{place}.0.op"
            place += 1
    yield "resnet", "mid_block.resnets.0", "middle_block.0"
    yield "attention", "mid_block.attentions.0", "middle_block.1"
    yield "resnet", "mid_block.resnets.1", "middle_block.2"
    place = 0
    for level in reversed(range(levels)):
        there = f"up_blocks.{levels - 1 - level}"
        for i in range(blocks + 1):
            yield "resnet", f"{there}.resnets.{i}", f"output_blocks.{place}.0"
            if attends[level]:
                yield "attention", f"{there}.attentions.{i}", f"output_blocks.{place}.1"
            if i == blocks and level > 0:
                here = f"output_blocks.{place}.{2 if attends[level] else 1}"
                if resnet:
                    yield "resnet", f"{there}.upsamplers.0", here
                else:
                    yield "plain", f"{there}.upsamplers.0.conv", f"{here}.conv"
            place += 1
    yield "plain", "conv_norm_out", "out.0"
    yield "plain", "conv_out", "out.2"
    yield "plain", "time_embedding.linear_1", "time_embed.0"
    yield "plain", "time_embedding.linear_2", "time_embed.2"
    if model.get("num_classes"):
        yield "embedding", "class_embedding", "label_emb"


def _names(part: Part) -> Iterator[Tuple[str, str]]:
    """Names of tensors, there and here, of a part that is no attention."""
    kind, there, here = part
    if kind == "resnet":
        for inner, ours in _RESNET.items():
            for end in ("weight", "bias"):
                yield f"{there}.{inner}.{end}", f"{here}.{ours}.{end}"
    else:
        for end in ("weight", "bias") if kind == "plain" else ("weight",):
            yield f"{there}.{end}", f"{here}.{end}"


def _renamed(part: Part, given: Mapping[str, torch.Tensor], back: bool) -> Iterator[Tuple[str, torch.Tensor]]:
    """The tensors of a part that is no attention under their other names: there to here, or `back`. KeyError names what
    is missing."""
    first = given.get(f"{part[2]}.in_layers.2.weight" if back else f"{part[1]}.conv1.weight")
    widens = first is not None and first.shape[0] != first.shape[1]
    for there, here in _names(part):
        name, other = (here, there) if back else (there, here)
        if widens or ".conv_shortcut." not in there or name in given:
            yield other, given[name]


def model_of(config: Mapping[str, Any]) -> Dict[str, Any]:
    """ADM's hyper-parameters of a UNet2DModel's config.json. CheckpointError says what has no place in ADM."""
    for key, (default, accepted) in _FIXED.items():
        if config.get(key, default) not in accepted:
            _fail(f"its {key} is {config.get(key)!r}, ADM's {accepted[0]!r}")
    widths = list(config.get("block_out_channels", (224, 448, 672, 896)))
    down = list(config.get("down_block_types", ("DownBlock2D",) + ("AttnDownBlock2D",) * 3))
    up = list(config.get("up_block_types", ("AttnUpBlock2D",) * 3 + ("UpBlock2D",)))
    for types, words in ((down, ("DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D")),
                         (up, ("UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"))):  # fmt: skip
        for name in types:
            if name not in words:
                _fail(f"it has blocks of type {name}; ADM's are {', '.join(words)}")
    attends = [name.startswith("Attn") for name in down]
    if [name.startswith("Attn") for name in reversed(up)] != attends:
        _fail("its up_block_types attend at other resolutions than its down_block_types")

    def resamplings(types: List[str], kind: str) -> List[str]:
        return ["resnet" if name.startswith("Resnet") else "conv" if not name.startswith("Attn") else kind
                for name in types[:-1]]  # fmt: skip

    ways = set(
        resamplings(down, config.get("downsample_type", "conv")) + resamplings(up, config.get("upsample_type", "conv"))
    )
    if len(ways) > 1:
        _fail("it changes resolution by blocks here and by convolutions there (downsample_type, upsample_type, types)")
    scale_shift = config.get("resnet_time_scale_shift", "default")
    if scale_shift not in ("default", "scale_shift"):
        _fail(f"its resnet_time_scale_shift is {scale_shift!r}")
    if (config.get("attn_norm_num_groups") or (32 if scale_shift == "default" else None)) != 32:
        _fail("attention in the middle has no group norm of 32 groups (attn_norm_num_groups)")
    size = config.get("sample_size")
    if not isinstance(size, int):
        _fail(f"its sample_size is {size!r}; a square side is needed")
    head = config.get("attention_head_dim", 8)
    model = {
        "image_size": size,
        "in_channels": config.get("in_channels", 3),
        "model_channels": widths[0],
        "out_channels": config.get("out_channels", 3),
        "num_res_blocks": config.get("layers_per_block", 2),
        "attention_resolutions": [2**level for level, attend in enumerate(attends) if attend],
        "channel_mult": [width / widths[0] for width in widths],
        "num_heads": 1,
        "num_head_channels": -1 if head is None else head,
        "use_scale_shift_norm": scale_shift == "scale_shift",
        "resblock_updown": ways == {"resnet"},
        "use_new_attention_order": True,
        "dropout": config.get("dropout", 0.0),
    }
    if config.get("num_class_embeds"):
        model["num_classes"] = config["num_class_embeds"]
    return model


def weights_of(model: Mapping[str, Any], theirs: Mapping[str, torch.Tensor]) -> Weights:
    """The weights of a UNet2DModel under ADM's names."""
    ours: Weights = {}
    for part in _parts(model):
        kind, there, here = part
        if kind == "attention":
            for end in ("weight", "bias"):
                qkv = torch.cat([theirs[f"{there}.to_{which}.{end}"] for which in "qkv"])
                proj = theirs[f"{there}.to_out.0.{end}"]
                ours[f"{here}.norm.{end}"] = theirs[f"{there}.group_norm.{end}"]
                ours[f"{here}.qkv.{end}"] = qkv[:, :, None] if end == "weight" else qkv
                ours[f"{here}.proj_out.{end}"] = proj[:, :, None] if end == "weight" else proj
        else:
            ours.update(_renamed(part, theirs, back=False))
    return ours


def config_of(model: Mapping[str, Any]) -> Dict[str, Any]:
    """The config.json of a UNet2DModel with ADM's hyper-parameters. CheckpointError says what has no place there."""
    mult = model.get("channel_mult", [1, 2, 4, 8])
    attends = [2**level in model["attention_resolutions"] for level in range(len(mult))]
    if mult[0] != 1:
        _fail_back(f"the first channel_mult is {mult[0]}; there the width of the first level is that of the embedding")
    if not model.get("conv_resample", True) and not model.get("resblock_updown"):
        _fail_back("it changes resolution without weights (conv_resample is off)")
    widths = [int(factor * model["model_channels"]) for factor in mult]
    heads = model.get("num_heads", 1)
    if model.get("num_heads_upsample", -1) not in (-1, heads):
        _fail_back("it has other numbers of heads on the way up (num_heads_upsample)")
    attending = {width for width, attend in zip(widths, attends) if attend} | {widths[-1]}
    head = model.get("num_head_channels", -1)
    if head == -1:
        if len(attending) > 1:
            _fail_back("its attention has as many heads at every width; there each head is as wide at every width")
        head = attending.pop() // heads
    resnet = bool(model.get("resblock_updown"))
    plain = ("ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D") if resnet else ("DownBlock2D", "UpBlock2D")
    return {
        "_class_name": "UNet2DModel",
        "sample_size": model["image_size"],
        "in_channels": model["in_channels"],
        "out_channels": model["out_channels"],
        "down_block_types": ["AttnDownBlock2D" if attend else plain[0] for attend in attends],
        "up_block_types": ["AttnUpBlock2D" if attend else plain[1] for attend in reversed(attends)],
        "block_out_channels": widths,
        "layers_per_block": model["num_res_blocks"],
        "downsample_type": "resnet" if resnet else "conv",
        "upsample_type": "resnet" if resnet else "conv",
        "attention_head_dim": head,
        "attn_norm_num_groups": 32,
        "resnet_time_scale_shift": "scale_shift" if model.get("use_scale_shift_norm") else "default",
        "dropout": model.get("dropout", 0.0),
        "num_class_embeds": model.get("num_classes") or None,
        **{key: accepted[0] for key, (_, accepted) in _FIXED.items()},
    }


def _fail_back(why: str) -> None:
    raise CheckpointError(f"this network is no UNet2DModel of diffusers: {why}")


def weights_from(model: Mapping[str, Any], ours: Mapping[str, torch.Tensor]) -> Weights:
    """The weights of an ADM network under UNet2DModel's names."""
    theirs: Weights = {}
    full = {"channel_mult": [1, 2, 4, 8], "resblock_updown": False, **model}
    for part in _parts(full):
        kind, there, here = part
        if kind != "attention":
            theirs.update(_renamed(part, ours, back=True))
            continue
        for end in ("weight", "bias"):
            qkv = ours[f"{here}.qkv.{end}"].flatten(1) if end == "weight" else ours[f"{here}.qkv.{end}"]
            width = qkv.shape[0] // 3
            head = model.get("num_head_channels", -1)
            heads = model.get("num_heads", 1) if head == -1 else width // head
            # The old order has q, k and v of each head side by side.
            split = qkv.unflatten(0, (3, width)) if model.get("use_new_attention_order") else (
                qkv.unflatten(0, (heads, 3, width // heads)).transpose(0, 1).flatten(1, 2)
            )  # fmt: skip
            for which, matrix in zip("qkv", split):
                theirs[f"{there}.to_{which}.{end}"] = matrix
            proj = ours[f"{here}.proj_out.{end}"]
            theirs[f"{there}.to_out.0.{end}"] = proj.flatten(1) if end == "weight" else proj
            theirs[f"{there}.group_norm.{end}"] = ours[f"{here}.norm.{end}"]
    return theirs

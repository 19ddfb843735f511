"""Runs open_clip's CLIP, small, with what OpenAI's networks do not have, on weights by the fill rule.

    python3 clip_references.py clip_gelu_small.safetensors

GELU in place of QuickGELU, image heads that are not 64 wide and an image tower whose perceptrons are not four times as
wide as it, as open_clip's ViT-g-14 and ViT-bigG-14 have them. Needs PyTorch and open_clip_torch.
"""
import json
import sys

import torch
from full_references import fill, write
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg

CONFIG = {"embed_dim": 32, "image_resolution": 16, "vision_layers": 2, "vision_width": 80, "vision_patch_size": 4,
          "context_length": 12, "vocab_size": 64, "transformer_width": 64, "transformer_heads": 4,
          "transformer_layers": 2, "quick_gelu": False, "vision_heads": 2, "vision_mlp_width": 256}


def network():
    c = CONFIG
    vision = CLIPVisionCfg(layers=c["vision_layers"], width=c["vision_width"], image_size=c["image_resolution"],
                           head_width=c["vision_width"] // c["vision_heads"], patch_size=c["vision_patch_size"],
                           mlp_ratio=c["vision_mlp_width"] / c["vision_width"])
    text = CLIPTextCfg(context_length=c["context_length"], vocab_size=c["vocab_size"], width=c["transformer_width"],
                       heads=c["transformer_heads"], layers=c["transformer_layers"])
    return CLIP(embed_dim=c["embed_dim"], vision_cfg=vision, text_cfg=text, quick_gelu=c["quick_gelu"]).eval()


def run(net, image, text):
    image = image.clone().requires_grad_()
    seen, read = net.encode_image(image), net.encode_text(text)
    cosine = torch.nn.functional.cosine_similarity(seen, read)
    (grad,) = torch.autograd.grad(cosine.sum(), image)
    unit = [torch.nn.functional.normalize(x, dim=1) for x in (seen, read)]
    logits = net.logit_scale.exp() * unit[0] @ unit[1].t()
    return {"image_features": seen, "text_features": read, "logits_per_image": logits, "cosine": cosine, "grad": grad}


def main(path):
    net = network()
    with torch.no_grad():
        names, _ = fill(net)
    generator = torch.Generator().manual_seed(4)
    image = torch.randn(2, 3, 16, 16, generator=generator)
    text = torch.randint(1, 62, (2, 12), generator=generator)
    text[0, 7], text[1, 11] = 63, 63  # the end
    single = run(net, image, text)
    double = run(net.double(), image.double(), text)
    tensors, tolerance = {"input/image": image, "input/text": text}, {}
    for name, exact in double.items():
        error, largest = (single[name].double() - exact).abs().max().item(), exact.abs().max().item()
        print(f"{name}: float32 is {error:.3g} of {largest:.3g} off")
        tolerance[name] = {"atol": max(10 * error, 16 * 2.0**-23 * largest), "measured_max_abs": error}
        tensors["output/" + name] = single[name].detach()
        tensors["output64/" + name] = exact.detach()
    write(path, tensors, {"case": path.split("/")[-1].split(".")[0], "kind": "clip", "config": json.dumps(CONFIG),
                          "reference": "open_clip 3.3.0 CLIP", "weights_shipped": "false", "fill_prefix": "",
                          "fill_gain": "1", "fill_exceptions": "{}", "state_dict": json.dumps(names),
                          "tolerance": json.dumps(tolerance)})


if __name__ == "__main__":
    main(sys.argv[1])

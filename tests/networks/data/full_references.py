"""Runs the published Python networks at full size on weights by the fill rule and records what they give.

    python3 full_references.py dit CHECKOUT_OF_DIT    full_dit_xl2_256.safetensors
    python3 full_references.py edm CHECKOUT_OF_EDM    full_edm_imagenet64.safetensors
    python3 full_references.py vae CHECKOUT_OF_LATENT_DIFFUSION    full_sd_vae_decoder.safetensors

Needs PyTorch, and for DiT timm. Outputs are kept whole where they are small, else every `stride`-th pixel, with the mean and
the mean square of all of them. Each network is run in float32 and in float64; what the float32 run is off is the measure
of the tolerance.
"""
import importlib
import json
import struct
import sys
import time

import numpy as np
import torch

KEEP = ("pos_embed", "resample_filter")


def fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) % 2**64
    return h


def filled(name, shape):
    """The tensor of this name by tests/golden/FILL.md."""
    if len(shape) == 0:
        return np.zeros((), np.float32)
    with np.errstate(over="ignore"):
        z = np.arange(int(np.prod(shape)), dtype=np.uint64) + np.uint64(fnv1a64(name))
        z += np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1
    if len(shape) >= 2:
        u = u * np.sqrt(3 / np.prod(shape[1:], dtype=np.float64))
    elif name == "weight" or name.endswith(".weight"):
        u = 1 + 0.1 * u
    else:
        u = 0.1 * u
    return u.astype(np.float32).reshape(shape)


def fill(network):
    """Fills a network in place; the names and shapes of its state dict, and what kept its computed value."""
    names, kept = [], {}
    for name, tensor in network.state_dict().items():
        names.append([name, list(tensor.shape), "F32"])
        if name.split(".")[-1] in KEEP:
            kept[name] = "keep"
        else:
            tensor.copy_(torch.from_numpy(filled(name, tuple(tensor.shape))))
    return names, kept


def write(path, tensors, metadata):
    header, offset, data = {"__metadata__": metadata}, 0, b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().tobytes()
        kind = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}[tensor.dtype]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def record(path, kind, config, reference, network, inputs, run, stride=1):
    """Runs `network` in both precisions on the same inputs and writes the case."""
    names, kept = fill(network)
    with torch.no_grad():
        start = time.time()
        single = run(network, inputs)
        seconds = time.time() - start
        double = run(network.double(), {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()})
    error = (single.double() - double).abs().max().item()
    largest = double.abs().max().item()
    print(f"{path}: {sum(np.prod(n[1]) for n in names):.0f} numbers, float32 in {seconds:.1f} s, "
          f"largest error of float32 {error:.3g} of {largest:.3g}")
    moments = torch.stack([double.mean(), double.square().mean()])
    outputs = {"output64/out": double[..., ::stride, ::stride].contiguous(), "output64/moments": moments}
    metadata = {"case": path.split("/")[-1].split(".")[0], "kind": kind, "config": json.dumps(config),
                "reference": reference, "weights_shipped": "false", "fill_prefix": "", "fill_gain": "1",
                "fill_exceptions": json.dumps(kept), "state_dict": json.dumps(names), "stride": str(stride),
                "tolerance": json.dumps({"out": {"measured_max_abs": error, "max_abs_value": largest}})}
    write(path, {**{"input/" + k: v for k, v in inputs.items()}, **outputs}, metadata)


def dit(checkout, path):
    sys.path.insert(0, checkout)
    models = importlib.import_module("models")
    network = models.DiT_models["DiT-XL/2"](input_size=32, num_classes=1000).eval()
    generator = torch.Generator().manual_seed(1)
    inputs = {"x": torch.randn(1, 4, 32, 32, generator=generator), "t": torch.tensor([601]), "y": torch.tensor([207])}

    def run(net, i):
        if i["x"].dtype == torch.float64:  # the sinusoids too
            embedder = models.TimestepEmbedder
            embedder.timestep_embedding = staticmethod(double_embedding)
        return net(i["x"], i["t"], i["y"])

    record(path, "dit_full", {"arch": "DiT-XL/2-256"}, "facebookresearch/DiT models.DiT_models['DiT-XL/2']", network,
           inputs, run)


def double_embedding(t, dim, max_period=10000):
    k = torch.arange(dim // 2, dtype=torch.float64)
    angle = t.double()[:, None] * torch.exp(-np.log(max_period) * k / (dim // 2))[None]
    return torch.cat([angle.cos(), angle.sin()], 1)


def edm(checkout, path):
    sys.path.insert(0, checkout)
    networks = importlib.import_module("training.networks")
    network = networks.EDMPrecond(img_resolution=64, img_channels=3, label_dim=1000, model_type="DhariwalUNet",
                                  model_channels=192, channel_mult=[1, 2, 3, 4]).eval()
    generator = torch.Generator().manual_seed(2)
    inputs = {"x": 2.5 * torch.randn(1, 3, 64, 64, generator=generator), "sigma": torch.tensor([2.5]),
              "y": torch.tensor([207])}

    def run(net, i):
        labels = torch.eye(1000)[i["y"]]
        if i["x"].dtype == torch.float64:
            networks.torch = Float64(torch)
            return net(i["x"], i["sigma"], labels.double())
        return net(i["x"], i["sigma"], labels)

    record(path, "edm_full", {"arch": "edm-imagenet-64x64-cond-adm"},
           "NVlabs/edm training.networks.EDMPrecond, edm-imagenet-64x64-cond-adm", network, inputs, run)


class Float64:
    """torch with every float32 replaced: the reference casts to it by name."""

    def __init__(self, torch_module):
        self.__dict__["torch"] = torch_module

    def __getattr__(self, name):
        return self.torch.float64 if name == "float32" else getattr(self.torch, name)


def vae(checkout, path):
    sys.path.insert(0, checkout)
    module = importlib.import_module("ldm.modules.diffusionmodules.model")

    class FirstStage(torch.nn.Module):
        """AutoencoderKL's decoder half, under the names that Stable Diffusion's checkpoints give it."""

        def __init__(self):
            super().__init__()
            self.first_stage_model = torch.nn.Module()
            size = dict(ch=128, out_ch=3, ch_mult=(1, 2, 4, 4), num_res_blocks=2, attn_resolutions=[], in_channels=3,
                        resolution=256, z_channels=4)
            self.first_stage_model.encoder = module.Encoder(double_z=True, **size)
            self.first_stage_model.decoder = module.Decoder(**size)
            self.first_stage_model.quant_conv = torch.nn.Conv2d(8, 8, 1)
            self.first_stage_model.post_quant_conv = torch.nn.Conv2d(4, 4, 1)

        def forward(self, z):
            return self.first_stage_model.decoder(self.first_stage_model.post_quant_conv(z))

    generator = torch.Generator().manual_seed(3)
    inputs = {"z": torch.randn(1, 4, 32, 32, generator=generator)}
    record(path, "vae_full", {"arch": "sd-vae-ft-mse"}, "CompVis/latent-diffusion Encoder, Decoder", FirstStage().eval(),
           inputs, lambda net, i: net(i["z"]), stride=8)


if __name__ == "__main__":
    torch.set_num_threads(2)
    {"dit": dit, "edm": edm, "vae": vae}[sys.argv[1]](sys.argv[2], sys.argv[3])

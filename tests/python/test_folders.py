"""Folders of diffusers open here, ours are saved as such, and the networks compute the same."""

import importlib
import json

import pytest
import torch

import sextant
from sextant import folders


def diffusers_or_skip():
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    importlib.import_module("safetensors.torch")  # older ones use it without importing it
    return diffusers


CHANNELS = (32, 64)
UNETS = {
    "convolutions": dict(down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                         up_block_types=("AttnUpBlock2D", "UpBlock2D"), attention_head_dim=16),
    "resnets": dict(down_block_types=("ResnetDownsampleBlock2D", "AttnDownBlock2D"), downsample_type="resnet",
                    up_block_types=("AttnUpBlock2D", "ResnetUpsampleBlock2D"), upsample_type="resnet",
                    resnet_time_scale_shift="scale_shift", attn_norm_num_groups=32, attention_head_dim=8,
                    num_class_embeds=10, out_channels=6),
    "attention everywhere, one head": dict(down_block_types=("AttnDownBlock2D",) * 2,
                                           up_block_types=("AttnUpBlock2D",) * 2, attention_head_dim=None,
                                           layers_per_block=2),
}  # fmt: skip


def unet(**changes):
    diffusers = diffusers_or_skip()
    torch.manual_seed(0)
    network = diffusers.UNet2DModel(
        **{**dict(sample_size=16, block_out_channels=CHANNELS, layers_per_block=1), **changes}
    ).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return network


@pytest.mark.parametrize("name", UNETS)
@pytest.mark.parametrize("safe", [True, False])
def test_a_unet_of_diffusers_computes_the_same_here(name, safe, tmp_path):
    theirs = unet(**UNETS[name])
    theirs.save_pretrained(tmp_path / "unet", safe_serialization=safe)
    with pytest.warns(UserWarning, match="no scheduler: 1000 steps of the linear schedule"):
        ours = sextant.open_denoiser(tmp_path / "unet")
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([3, 700])
    y = torch.tensor([1, 9]) if theirs.config.num_class_embeds else None
    with torch.no_grad():
        torch.testing.assert_close(ours(x, t, y), theirs(x, t, class_labels=y).sample, rtol=1e-4, atol=1e-5)
    assert ours.classes == (10 if y is not None else 0)


@pytest.mark.parametrize(
    "changes, why",
    [
        (dict(flip_sin_to_cos=False), "its flip_sin_to_cos is False, ADM's True"),
        (dict(norm_eps=1e-6), "its norm_eps is 1e-06"),
        (dict(downsample_padding=0), "downsample_padding is 0"),
        (dict(down_block_types=("SkipDownBlock2D", "AttnDownBlock2D")), "SkipDownBlock2D"),
        (dict(down_block_types=("AttnDownBlock2D", "AttnDownBlock2D")), "attend at other resolutions"),
        (dict(downsample_type="resnet"), "changes resolution by blocks here and by convolutions there"),
        (dict(resnet_time_scale_shift="scale_shift"), "no group norm of 32 groups"),
        (dict(sample_size=None), "sample_size is None"),
    ],
)
def test_what_adm_has_not_is_refused_by_name(changes, why, tmp_path):
    config = {"_class_name": "UNet2DModel", "sample_size": 16, "block_out_channels": CHANNELS, "layers_per_block": 1,
              **UNETS["convolutions"], **changes}  # fmt: skip
    if changes.get("down_block_types") == ("AttnDownBlock2D", "AttnDownBlock2D"):
        config["up_block_types"] = ["AttnUpBlock2D", "UpBlock2D"]
    elif "downsample_type" in changes:
        config.update(down_block_types=["AttnDownBlock2D"] * 2, up_block_types=["AttnUpBlock2D"] * 2)
    (tmp_path / "config.json").write_text(json.dumps(config))
    sextant._core.checkpoint.save_safetensors(tmp_path / "diffusion_pytorch_model.safetensors", {"x": torch.zeros(1)})
    with pytest.raises(sextant.CheckpointError, match="this UNet2DModel is no U-Net of ADM: .*" + why) as caught:
        sextant.open_denoiser(tmp_path)
    assert "\n" not in str(caught.value)


def test_another_class_is_refused_with_those_that_open(tmp_path):
    (tmp_path / "config.json").write_text('{"_class_name": "FluxTransformer2DModel"}')
    with pytest.raises(sextant.CheckpointError, match="holds a FluxTransformer2DModel; UNet2DModel, .* open here"):
        sextant.open_denoiser(tmp_path)


def test_our_digits_are_the_same_after_a_way_through_diffusers_names(models, tmp_path):
    there = folders.to_diffusers(models / "mnist-adm", tmp_path / "pipeline")
    back = sextant.open_denoiser(there)
    model = sextant.open_denoiser(models / "mnist-adm")
    x, t, y = torch.randn(2, 1, 28, 28), torch.tensor([3, 700]), torch.tensor([10, 4])
    torch.testing.assert_close(back(x, t, y), model(x, t, y), rtol=1e-5, atol=1e-5)
    assert (back.classes, back.null_label) == (10, 10)
    config = json.loads((tmp_path / "pipeline/scheduler/scheduler_config.json").read_text())
    assert config["beta_schedule"] == "squaredcos_cap_v2" and config["variance_type"] == "learned_range"


def test_diffusers_draws_our_digits_as_we_do(models, tmp_path):
    diffusers = diffusers_or_skip()
    folders.to_diffusers(models / "mnist-adm", tmp_path / "pipeline")
    network = diffusers.UNet2DModel.from_pretrained(tmp_path / "pipeline/unet")
    scheduler = diffusers.DDIMScheduler.from_pretrained(tmp_path / "pipeline/scheduler", clip_sample=True)
    model = sextant.open_denoiser(models / "mnist-adm")
    labels = torch.tensor([3, 7])
    noise = sextant.Noise(0, [0, 1], [1, 28, 28])
    with torch.no_grad():
        x, t = torch.randn(2, 1, 28, 28), torch.tensor([3, 700])
        torch.testing.assert_close(network(x, t, labels).sample, model(x, t, labels), rtol=1e-4, atol=1e-4)
        x = noise.initial()
        scheduler.set_timesteps(10)
        for t in scheduler.timesteps:
            x = scheduler.step(network(x, t, labels).sample[:, :1], t, x).prev_sample
    assert sextant.open_classifier(models / "mnist-classifier")(x).argmax(1).tolist() == [3, 7]


def test_a_dit_of_diffusers_computes_the_same_here_and_back(tmp_path):
    diffusers = diffusers_or_skip()
    torch.manual_seed(0)
    theirs = diffusers.DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=8, num_layers=2, sample_size=8,
        num_embeds_ada_norm=10,
    ).eval()  # fmt: skip
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    shared = theirs.transformer_blocks[0].norm1.emb
    theirs.transformer_blocks[1].norm1.emb.load_state_dict(shared.state_dict())
    theirs.save_pretrained(tmp_path / "transformer")
    with pytest.warns(UserWarning, match="no scheduler"):
        ours = sextant.open_denoiser(tmp_path / "transformer")
    x, t, y = torch.randn(2, 4, 8, 8), torch.tensor([3, 700]), torch.tensor([1, 10])
    with torch.no_grad():
        wanted = theirs(x, t, class_labels=y).sample
    torch.testing.assert_close(ours(x, t, y), wanted, rtol=1e-4, atol=1e-4)
    assert (ours.classes, ours.null_label) == (10, 10)

    with pytest.warns(UserWarning, match="no scheduler"):
        made = folders.from_diffusers(tmp_path / "transformer", tmp_path / "ours")
    back = folders.to_diffusers(made, tmp_path / "back")
    again = diffusers.DiTTransformer2DModel.from_pretrained(f"{back}/transformer").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(x, t, class_labels=y).sample, wanted)


def test_an_autoencoder_of_diffusers_decodes_the_same_here(tmp_path):
    diffusers = diffusers_or_skip()
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        block_out_channels=(32, 64), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=4, layers_per_block=1, sample_size=16,
    ).eval()  # fmt: skip
    vae.save_pretrained(tmp_path / "vae")
    dit = diffusers.DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=16, in_channels=4, out_channels=8, num_layers=1, sample_size=8,
        num_embeds_ada_norm=10,
    )  # fmt: skip
    dit.save_pretrained(tmp_path / "transformer")
    with pytest.warns(UserWarning, match="no scheduler"):
        model = sextant.open_denoiser(tmp_path / "transformer", vae=tmp_path / "vae")
    z = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        wanted = vae.decode(z / vae.config.scaling_factor).sample
    torch.testing.assert_close(model.decode(z), wanted, rtol=1e-4, atol=1e-4)


@pytest.fixture
def pipeline(models, tmp_path):
    """Our digits as a pipeline, whose JSON files a test may change: edit(path, key=value), None for a key that goes."""
    folder = tmp_path / "pipeline"
    folders.to_diffusers(models / "mnist-adm", folder)
    (folder / "unet/sextant.json").unlink()

    def edit(path, **changes):
        settings = {**json.loads((folder / path).read_text()), **changes}
        (folder / path).write_text(json.dumps({key: value for key, value in settings.items() if value is not None}))
        return folder

    return edit


SCHEDULER = "scheduler/scheduler_config.json"


@pytest.mark.parametrize(
    "changes, why",
    [
        (dict(_class_name="FlowMatchEulerDiscreteScheduler"), "the process of FlowMatch.* is another than the DDPM's"),
        (dict(_class_name="ScoreSdeVeScheduler"), "the process of ScoreSdeVeScheduler is another"),
        (dict(_class_name="EDMEulerScheduler"), "the process of EDMEulerScheduler is another"),
        (dict(_class_name="DPMSolverMultistepScheduler", use_flow_sigmas=True), "is another"),
        (dict(clip_sample_range=0.3), "clip_sample_range is 0.3"),
        (dict(thresholding=True), "thresholding is on"),
        (dict(beta_schedule="linear", beta_start="low"), "describe no network"),
    ],
)
def test_a_scheduler_of_another_process_is_refused(pipeline, changes, why):
    with pytest.raises(sextant.CheckpointError, match=why) as caught:
        sextant.open_denoiser(pipeline(SCHEDULER, **changes))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name, clips", [("DDPMScheduler", True), ("DPMSolverMultistepScheduler", False)])
def test_a_scheduler_clips_where_it_does_in_diffusers(pipeline, tmp_path, name, clips):
    folder = pipeline(SCHEDULER, _class_name=name, clip_sample=None)
    made = folders.from_diffusers(folder, tmp_path / "ours")
    assert json.loads((tmp_path / "ours/config.json").read_text())["diffusion"]["clip"] is clips and made


@pytest.mark.parametrize("text, why", [("[1]", "expected a JSON object of settings"), ("{", "is no JSON")])
def test_a_file_that_is_no_object_of_settings_is_refused(pipeline, text, why):
    folder = pipeline(SCHEDULER)
    (folder / SCHEDULER).write_text(text)
    with pytest.raises(sextant.CheckpointError, match="scheduler_config.json:? " + why):
        sextant.open_denoiser(folder)


def test_a_setting_of_the_wrong_kind_and_a_place_that_is_a_file_are_refused(pipeline, models, tmp_path):
    with pytest.raises(sextant.CheckpointError, match="describe no network: 'int' object"):
        sextant.open_denoiser(pipeline("unet/config.json", block_out_channels=32))
    (tmp_path / "file").write_text("")
    with pytest.raises(sextant.CheckpointError, match="cannot write .*file"):
        folders.to_diffusers(models / "mnist-adm", tmp_path / "file/below")


@pytest.mark.parametrize("lost", ["input_blocks.0.0.weight", "middle_block.1.qkv.weight", "attention_resolutions"])
def test_a_network_that_lacks_something_is_not_saved(models, tmp_path, lost):
    config = json.loads((models / "mnist-adm/config.json").read_text())
    weights = sextant._core.checkpoint.load(models / "mnist-adm/model.safetensors")
    assert lost in weights or lost in config["model"]
    (tmp_path / "ours").mkdir()
    config["model"].pop(lost, None)
    weights.pop(lost, None)
    (tmp_path / "ours/config.json").write_text(json.dumps(config))
    sextant._core.checkpoint.save_safetensors(tmp_path / "ours/model.safetensors", weights)
    with pytest.raises(sextant.CheckpointError, match=f"ours: its config.json or its weights lack {lost}"):
        folders.to_diffusers(tmp_path / "ours", tmp_path / "there")
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize("function", [folders.from_diffusers, folders.to_diffusers])
def test_what_is_no_path_is_refused(function, tmp_path):
    with pytest.raises(sextant.UsageError, match="folder: expected a path, got 3"):
        function(3, tmp_path)
    with pytest.raises(sextant.UsageError, match="out: expected a path, got None"):
        function(tmp_path, None)
    with pytest.raises(sextant.UsageError, match="expected a path, got 3"):
        folders.is_diffusers(3)

"""Guidance in real pipelines of diffusers, small and random."""

import math
import types

import pytest
import torch

import sextant
from sextant import samplers

diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
pytest.importorskip("diffusers.guiders", reason="this diffusers has no guiders, 0.36 has")
from sextant.diffusers import ClassifierGuidance  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return diffusers.UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
    ).eval()


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)
    ).eval()


SCHEDULERS = {
    "ddpm": lambda kind: diffusers.DDPMScheduler(prediction_type=kind, clip_sample=False),
    "ddim": lambda kind: diffusers.DDIMScheduler(prediction_type=kind, clip_sample=False),
    "dpm": lambda kind: diffusers.DPMSolverMultistepScheduler(prediction_type=kind),
    "euler": lambda kind: diffusers.EulerDiscreteScheduler(prediction_type=kind),
}


def sampled(network, scheduler, seed=0):
    """What a classic pipeline does, without its conversion to pictures."""
    generator = torch.Generator().manual_seed(seed)
    scheduler.set_timesteps(10)
    x = torch.randn(2, 1, 8, 8, generator=generator) * scheduler.init_noise_sigma
    with torch.no_grad():
        for t in scheduler.timesteps:
            out = network(scheduler.scale_model_input(x, t), t).sample
            x = scheduler.step(out, t, x).prev_sample
    return x


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_guidance_raises_the_score_of_what_is_drawn(network, classifier, name, kind):
    targets = torch.tensor([0, 2])
    scheduler = SCHEDULERS[name](kind)
    torch.manual_seed(5)
    plain = sampled(network, scheduler)
    torch.manual_seed(5)
    with ClassifierGuidance(classifier, "plain", scale=20.0).attached(scheduler, targets):
        guided = sampled(network, scheduler)
    score = lambda x: torch.log_softmax(classifier(x), 1)[torch.arange(2), targets].sum()  # noqa: E731
    assert score(guided) > score(plain)
    torch.manual_seed(5)
    assert torch.equal(sampled(network, scheduler), plain), "the scheduler is as it was"


def test_our_loop_and_diffusers_with_the_same_weights_and_noise_agree(network, classifier):
    scheduler = diffusers.DDIMScheduler(clip_sample=False, timestep_spacing="leading", set_alpha_to_one=True)
    noise = sextant.Noise(3, [0, 1], [1, 8, 8])
    targets = torch.tensor([1, 2])
    settings = dict(alpha=0.3, scale=3.0, guidance_interval=(0.0, 0.8))

    scheduler.set_timesteps(10)
    x = noise.initial()
    with ClassifierGuidance(classifier, "js", **settings).attached(scheduler, targets), torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(network(x, t).sample, t, x).prev_sample

    process = sextant.Process(betas=scheduler.betas.double().tolist(), clip=False)
    denoiser = sextant.Denoiser(lambda x, t, y: network(x, t).sample, process, [1, 8, 8])
    guide = sextant.Guide(classifier, "js", **settings)
    ours = samplers.ddim(denoiser, targets, guide=guide, noise=noise, respacing="ddim10")
    torch.testing.assert_close(x, ours, rtol=1e-3, atol=1e-3 * float(ours.abs().max()))


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
def test_every_kind_of_prediction_is_shifted_alike(classifier, kind):
    """The x0 of the shifted prediction is x0 + (1 - abar) factor g, whatever the network predicts."""
    scheduler = diffusers.DDIMScheduler(prediction_type=kind, clip_sample=False)
    scheduler.set_timesteps(10)
    t = int(scheduler.timesteps[4])
    abar = float(scheduler.alphas_cumprod[t])
    x0, eps = torch.randn(2, 1, 8, 8), torch.randn(2, 1, 8, 8)
    x = abar**0.5 * x0 + (1 - abar) ** 0.5 * eps
    v = abar**0.5 * eps - (1 - abar) ** 0.5 * x0
    guidance = ClassifierGuidance(classifier, "plain", gamma_factor=0.3)
    with guidance.attached(scheduler, [0, 1]):
        out = guidance.shifted({"epsilon": eps, "v_prediction": v, "sample": x0}[kind], t, x)
    got = {
        "epsilon": lambda: (x - (1 - abar) ** 0.5 * out) / abar**0.5,
        "v_prediction": lambda: abar**0.5 * x - (1 - abar) ** 0.5 * out,
        "sample": lambda: out,
    }[kind]()
    leaf = x0.clone().requires_grad_()
    torch.log_softmax(classifier(leaf), 1)[[0, 1], [0, 1]].sum().backward()
    expected = x0 + (1 - abar) * (1 + 0.3 * math.sin(math.pi * 5 / 10)) * leaf.grad
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-3)


def test_a_whole_pipeline_is_guided(network, classifier):
    pipeline = diffusers.DDIMPipeline(unet=network, scheduler=diffusers.DDIMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    draw = lambda: torch.from_numpy(  # noqa: E731
        pipeline(
            batch_size=2, num_inference_steps=5, output_type="np", generator=torch.Generator().manual_seed(0)
        ).images
    )
    plain = draw()
    with ClassifierGuidance(classifier, "js+entropy", scale=5.0).attached(pipeline, targets=[0, 2]):
        assert not torch.equal(draw(), plain)
    assert torch.equal(draw(), plain)


def test_dit_is_guided_through_its_vae_beside_its_own_classifier_free_guidance():
    torch.manual_seed(0)
    transformer = diffusers.DiTTransformer2DModel(
        sample_size=4, num_layers=1, patch_size=2, attention_head_dim=4, num_attention_heads=2, in_channels=4,
        out_channels=8, attention_bias=True, activation_fn="gelu-approximate", num_embeds_ada_norm=1000,
        norm_type="ada_norm_zero", norm_elementwise_affine=False,
    ).eval()  # fmt: skip
    vae = diffusers.AutoencoderKL(block_out_channels=(8,), norm_num_groups=4, latent_channels=4).eval()
    pipeline = diffusers.DiTPipeline(transformer=transformer, vae=vae, scheduler=diffusers.DDIMScheduler())
    pipeline.set_progress_bar_config(disable=True)
    seen = []
    reads = lambda x: seen.append(x.shape) or x.mean((2, 3))  # noqa: E731
    draw = lambda: pipeline(  # noqa: E731
        class_labels=[3, 1], guidance_scale=4.0, num_inference_steps=3, output_type="np",
        generator=torch.Generator().manual_seed(0),
    ).images  # fmt: skip
    plain = draw()
    with ClassifierGuidance(reads, "plain", scale=50.0).attached(pipeline, targets=[2, 0]):
        guided = draw()
    assert seen == [(2, 3, 4, 4)] * 3, "decoded images, each sample once"
    assert abs(guided - plain).max() > 1e-4


def test_a_guider_shifts_what_a_modular_pipeline_predicts(network, classifier):
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    scheduler.set_timesteps(10)
    guider = ClassifierGuidance(classifier, "plain", scale=2.0, guidance_scale=3.0).for_targets(scheduler, [0, 1])
    x, t = torch.randn(2, 1, 8, 8), scheduler.timesteps[3]
    guider.set_state(step=3, num_inference_steps=10, timestep=t)
    batches = guider.prepare_inputs({"label": (torch.tensor([1, 1]), torch.tensor([0, 0]))})
    assert len(batches) == 2 and torch.equal(batches[1].label, torch.tensor([0, 0]))
    for i, batch in enumerate(batches):
        guider.prepare_models(network)
        with torch.no_grad():
            batch.noise_pred = network(x, t).sample + i
        guider.cleanup_models(network)
    got = guider(batches).pred
    mixed = batches[1].noise_pred + 3.0 * (batches[0].noise_pred - batches[1].noise_pred)
    torch.testing.assert_close(got, guider.shifted(mixed, t, x))
    assert not torch.equal(got, mixed) and not network._forward_pre_hooks


def test_what_cannot_be_guided_says_why(classifier):
    with pytest.raises(sextant.UsageError, match="follows a flow"):
        with ClassifierGuidance(classifier).attached(diffusers.FlowMatchEulerDiscreteScheduler(), [0]):
            pass
    with pytest.raises(sextant.UsageError, match="twice a step"):
        with ClassifierGuidance(classifier).attached(diffusers.HeunDiscreteScheduler(), [0]):
            pass
    with pytest.raises(sextant.UsageError, match="through it"):
        ClassifierGuidance(classifier, guidance_input="jacobian")
    with pytest.raises(sextant.UsageError, match="preconditioned as EDM's"):
        with ClassifierGuidance(classifier).attached(diffusers.EDMEulerScheduler(), [0]):
            pass
    with pytest.raises(sextant.UsageError, match="expected a pipeline with a scheduler, or a scheduler, got NoneType"):
        with ClassifierGuidance(classifier).attached(None, [0]):
            pass
    with pytest.raises(sextant.UsageError, match="guidance_scale: expected a finite number, got x"):
        ClassifierGuidance(classifier, guidance_scale="x")


def test_a_setting_counts_however_it_is_spelt_and_none_leaves_its_default(classifier):
    scheduler = diffusers.DDIMScheduler(clip_sample=False)

    def drawn(**settings):
        with ClassifierGuidance(classifier, "plain", scale=5.0, **settings).attached(scheduler, [0]):
            return stepped(scheduler)

    plain, more = drawn(), drawn(backward_steps=2)
    assert not torch.equal(more, plain)
    assert torch.equal(drawn(**{"backward-steps": 2}), more)
    assert torch.equal(drawn(backward_steps=None, guidance_input=None), plain)
    noisy = drawn(guidance_input="xt")
    assert torch.equal(drawn(**{"guidance-input": "xt"}), noisy) and not torch.equal(noisy, plain)


def stepped(scheduler, count=4):
    """The noise of one image after one step of a network that predicts zeros."""
    scheduler.set_timesteps(count)
    x = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(3))
    return scheduler.step(torch.zeros_like(x), scheduler.timesteps[0], x).prev_sample


def test_one_attached_within_another_adds_its_shift_and_leaves_the_outer_on(classifier):
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    plain = stepped(scheduler)
    first, second = (ClassifierGuidance(classifier, "plain", scale=5.0) for _ in range(2))
    with first.attached(scheduler, [0]):
        outer = stepped(scheduler)
        with second.attached(scheduler, [1]):
            assert not torch.equal(stepped(scheduler), outer)
        assert torch.equal(stepped(scheduler), outer) and not torch.equal(outer, plain)
        with pytest.raises(sextant.UsageError, match="attached already"):
            with first.attached(scheduler, [1]):
                pass
        assert torch.equal(stepped(scheduler), outer)
    assert "step" not in vars(scheduler) and torch.equal(stepped(scheduler), plain)


def test_a_scheduler_that_calls_the_network_twice_at_one_timestep_is_refused(classifier):
    with ClassifierGuidance(classifier).attached(diffusers.PNDMScheduler(), [0]) as scheduler:
        scheduler.set_timesteps(8)
        x = torch.zeros(1, 1, 8, 8)
        with pytest.raises(sextant.UsageError, match="calls the network 2 times at timestep .*DDIMScheduler"):
            for t in scheduler.timesteps:
                x = scheduler.step(torch.zeros_like(x), t, x).prev_sample


def test_pure_noise_is_refused_where_it_leaves_nothing_to_guide(classifier):
    made = dict(prediction_type="v_prediction", rescale_betas_zero_snr=True, timestep_spacing="trailing")
    scheduler = diffusers.DDIMScheduler(clip_sample=False, **made)
    with ClassifierGuidance(classifier, "plain").attached(scheduler, [0]):
        assert stepped(scheduler).isfinite().all()
    with ClassifierGuidance(classifier, "plain", guidance_input="xt").attached(scheduler, [0]):
        with pytest.raises(sextant.UsageError, match="timestep 999 x_t is noise alone .*guidance_input='xt'"):
            stepped(scheduler)


class Vae(torch.nn.Module):
    """What a pipeline has as its VAE: every pixel a latent, in the dtype of its weight."""

    dtype = property(lambda self: self.gain.dtype)

    def __init__(self, dtype):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.full((1,), 0.5, dtype=dtype), requires_grad=False)
        self.config = types.SimpleNamespace(scaling_factor=0.25, shift_factor=0.1)

    def decode(self, z):
        assert z.dtype == self.gain.dtype
        return types.SimpleNamespace(sample=z * self.gain)


@pytest.mark.parametrize("name", ["vae", "vqvae"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_classifier_reads_what_the_pipelines_own_decoder_makes(classifier, name, dtype):
    scheduler = diffusers.DDIMScheduler(clip_sample=False)
    seen = []
    reads = lambda x: seen.append(x.detach()) or classifier(x)  # noqa: E731
    pipeline = types.SimpleNamespace(scheduler=scheduler, **{name: Vae(dtype)})
    with ClassifierGuidance(reads, "plain", scale=5.0).attached(pipeline, [0]):
        guided = stepped(scheduler)
    with ClassifierGuidance(reads, "plain", scale=5.0, space="latent").attached(pipeline, [0]):
        latent = stepped(scheduler)
    assert seen[0].dtype == torch.float32
    torch.testing.assert_close(seen[0], (seen[1] / 0.25 + 0.1) * 0.5, rtol=0.02, atol=0.5)
    assert not torch.equal(guided, latent) and not torch.equal(guided, stepped(scheduler))


def test_a_modular_pipeline_takes_it_as_its_guider(classifier):
    from diffusers.configuration_utils import FrozenDict
    from diffusers.guiders.classifier_free_guidance import ClassifierFreeGuidance
    from diffusers.modular_pipelines import ModularPipelineBlocks
    from diffusers.modular_pipelines.modular_pipeline_utils import ComponentSpec

    class Blocks(ModularPipelineBlocks):
        model_name = "guided"
        description = "a guider alone"

        @property
        def expected_components(self):
            made = dict(config=FrozenDict({"guidance_scale": 2.0}), default_creation_method="from_config")
            return [ComponentSpec("guider", ClassifierFreeGuidance, **made)]

    pipeline = Blocks().init_pipeline()
    guider = ClassifierGuidance(classifier, "js", alpha=0.3, guidance_scale=4.0)
    pipeline.update_components(guider=guider)
    assert pipeline.guider is guider
    assert {key: guider.config[key] for key in ("score", "alpha", "guidance_scale", "space")} == {
        "score": "js", "alpha": 0.3, "guidance_scale": 4.0, "space": "pixels",
    }  # fmt: skip
    assert "ClassifierGuidance" in repr(guider)

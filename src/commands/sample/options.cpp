#include "common/classifier_options.h"
#include "common/opened_weights.h"
#include "common/run_options.h"
#include "internal/commands/sample.h"
#include "internal/diffusion/words.h"
#include "internal/guidance/words.h"

namespace sextant::commands {
namespace {

Words<samplers::Sampler*> sampler_words() {
  Words<samplers::Sampler*> words;
  for (const samplers::SamplerRow& row : samplers::table()) words.emplace_back(row.word, row.sampler);
  return words;
}

}  // namespace

std::vector<OptionGroup> sample_options(SampleConfig& c) {
  constexpr double kMost = 1e9;
  using diffusion::Discretization;
  using diffusion::NoiseSchedule;
  using diffusion::Scaling;
  using guidance::GammaMax;
  using guidance::Input;
  using models::CfgChannels;
  using samplers::EdmGuidance;
  guidance::ScoreConfig& s = c.guidance.terms;
  guidance::GuideConfig& g = c.guidance.guide;
  samplers::EdmConfig& edm = c.sampler.edm;
  std::vector<std::string> methods = {kNoGuidance};
  for (const guidance::ScoreTerm& term : guidance::kScoreTerms) methods.emplace_back(term.word);
  const auto chosen = [](const std::string& start, models::WeightsChoice& choice, const std::string& whose) {
    return weights_rows(start, &choice.group, &choice.prefix, whose);
  };
  return {
      {"sample", "What to draw",
       appended(
           {
               {"--labels", &c.sample.labels, Anything{},
                "Classes to draw: random, or a list such as 3 or 0-9 or 0,3,7-9 taken in turn", "LIST"},
               {"--count", &c.sample.count, Range{1, kMost}, "Images", ""},
               {"--batch", &c.sample.batch, Range{1, 1e6},
                "Images at a time; changes speed and memory, not the images (but see --tilt)", ""},
               {"--seed", &c.sample.seed, Range{0, kUnlimited}, "Seed; image i depends on it and i alone", ""},
               out_option(
                   c.run,
                   "samples.npz, grid.png, run.json and, of a guide, gradient-norm.svg; an interrupted run in it "
                   "continues"),
               overwrite_option(c.run, "Replace the samples of another run in --out"),
               choice("--rounding", &c.sample.rounding, diffusion::rounding_words(),
                      "Pixels to bytes: trunc((x+1) 127.5), or trunc(127.5 x + 128)"),
           },
           run_options(c.run))},
      {"model", "Diffusion model",
       appended(
           appended(
               std::vector<Option>{
                   {"--model", &c.model.path, Anything{}, "Folder with config.json and weights, or a checkpoint file",
                    "PATH"},
                   {"--arch", &c.model.arch, Anything{},
                    "Architecture of a checkpoint file ('sextant inspect FILE' guesses it); empty is what its folder "
                    "says",
                    "NAME"},
                   {"--unconditional", &c.model.unconditional, Anything{},
                    "Give the model the null label; --labels only steer the guide", ""},
                   {"--denoiser-label", &c.model.denoiser_label, c.model.kDenoiserLabel,
                    "Give the model this label for every image; -1 is the image's own", ""},
                   {"--cfg-scale", &c.model.cfg_scale, c.model.kCfgScale,
                    "Classifier-free guidance; 1 is off. Combines with --guidance", ""},
                   choice("--cfg-channels", &c.model.cfg_channels,
                          {{"model", CfgChannels::kModel}, {"3", CfgChannels::kThree}, {"all", CfgChannels::kAll}},
                          "Channels that it guides: as the model's own sampler does (DiT: the first 3 of 4), the first "
                          "3, or all"),
                   {"--cfg-interval", &c.model.cfg_interval, c.model.kCfgInterval,
                    "Noise levels sigma between which --cfg-scale or --autoguidance-model act; empty is all of them",
                    ""},
                   {"--autoguidance-model", &c.model.autoguidance_model, Anything{},
                    "Autoguidance: a smaller or less trained model of the same kind, to move away from", "PATH"},
                   {"--autoguidance-arch", &c.model.autoguidance_arch, Anything{},
                    "Architecture of its checkpoint file", "NAME"},
                   {"--autoguidance-scale", &c.model.autoguidance_scale, c.model.kCfgScale,
                    "bad + scale (good - bad); 1 is the --model alone", ""},
                   {"--vae", &c.model.vae, Anything{},
                    "Autoencoder of a model that draws latents: folder or checkpoint file", "PATH"},
                   {"--vae-arch", &c.model.vae_arch, Anything{}, "Architecture of its checkpoint file", "NAME"},
                   precision_option("--vae-precision", &c.model.vae_precision, "Its arithmetic; same is --precision"),
               },
               chosen("", c.model.weights, "the --model")),
           appended(chosen("autoguidance-", c.model.autoguidance_weights, "the --autoguidance-model"),
                    chosen("vae-", c.model.vae_weights, "the --vae")))},
      classifier_options(c.classifier, "Network that steers"),
      {"guidance",
       "Guidance",
       {
           {"--guidance", &c.guidance.guidance, SumOf{methods},
            "Score to climb; left out it is plain with a --classifier, else none", ""},
           {"--attributes", &c.guidance.attributes, Anything{},
            "Of a classifier of attributes, what to ask for: \"smiling=1,male=0\", or a CSV file with a line an image",
            "LIST"},
           {"--attribute-weights", &c.guidance.attribute_weights, Anything{},
            "Weight of each attribute's score: \"1,0.5\" or \"male=2\"; empty is 1", "LIST"},
           {"--alpha", &s.divergence.alpha, s.divergence.kAlpha,
            "Divergence weight, eq. (7) (paper: 0.1, and 0.09 for js)", ""},
           {"--epsilon", &s.divergence.epsilon, s.divergence.kEpsilon,
            "Extra mass the divergence's target gives the class, eq. (76)", ""},
           choice("--js-form", &s.js_form, guidance::js_form_words(),
                  "Jensen-Shannon as eq. (14) defines it, or twice that as Corollary 3 prints it"),
           {"--divergence-order", &s.divergence_order, guidance::kDivergenceOrder,
            "Order of alpha-div: 0 is reverse KL, 0.5 twice squared Hellinger, 1 forward KL, 2 half of chi2", ""},
           {"--lambda-max", &s.lambda_max, s.kLambda, "Entropy weight at the first step", ""},
           {"--lambda-min", &s.lambda_min, s.kLambda, "Entropy weight at the last step", ""},
           choice("--lambda-shape", &s.lambda_shape, guidance::lambda_shape_words(),
                  "How it falls along the steps: evenly, as a half cosine, or with the noise's share 1 - abar_t"),
           {"--tilt", &g.tilt, g.kTilt, "Batch tilt, eq. (15) (paper: -0.2); 0 is off. Couples the images of a batch",
            ""},
           choice("--tilt-form", &g.tilt_form, guidance::tilt_form_words(),
                  "Tilt weights average to 1, or sum to 1 as printed"),
           {"--tilt-group", &g.tilt_group, g.kTiltGroup, "Consecutive images that share a tilt; 0 is the whole batch",
            ""},
           {"--scale", &g.scale, g.kScale, "Guidance scale", ""},
           {"--gamma-factor", &g.gamma_factor, g.kGammaFactor,
            "Height of the schedule's sine: with ddpm a share of the largest variance, else of the shift itself", ""},
           choice("--gamma-max", &g.gamma_max, {{"per-sample", GammaMax::kPerSample}, {"elucd", GammaMax::kElucd}},
                  "Largest variance of each image, or of one pixel of the batch as EluCD reads it"),
           {"--joint-temperature", &s.temperatures.joint, s.temperatures.kJoint,
            "tau1 of log p = tau1 f_y - logsumexp(tau2 f)", ""},
           {"--marginal-temperature", &s.temperatures.marginal, s.temperatures.kMarginal, "tau2 (EluCD: 0.5)", ""},
           {"--entropy-driven", &g.entropy_driven, Anything{}, "Scale by log K / H(p) (Zheng et al. 2022)", ""},
           choice("--guidance-input", &g.input,
                  {{"x0", Input::kX0}, {"xt", Input::kNoisy}, {"jacobian", Input::kThroughDenoiser}},
                  "Gradient at the predicted x0, at x_t by a noise-aware classifier, or at x_t through the denoiser"),
           {"--guidance-interval", &g.interval, g.kInterval, "Share of the steps that is guided; 1 is the noisiest",
            ""},
           choice(
               "--guidance-space", &c.guidance.space,
               {{"auto", GuidanceSpace::kAuto}, {"pixels", GuidanceSpace::kPixels}, {"latent", GuidanceSpace::kLatent}},
               "What the classifier reads of a latent model: by its channels, decoded images, or the latents"),
           {"--backward-steps", &g.backward_steps, g.kBackwardSteps,
            "Steps of ascent on the score at x0 within each step (universal guidance); 0 is off", ""},
           {"--backward-lr", &g.backward_lr, g.kBackwardLr, "Their step size", ""},
       }},
      {"sampler",
       "Sampler",
       {
           choice("--sampler", &c.sampler.sampler, sampler_words(), "Sampling loop"),
           {"--steps", &c.sampler.steps, c.sampler.kSteps, "Steps, evenly spaced over the model's", ""},
           {"--respacing", &c.sampler.respacing, Anything{},
            "Steps in another spacing, instead of --steps: \"ddim50\", \"10,10,5\"", "TEXT"},
           {"--eta", &c.sampler.eta, c.sampler.kEta, "Noise of ddim: 0 is deterministic, 1 has ddpm's", ""},
           {"--recurrence", &c.sampler.recurrence, c.sampler.kRecurrence,
            "ddpm, ddim: times that each step is made, renoised in between (universal guidance); 1 is once", ""},
           choice("--discretization", &edm.levels.discretization,
                  {{"edm", Discretization::kEdm},
                   {"vp", Discretization::kVp},
                   {"ve", Discretization::kVe},
                   {"iddpm", Discretization::kIddpm}},
                  "edm: how the noise levels are spaced (Karras et al. 2022, Table 1)"),
           choice("--schedule", &edm.levels.schedule,
                  {{"linear", NoiseSchedule::kLinear}, {"vp", NoiseSchedule::kVp}, {"ve", NoiseSchedule::kVe}},
                  "edm: noise level sigma(t) over time"),
           choice("--scaling", &edm.levels.scaling, {{"none", Scaling::kNone}, {"vp", Scaling::kVp}},
                  "edm: factor s(t) that the signal is stored with"),
           {"--solver-alpha", &edm.alpha, edm.kAlpha,
            "edm-heun: where the second call of a step is made, as a share of it; 1 is Heun's, 0.5 the midpoint", ""},
           {"--sigma-min", &edm.levels.sigma_min, edm.levels.kSigma,
            "edm: smallest noise level; 0 is the discretisation's own (edm: 0.002)", ""},
           {"--sigma-max", &edm.levels.sigma_max, edm.levels.kSigma,
            "edm: largest noise level; 0 is the discretisation's own (edm: 80)", ""},
           {"--rho", &edm.levels.rho, edm.levels.kRho,
            "edm: spacing of the noise levels; larger spends more steps at low noise", ""},
           {"--churn", &edm.churn, edm.kChurn, "edm: S_churn, noise added before steps; 0 is deterministic", ""},
           {"--churn-min", &edm.churn_min, edm.kChurnLevel, "edm: smallest noise level with churn", ""},
           {"--churn-max", &edm.churn_max, edm.kChurnLevel, "edm: largest noise level with churn", ""},
           {"--churn-noise", &edm.churn_noise, edm.kChurnNoise, "edm: inflation of the noise that churn adds", ""},
           choice("--edm-guidance", &edm.guidance, {{"score", EdmGuidance::kScore}, {"elucd", EdmGuidance::kElucd}},
                  "edm: add the gradient to the score, or a normalised one to the image as EluCD's code does"),
           {"--max-guidance", &edm.max_guidance, edm.kMaxGuidance,
            "edm, elucd: share of the image's RMS at the first step", ""},
           {"--add-factor", &edm.add_factor, edm.kAddFactor,
            "edm, elucd: height of a half sine on top, in units of --max-guidance", ""},
       }},
      {"share",
       "Many tasks for one run",
       {
           {"--shard", &c.share.shard, Anything{},
            "Draw the K-th of N shares of the batches, into a folder that tasks share or one to be joined by 'sextant "
            "merge'; processes below torchrun, mpirun or srun share by themselves",
            "K/N"},
           {"--lease", &c.share.lease, Range{0.1, 1e6},
            "Seconds without a sign of life after which other tasks take over a task's batch", ""},
       }},
  };
}

}  // namespace sextant::commands

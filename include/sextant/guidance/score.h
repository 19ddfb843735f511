// Scores S(f, y): functions of a classifier's logits that a guide climbs, the divergences among them, and all by name.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "sextant/runtime/range.h"
#include "sextant/runtime/tensor.h"

namespace sextant::guidance {

// Scores S(x, y) of classifier logits. The sampler climbs their gradient.
//
//   f        logits          [N, K], float32 or float64, any device
//   y        target classes  [N], int64 in [0, K), on f's device
//   returns  S [N] and dS/df [N, K], dtype and device of f
//
// The scores of this module are pure functions: no state, no randomness, no autograd graph, arguments untouched,
// callable from any thread, finite for |f| up to 1e4 and for K from 2 to tens of thousands. All throw ShapeError for
// tensors, labels among them, and UsageError for parameters out of range. Equation numbers are those of Javid et al.
// 2025 (arXiv 2511.05844).

struct Score {
  Tensor value;     ///< S      [N]
  Tensor gradient;  ///< dS/df  [N, K]
};

/// Scores add up: a regularised score is log_prob + its regulariser. ShapeError unless both are of the same N and K.
Score operator+(const Score& a, const Score& b);

/// What a score may depend on beside logits and labels: where on the trajectory the images are.
struct Step {
  int64_t index = 0;         ///< respaced: num_steps - 1 first (the noisiest), 0 last
  int64_t num_steps = 1;     ///< respaced count
  double alpha_cumprod = 1;  ///< of x_t; of a model in noise levels, 1/(1 + sigma^2)
};

/// Anything that a guide can climb. A method of your own is a lambda: it gets f detached, and returns S and dS/df.
using ScoreFunction = std::function<Score(const Tensor& f, const Tensor& y, const Step& step)>;

/// The sum of `scores`, taken in their order. UsageError when there is none, or an empty function among them.
ScoreFunction sum(std::vector<ScoreFunction> scores);

struct Temperatures {
  double joint = 1.0;  ///< tau1
  static constexpr Range kJoint{0, 100, true};
  double marginal = 1.0;  ///< tau2; 0 makes the denominator constant (pure joint guidance)
  static constexpr Range kMarginal{0, 100};
};

/// log p(y|x) = tau1 f_y - logsumexp(tau2 f)                   eqs. (2), (3)
Score log_prob(const Tensor& f, const Tensor& y, Temperatures tau);

/// lambda H(p), p = softmax(f) at temperature 1                 Prop. 1
Score entropy(const Tensor& f, double lambda);

/// log(K)/H(p) per sample: entropy-driven scaling of Zheng et al. 2022; [N]. H is floored at the dtype's epsilon.
/// `classes` replaces K (the published code has 1000 for every classifier); 0 takes f's own K.
Tensor entropy_driven_scale(const Tensor& f, int64_t classes = 0);

// How strongly a guide pulls along the steps. Steps are respaced: index num_steps - 1 first (the noisiest), 0 last;
// UsageError for an index out of that range.

/// What the running maximum of the sine schedule reads.
enum class GammaMax {
  kPerSample,  ///< each sample its own variance: images do not depend on their batch
  kElucd       ///< one pixel of the batch's first sample, as EluCD's code does
};

/// The share of max - min that lambda_t lies above min at step t of T, abar the step's alpha_cumprod. Javid et al. 2025
/// (F.2) say that it falls and not how.
enum class LambdaShape {
  kLinear,  ///< t/(T - 1)
  kCosine,  ///< (1 - cos(pi t/(T - 1)))/2: slow at both ends
  kNoise    ///< 1 - abar: the noise's share of the variance of x_t
};

/// lambda falling from `max` at the first (noisiest) step to `min` at step 0; by kNoise between what the first and the
/// last step's noise leave of that range. A lone step has `max`, but by kNoise what its noise says.
double entropy_weight(const Step& step, double max, double min, LambdaShape shape = LambdaShape::kLinear);

// Scores of classifiers that judge attributes: K heads, each a yes or no of its own, p_k = sigmoid(f_k).
//
// Every score of classes serves: an attribute is a classification between two classes with the logits (-f_k/2, f_k/2),
// whose softmax is (1 - p_k, p_k). So log p_y becomes log sigmoid(+-f_k), a divergence that of two Bernoulli
// distributions, an entropy H(p_k).

/// S = sum_k w_k S2(f_k), S2 the score `of_two_classes` of "yes" to attribute k: with log_prob the sum of w_k log
/// sigmoid(f_k). f [N, K] is positive where the answer is the one that is asked for; an attribute whose f is exactly 0
/// has no part in it. `weights` one each, or none for 1. The labels y are not read. UsageError for another number of
/// weights, or one that is not finite.
ScoreFunction attribute_score(ScoreFunction of_two_classes, std::vector<double> weights = {});

// ---- divergences --------------------------------------------------------------------------------------------------
//
// Divergences between the classifier's distribution p = softmax(f) and a target distribution q, as scores to be added
// to log_prob: S = -alpha D. Shapes, errors and limits are those above.
//
// A target that has zeros makes KL(p || q), chi2 and the alpha-divergence of order 1 and above infinite, and has no
// ratio p/q for f_divergence, whatever its generator: those throw UsageError for one, as they do for epsilon = 1.

struct Divergence {
  double alpha = 0.1;  ///< weight; 0 turns the term off
  static constexpr Range kAlpha{0, 10};
  double epsilon = 0.1;  ///< extra mass that q_y gives the target class
  static constexpr Range kEpsilon{0, 1};
  /// q itself, [K] for all samples or [N, K]: floating point, any device, not negative, with the sum 1 (to 1e-5; of
  /// float16 to 1e-3 and of bfloat16 to 8e-3, divided by that sum). Undefined is q_y(i) = (1 - eps)/K + eps [i = y],
  /// eq. (76); defined, epsilon has no part in it.
  Tensor target = {};
};

/// q_y(i) = (1 - eps)/K + eps [i = y], shaped and typed as `like`   eq. (76)
Tensor smoothed_target(const Tensor& y, const Tensor& like, double epsilon);

/// -alpha KL(q || p); the paper's "reverse KL"                  eqs. (7), (9), Cor. 1
Score reverse_kl(const Tensor& f, const Tensor& y, const Divergence& divergence);

/// -alpha KL(p || q); the paper's "forward KL"                  Cor. 2
Score forward_kl(const Tensor& f, const Tensor& y, const Divergence& divergence);

enum class JensenShannonForm {
  kEquation14,  ///< (KL(q||m) + KL(p||m))/2, m = (q+p)/2: eq. (14), the definition
  kPaper,       ///< twice that: Corollary 3 and Table 4 as printed
};

/// -alpha JS(q, p)                                              eq. (14), Cor. 3
Score jensen_shannon(const Tensor& f, const Tensor& y, const Divergence& divergence,
                     JensenShannonForm form = JensenShannonForm::kEquation14);

/// -alpha sum (sqrt q - sqrt p)^2                               Cor. 4
Score hellinger(const Tensor& f, const Tensor& y, const Divergence& divergence);

/// -alpha sum (p - q)^2/q, Pearson's. It grows as large as 1/min q: choose alpha accordingly.
Score chi2(const Tensor& f, const Tensor& y, const Divergence& divergence);

/// Below 0 a certain classifier is beyond what floats hold, 1/p among the terms; above 2 powers of 1/q are.
inline constexpr Range kDivergenceOrder{0, 2};

/// -alpha (sum p^a q^(1-a) - 1)/(a (a - 1)), the alpha-divergence of order a in kDivergenceOrder (Amari; Cressie and
/// Read): KL(q || p) at 0, twice the squared Hellinger distance at 1/2, KL(p || q) at 1, half of chi2 at 2.
Score alpha_divergence(const Tensor& f, const Tensor& y, const Divergence& divergence, double order);

/// The generator of an f-divergence D_f(q || p) = sum_i q_i f(p_i/q_i), eq. (43).
class Generator {
 public:
  /// Elementwise, for t > 0 in float32 or float64, any shape and device.
  using Function = std::function<Tensor(const Tensor& t)>;

  /// f and its derivative f'. UsageError unless, on a grid from 1/1024 to 1024, f(1) = 0, f is convex and f' its
  /// derivative (Assumption 1).
  Generator(Function f, Function derivative);

  Tensor f(const Tensor& t) const { return f_(t); }
  Tensor derivative(const Tensor& t) const { return derivative_(t); }

 private:
  Function f_;
  Function derivative_;
};

/// -alpha D_f(q || p) by Proposition 2, for any generator: dS/df_k = -alpha (w_k - p_k sum_i w_i), w_i = p_i
/// f'(p_i/q_i). p_i/q_i is kept above the dtype's smallest normal number, so logits of 1e4 give finite numbers wherever
/// f and f' do; the closed forms above are exact there as well.
Score f_divergence(const Tensor& f, const Tensor& y, const Generator& generator, const Divergence& divergence);

// ---- by name ------------------------------------------------------------------------------------------------------
//
// Scores by name: named_score("js+entropy").

/// All that the named scores read; each of them reads its own part (docs/methods.md).
struct ScoreConfig {
  Temperatures temperatures;
  Divergence divergence;
  JensenShannonForm js_form = JensenShannonForm::kEquation14;
  double divergence_order = 0.5;  ///< of the alpha-divergence, in kDivergenceOrder
  double lambda_max = 0.2;        ///< entropy's weight at the first step, at least lambda_min
  double lambda_min = 0.05;       ///< and at the last
  static constexpr Range kLambda{0, 100};
  LambdaShape lambda_shape = LambdaShape::kLinear;  ///< in between
};

/// A term that names are made of: all that is said about it, in one place.
struct ScoreTerm {
  const char* word;                             ///< in a score's name: "js"
  const char* name;                             ///< "Jensen-Shannon"
  const char* equation;                         ///< what it adds to S, in the notation of docs/methods.md
  std::initializer_list<const char*> settings;  ///< that it reads, named as options are, in ScoreConfig's order
  const char* source;                           ///< paper or equation
  const char* cost;                             ///< beside plain guidance
  Score (*score)(const Tensor& f, const Tensor& y, const Step& step, const ScoreConfig& config);
};

/// The words that names are made of, and what each stands for; docs/methods.md says the same. The first is plain, which
/// every score holds.
// A new score is its function and a row here.
// clang-format off
inline constexpr ScoreTerm kScoreTerms[] = {
    {"plain", "plain", "tau1 f_y - logsumexp(tau2 f); log p_y at the temperatures 1, 1",
     {"joint-temperature", "marginal-temperature"}, "Dhariwal & Nichol 2021; the temperatures Ma et al. 2023", "-",
     [](auto& f, auto& y, auto&, auto& c) { return log_prob(f, y, c.temperatures); }},
    {"entropy", "entropy", "+ lambda_t H(p), lambda falling along the steps",
     {"lambda-max", "lambda-min", "lambda-shape"}, "Javid et al. 2025, Prop. 1", "a softmax",
     [](auto& f, auto&, auto& step, auto& c) {
       return entropy(f, entropy_weight(step, c.lambda_max, c.lambda_min, c.lambda_shape));
     }},
    {"rkl", "reverse KL", "- alpha KL(q_y || p)", {"alpha", "epsilon"}, "Cor. 1", "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return reverse_kl(f, y, c.divergence); }},
    {"fkl", "forward KL", "- alpha KL(p || q_y)", {"alpha", "epsilon"}, "Cor. 2", "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return forward_kl(f, y, c.divergence); }},
    {"js", "Jensen-Shannon", "- alpha (KL(q_y || m) + KL(p || m))/2, m = (q_y + p)/2",
     {"alpha", "epsilon", "js-form"}, "eq. (14), Cor. 3", "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return jensen_shannon(f, y, c.divergence, c.js_form); }},
    {"hellinger", "squared Hellinger", "- alpha sum (sqrt q_y - sqrt p)^2", {"alpha", "epsilon"}, "Cor. 4", "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return hellinger(f, y, c.divergence); }},
    {"chi2", "Pearson chi-squared", "- alpha sum (p - q_y)^2/q_y",
     {"alpha", "epsilon"}, "appendix A; Dieng et al. 2017", "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return chi2(f, y, c.divergence); }},
    {"alpha-div", "alpha-divergence of order a", "- alpha (sum p^a q_y^(1-a) - 1)/(a (a - 1))",
     {"alpha", "epsilon", "divergence-order"}, "appendix A; Amari 1985; Li & Turner 2016", "a softmax",
     [](auto& f, auto& y, auto&, auto& c) { return alpha_divergence(f, y, c.divergence, c.divergence_order); }},
};
// clang-format on

/// Whether `name` is one of the words or a sum of them, blanks around each allowed.
constexpr bool is_score_name(std::string_view name) {
  const std::string_view::size_type plus = name.find('+');
  std::string_view first = name.substr(0, plus);
  while (first.starts_with(' ')) first.remove_prefix(1);
  while (first.ends_with(' ')) first.remove_suffix(1);
  for (const ScoreTerm& term : kScoreTerms) {
    if (first == term.word) return plus == name.npos || is_score_name(name.substr(plus + 1));
  }
  return false;
}

/// A name that is written in the program: a misspelt one does not compile. Text that is known only when the program
/// runs goes to parse_score().
class ScoreName {
 public:
  consteval ScoreName(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor): stands for its literal
    if (!is_score_name(name)) throw "a score's name is one of kScoreTerms' words, or a sum of them such as js+entropy";
  }
  constexpr std::string_view text() const { return name_; }

 private:
  std::string_view name_;
};

/// The score of a name such as "plain", "js" or "js+entropy": log_prob plus the terms named, "plain" adding none.
/// UsageError for a repeated word, and for settings out of range or at which one of the terms is infinite.
ScoreFunction named_score(ScoreName name, const ScoreConfig& config = {});

/// The same of text that a user gave: UsageError for an unknown word too, which names the nearest.
ScoreFunction parse_score(const std::string& name, const ScoreConfig& config = {});

}  // namespace sextant::guidance

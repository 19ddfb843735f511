// Scores of classifiers that judge attributes: K heads, each a yes or no of its own, p_k = sigmoid(f_k).
//
// Every score of classes serves: an attribute is a classification between two classes with the logits (-f_k/2, f_k/2),
// whose softmax is (1 - p_k, p_k). So log p_y becomes log sigmoid(+-f_k), a divergence that of two Bernoulli
// distributions, an entropy H(p_k).
#pragma once

#include <vector>

#include "sextant/guidance/score.h"

namespace sextant::guidance {

/// S = sum_k w_k S2(f_k), S2 the score `of_two_classes` of "yes" to attribute k: with log_prob the sum of w_k log
/// sigmoid(f_k). f [N, K] is positive where the answer is the one that is asked for; an attribute whose f is exactly 0
/// has no part in it. `weights` one each, or none for 1. The labels y are not read. UsageError for another number of
/// weights, or one that is not finite.
ScoreFunction attribute_score(ScoreFunction of_two_classes, std::vector<double> weights = {});

}  // namespace sextant::guidance

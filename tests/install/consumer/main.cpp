// A project outside sextant: scores two images by the installed library.
#include <sextant/guidance/score.h>

#include <iostream>

int main() {
  const at::Tensor logits = at::tensor({2.0, 0.0, -1.0}, at::kDouble).unsqueeze(0);
  const at::Tensor label = at::zeros({1}, at::kLong);
  const sextant::guidance::Score score = sextant::guidance::log_prob(logits, label, {1.0, 0.5});
  std::cout << score.value.item<double>() << '\n';
  return std::abs(score.value.item<double>() - 0.5356312159) < 1e-9 ? 0 : 1;
}

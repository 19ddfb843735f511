#include <c10/util/StringUtil.h>

#include "sextant/classifiers/classifiers.h"
#include "sextant/runtime/error.h"

namespace sextant::models {
namespace {

/// 1/M sum_m log p_m(y | x)
class Ensemble : public guidance::Classifier {
 public:
  explicit Ensemble(std::vector<ClassifierPtr> members) : members_(std::move(members)) {}

  Tensor logits(const Tensor& x, const Tensor& t) const override {
    Tensor sum;
    for (const ClassifierPtr& member : members_) {
      const Tensor log_p = at::log_softmax(member->logits(x, t), 1);
      sum = sum.defined() ? sum + log_p : log_p;
    }
    return sum / static_cast<double>(members_.size());
  }
  int64_t num_classes() const override { return members_.front()->num_classes(); }
  bool uses_time() const override { return members_.front()->uses_time(); }

 private:
  std::vector<ClassifierPtr> members_;
};

}  // namespace

ClassifierPtr ensemble(std::vector<ClassifierPtr> members) {
  if (members.empty()) throw UsageError("ensemble: expected at least one classifier");
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (members[i]->num_classes() != members[0]->num_classes()) {
      throw UsageError(c10::str("ensemble: classifier ", i + 1, " has ", members[i]->num_classes(),
                                " classes but the first has ", members[0]->num_classes(),
                                "; give classifiers of the same classes"));
    }
    if (members[i]->uses_time() != members[0]->uses_time()) {
      throw UsageError("ensemble: some classifiers are noise-aware and some read clean images; give those of one kind");
    }
  }
  if (members.size() == 1) return members.front();
  return std::make_shared<const Ensemble>(std::move(members));
}

}  // namespace sextant::models

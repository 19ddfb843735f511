#include <c10/util/StringUtil.h>

#include "sextant/classifiers/wrappers.h"
#include "sextant/runtime/error.h"

namespace sextant::classifiers {

/// 1/M sum_m log p_m(y | x)
guidance::Classifier ensemble(std::vector<guidance::Classifier> members) {
  if (members.empty()) throw UsageError("ensemble: expected at least one classifier");
  const int64_t classes = members[0].classes;
  const bool uses_time = members[0].uses_time;
  for (std::size_t i = 1; i < members.size(); ++i) {
    if (members[i].classes != classes) {
      throw UsageError(c10::str("ensemble: classifier ", i + 1, " has ", members[i].classes,
                                " classes but the first has ", classes, "; give classifiers of the same classes"));
    }
    if (members[i].uses_time != uses_time) {
      throw UsageError("ensemble: some classifiers are noise-aware and some read clean images; give those of one kind");
    }
  }
  if (members.size() == 1) return members.front();
  return {[members = std::move(members)](const Tensor& x, const Tensor& t, const SampleIds& ids) {
            Tensor sum;
            for (const guidance::Classifier& member : members) {
              const Tensor log_p = at::log_softmax(member.logits(x, t, ids), 1);
              sum = sum.defined() ? sum + log_p : log_p;
            }
            return sum / static_cast<double>(members.size());
          },
          classes, uses_time};
}

}  // namespace sextant::classifiers

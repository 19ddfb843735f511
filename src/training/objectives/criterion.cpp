#include "objectives/criterion.h"

#include <algorithm>

#include "sextant/runtime/error.h"

namespace sextant::training {
namespace {

/// Its name among the numbers of a validation.
const char* name_of(Criterion criterion) {
  switch (criterion) {
    case Criterion::kNll:
      return "nll";
    case Criterion::kEce:
      return "ece";
    case Criterion::kLoss:
      return "loss";
    case Criterion::kError:
      return "error";
  }
  throw UsageError("the criterion is none of nll, ece, loss and error");
}

}  // namespace

double number_of(Criterion criterion, const Numbers& numbers) {
  const std::string name = name_of(criterion);
  return std::find_if(numbers.begin(), numbers.end(), [&](const auto& number) { return number.first == name; })->second;
}

}  // namespace sextant::training

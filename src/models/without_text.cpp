// In place of prompts.cpp where there is no text module.
#include "prompts.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

Tensor prompt_tokens(const Prompts&, int64_t, const std::function<void(const std::string&)>&) {
  throw UsageError("CLIP's classes are texts, and this build has no text module: it was made without libutf8proc");
}

}  // namespace sextant::models

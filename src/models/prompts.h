// Prompts as token ids.
#pragma once

#include <functional>

#include "sextant/models/classifier.h"

namespace sextant::models {

/// Targets, then contrast: [K, context_length] int64. A prompt that is too long is cut and `warn` hears of it, or with
/// `strict` a UsageError. UsageError for fewer than two prompts.
Tensor prompt_tokens(const Prompts& prompts, int64_t context_length,
                     const std::function<void(const std::string&)>& warn);

}  // namespace sextant::models

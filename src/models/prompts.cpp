#include "prompts.h"

#include <c10/util/StringUtil.h>

#include "sextant/runtime/error.h"
#include "sextant/text/tokenizer.h"

namespace sextant::models {

Tensor prompt_tokens(const Prompts& prompts, int64_t context_length,
                     const std::function<void(const std::string&)>& warn) {
  std::vector<std::string> texts = prompts.targets;
  texts.insert(texts.end(), prompts.contrast.begin(), prompts.contrast.end());
  if (prompts.targets.empty()) throw UsageError("prompts are needed: CLIP's classes are texts, such as \"a red fox\"");
  if (texts.size() < 2) {
    throw UsageError("contrast is needed beside a single prompt, '" + texts.front() +
                     "': texts that the image is not to be like, such as \"a photo\"");
  }
  const text::ClipTokenizer tokenizer(find_clip_vocabulary(prompts.vocabulary));
  const auto room = static_cast<std::size_t>(context_length - 2);  // beside start and end
  for (const std::string& text : texts) {
    const std::size_t tokens = tokenizer.encode(text).size();
    if (tokens <= room) continue;
    const std::string line = c10::str("prompt '", text, "' has ", tokens, " tokens, of which CLIP reads ", room);
    if (prompts.strict) throw UsageError("strict: " + line + "; shorten it");
    if (warn) warn(line);
  }
  return tokenizer.tokenize(texts, /*truncate=*/true, context_length);
}

}  // namespace sextant::models

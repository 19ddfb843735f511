// Cleaning of prompts before CLIP's tokenizer: what ftfy 6 and Python's html module do to them in the original.
#pragma once

#include <string>

namespace sextant::text {

/// Resolves HTML entities: the 252 named ones of HTML 4 and numeric ones. Those without a semicolon (only &amp, &lt,
/// &gt, &quot and Latin-1 letters and signs have that form) count unless `strict`.
std::u32string unescape_html(const std::u32string& text, bool strict = false);

/// Repairs one text as ftfy.fix_text does, until nothing changes: entities (unless there is a '<'), UTF-8 once read as
/// Windows-1252, ligatures, full-width and half-width forms, curly quotes, terminal colours, control characters,
/// composed accents. Leaves alone what ftfy further guesses: other wrong encodings, and texts that are wrong in places
/// only.
std::u32string repair_text(const std::u32string& text);

}  // namespace sextant::text

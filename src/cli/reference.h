// docs/cli.md, made from the option tables.
#pragma once

#include <string>

namespace sextant::cli {

/// The reference page of every command, in Markdown.
std::string reference_page();

}  // namespace sextant::cli

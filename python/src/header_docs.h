// The comments of sextant's public headers; made by tools/header_docs.py.
#pragma once

#include <map>
#include <string_view>

namespace sextant::python {

/// "guidance.log_prob" -> what the header says of it.
const std::map<std::string_view, const char*>& header_docs();

}  // namespace sextant::python

#include "unforeseen.h"

#include <c10/util/Exception.h>

#include <filesystem>
#include <new>

#include "sextant/runtime/device.h"

namespace sextant::cli {
namespace {

/// The part of libtorch's message above the stack frames.
std::string message_of(const std::exception& error) {
  const auto* of_torch = dynamic_cast<const c10::Error*>(&error);
  const std::string text = of_torch ? of_torch->what_without_backtrace() : error.what();
  const std::size_t begin = text.find_first_not_of(" \n");
  return begin == std::string::npos ? "no message" : text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

std::string unforeseen(const std::exception& error) {
  const std::string message = message_of(error);
  if (dynamic_cast<const std::bad_alloc*>(&error)) return "out of memory; a smaller --batch needs less";
  if (is_out_of_memory(error)) return "out of memory; a smaller --batch needs less (" + message + ")";
  if (const std::size_t end = message.find(" does not have a deterministic implementation"); end != std::string::npos) {
    return "--deterministic: libtorch's " + message.substr(0, end) +
           " has no deterministic form on a GPU; leave it out";
  }
  if (const auto* file = dynamic_cast<const std::filesystem::filesystem_error*>(&error)) {
    return "cannot use " + file->path1().string() + ": " + file->code().message();
  }
  return message + "; this is an error inside sextant: please report it with the whole command";
}

}  // namespace sextant::cli

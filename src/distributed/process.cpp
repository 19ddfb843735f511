#include "process.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sextant::distributed {
namespace {

std::string line_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

std::string host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name[0] == '\0' ? "unknown" : name;
}

std::string began(const std::string& process) {
  std::string stat = line_of("/proc/" + process + "/stat");
  const std::size_t name_end = stat.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return "";
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  constexpr int kState = 3;
  constexpr int kStartTime = 22;
  for (int number = kState; number <= kStartTime; ++number) {
    if (!(fields >> field)) return "";
    if (number == kState && (field == "Z" || field == "X")) return "";
  }
  return field;
}

std::string machine() {
  std::error_code error;
  return host() + " " + line_of("/proc/sys/kernel/random/boot_id") + " " +
         std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

}  // namespace sextant::distributed

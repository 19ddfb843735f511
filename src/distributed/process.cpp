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

constexpr int kState = 3;

/// A field of /proc/PID/stat from `kState` on, counted from 1 as proc(5) does. Empty where no such process runs.
std::string status_field(const std::string& process, int number) {
  const std::string stat = line_of("/proc/" + process + "/stat");
  const std::size_t name_end = stat.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) return "";
  std::istringstream fields(stat.substr(name_end + 1));
  std::string field;
  for (int i = kState; i <= number; ++i) {
    if (!(fields >> field)) return "";
  }
  return field;
}

}  // namespace

std::string host() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name[0] == '\0' ? "unknown" : name;
}

std::string began(const std::string& process) {
  constexpr int kStartTime = 22;
  const std::string state = status_field(process, kState);
  return state == "Z" || state == "X" ? "" : status_field(process, kStartTime);
}

bool stopped(const std::string& process) {
  const std::string state = status_field(process, kState);
  return state == "T" || state == "t";
}

std::string machine() {
  std::error_code error;
  return host() + " " + line_of("/proc/sys/kernel/random/boot_id") + " " +
         std::filesystem::read_symlink("/proc/self/ns/pid", error).string();
}

std::string ancestor_without(const std::string& variable) {
  constexpr int kParent = 4;
  std::string process = std::to_string(getppid());
  for (;;) {
    std::ifstream file("/proc/" + process + "/environ", std::ios::binary);
    bool has = false;
    for (std::string entry; std::getline(file, entry, '\0');) has |= entry.starts_with(variable + "=");
    if (!has) return process;
    const std::string parent = status_field(process, kParent);
    if (parent.empty() || parent == "0") return process;
    process = parent;
  }
}

Member::Member(const std::string& introduction) {
  std::istringstream words(introduction);
  words >> host >> boot >> space >> process >> start;
}

bool Member::gone(const Member& self) const { return beside(self) && !start.empty() && began(process) != start; }

bool Member::stopped(const Member& self) const { return beside(self) && distributed::stopped(process); }

std::string introduction() {
  const std::string process = std::to_string(getpid());
  return machine() + " " + process + " " + began(process);
}

}  // namespace sextant::distributed

#include "fuzz/targets.h"

#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "internal/checkpoint/file.h"
#include "sextant/runtime/error.h"

namespace sextant::fuzz {

namespace fs = std::filesystem;

const fs::path& scratch() {
  static const struct Folder {
    Folder() {
      const bool memory = fs::exists("/dev/shm");
      path = (memory ? fs::path("/dev/shm") : fs::temp_directory_path()) / ("sextant-fuzz-" + std::to_string(getpid()));
      fs::create_directories(path);
    }
    ~Folder() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
    fs::path path;
  } kFolder;
  return kFolder.path;
}

namespace {

void check_line(const std::string& message) {
  constexpr std::size_t kLongest = 20'000;
  if (message.empty() || message.size() > kLongest || message.find('\n') != std::string::npos) {
    throw std::logic_error("a refusal in more or less than one line: '" + message + "'");
  }
}

}  // namespace

bool try_input(const Target& target, std::string_view bytes, const fs::path& folder) {
  const fs::path file = folder / target.file;
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  try {
    target.read(file);
    return true;
  } catch (const Error& refusal) {
    check_line(refusal.what());
  } catch (const checkpoint::Malformed& refusal) {
    check_line(refusal.what());
  }
  return false;
}

}  // namespace sextant::fuzz

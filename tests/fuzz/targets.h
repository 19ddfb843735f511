// Every reader of files as a fuzz target: it gets a file of any bytes and reads it, or refuses it by one of sextant's
// errors. Whatever else happens is a fault: another exception, a report of a sanitizer, a hang, a gigabyte asked for.
//
// Each target is a function in a file of its own. They run under libFuzzer (libfuzzer/main.cpp) and, over the inputs
// that once found a fault, among the other tests (replay_test.cpp). Readers of data are in files/ and need a few
// modules only; what a user writes is in settings/ and needs all of them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sextant::fuzz {

struct Target {
  const char* name;
  const char* file;     ///< what the input is called when it is read: names and extensions matter to some readers
  std::size_t longest;  ///< bytes of an input
  void (*read)(const std::filesystem::path& file);
};

const std::vector<Target>& files_targets();
const std::vector<Target>& settings_targets();

constexpr std::size_t kSmall = 4096;
constexpr std::size_t kMiddle = 1 << 16;

/// Lets `target` read a file of these bytes in `folder`. True when it was read, false when it was refused;
/// std::logic_error for a refusal that is not one clear line.
bool try_input(const Target& target, std::string_view bytes, const std::filesystem::path& folder);

/// A folder of this process in memory, removed at its end.
const std::filesystem::path& scratch();

// The functions of the tables, in their files.
void attributes(const std::filesystem::path& file);
void checkpoint(const std::filesystem::path& file);
void cifar(const std::filesystem::path& file);
void config_json(const std::filesystem::path& file);
void idx(const std::filesystem::path& file);
void image(const std::filesystem::path& file);
void ledger(const std::filesystem::path& file);
void npy(const std::filesystem::path& file);
void npz(const std::filesystem::path& file);
void pickled_arrays(const std::filesystem::path& file);
void prompts(const std::filesystem::path& file);
void recipe(const std::filesystem::path& file);
void run_record(const std::filesystem::path& file);
void tar(const std::filesystem::path& file);
void vocabulary(const std::filesystem::path& file);
void zip(const std::filesystem::path& file);

}  // namespace sextant::fuzz

// A small sweep with a table, for the tests of sweeps.
#pragma once

#include "cli/program.h"
#include "internal/runtime/files.h"

namespace sextant::cli::testing {

namespace fs = std::filesystem;
using nlohmann::json;

/// Two rows, two seeds, scored by [evaluate].
inline std::string table_text() {
  return "[sweep]\nthreads = 1\nseeds = [3, 5]\n[evaluate]\nfeatures = \"" + bundled("mnist-features") +
         "\"\nreference = \"" + bundled("mnist-features") +
         "/reference_train.npz\"\nmetrics = \"fid+accuracy\"\n[sample]\nlabels = \"0-9\"\ncount = 20\nbatch = 10\n"
         "[model]\nmodel = \"" +
         bundled("mnist-adm") + "\"\nunconditional = true\n[classifier]\nclassifier = \"" +
         bundled("mnist-classifier") +
         "\"\n[sampler]\nsteps = 4\n[guidance]\ngamma-factor = 0.3\n[[rows]]\nname = \"plain\"\npaper = 100\n"
         "[[rows]]\nname = \"none\"\nguidance.guidance = \"none\"\npaper = {fid = 200, accuracy = 0.1}\n";
}

inline Outcome run_table(const TemporaryFolder& folder, const std::string& text,
                         const std::vector<std::string>& more = {}) {
  write_atomically(folder / "t.toml", text);
  std::vector<std::string> words = {"sweep", folder / "t.toml", "--out", folder / "o"};
  words.insert(words.end(), more.begin(), more.end());
  return sextant(words);
}

inline json results_of(const std::filesystem::path& out) { return json::parse(read_file(out / "run.json"))["results"]; }

}  // namespace sextant::cli::testing

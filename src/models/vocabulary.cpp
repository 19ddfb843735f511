#include <dlfcn.h>

#include "sextant/models/classifier.h"
#include "sextant/runtime/error.h"

namespace sextant::models {

namespace fs = std::filesystem;

namespace {

const char* const kVocabulary = "models/clip/bpe_simple_vocab_16e6.txt.gz";

/// Folders that may hold models/: the current one, and every one above the running program and above the library that
/// this is a part of (the Python module), there also share/sextant.
std::vector<fs::path> places() {
  std::vector<fs::path> all = {fs::current_path()};
  std::error_code unknown;
  Dl_info here{};
  dladdr(kVocabulary, &here);
  for (fs::path at :
       {fs::read_symlink("/proc/self/exe", unknown), fs::absolute(here.dli_fname ? here.dli_fname : "", unknown)}) {
    while (at.has_relative_path()) {
      at = at.parent_path();
      all.push_back(at);
      all.push_back(at / "share/sextant");
    }
  }
  return all;
}

}  // namespace

fs::path find_clip_vocabulary(const fs::path& given) {
  if (!given.empty()) {
    if (fs::is_regular_file(given)) return given;
    throw UsageError("clip-vocab: there is no file " + given.string() + "; give CLIP's bpe_simple_vocab_16e6.txt.gz");
  }
  for (const fs::path& folder : places()) {
    if (fs::is_regular_file(folder / kVocabulary)) return folder / kVocabulary;
  }
  throw UsageError(std::string("clip-vocab is needed: CLIP's vocabulary, ") + kVocabulary +
                   " of sextant's source, is neither below this folder nor beside the program");
}

}  // namespace sextant::models

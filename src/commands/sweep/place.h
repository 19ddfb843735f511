// Where the images of a cell are: its run in the ledger.
#pragma once

#include "internal/commands/sweep.h"
#include "internal/ledger/ledger.h"

namespace sextant::commands {

/// The settings with the score that they leave open: plain with a classifier, else none.
SampleConfig with_score(SampleConfig config);

/// The files and folders that a run reads, as its settings name them.
std::vector<std::string> weights_of(const SampleConfig& config);

/// The run that gives these images, not yet in the ledger. Two settings that draw the same images from the same weights
/// have one key; the number of images does not count unless they depend on it. Error for weights that are not there.
ledger::Run described_run(const SampleConfig& config, ledger::Ledger& ledger);

/// A run of the same settings that cannot be begun: it has the key of its settings alone, and says why.
ledger::Run refused_run(const SampleConfig& config, const std::string& why);

/// The hash of a text, 32 digits.
std::string hash_of_text(const std::string& text);

/// The hash of a file or folder, which the ledger remembers.
std::string hash_of_path(const std::filesystem::path& path, ledger::Ledger& ledger);

/// Images in the run's samples.npz now; 0 where there is none.
int64_t images_there(const ledger::Run& run);

}  // namespace sextant::commands

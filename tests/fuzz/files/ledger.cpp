#include "internal/ledger/ledger.h"

#include "fuzz/targets.h"

namespace sextant::fuzz {

void ledger(const std::filesystem::path& file) {
  for (const char* beside : {"-wal", "-shm", "-journal"}) std::filesystem::remove(file.string() + beside);
  const ledger::Ledger opened(file);
  for (const ledger::Run& run : opened.runs()) {
    name_of(run.state);
    opened.latest_scores(run.id);
  }
  for (const ledger::Sweep& sweep : opened.sweeps()) opened.cells(sweep.id);
}

}  // namespace sextant::fuzz

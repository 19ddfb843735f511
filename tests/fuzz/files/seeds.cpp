#include "fuzz/libfuzzer/seeds.h"

#include "internal/ledger/ledger.h"

namespace sextant::fuzz {

namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

void write_ledger(const fs::path& file) {
  fs::create_directories(file.parent_path());
  ledger::Ledger ledger(file);
  ledger::Run run;
  run.key = "key";
  run.folder = "/runs/one";
  run.settings = {{"sample", {{"seed", 7}}}};
  run = ledger.find_or_add(run);
  ledger.put_scores(run.id, "judge", 10, {{"fid", 5.28, 0.1, 5.0, 5.5}});
  ledger::Cell cell;
  cell.row = "plain";
  cell.run = run.id;
  cell.judge = "judge";
  cell.paper = {{"fid", 5.5}};
  ledger.put_sweep({0, "title", "/out", nlohmann::json::object(), ""}, {cell});
}

}  // namespace

void write_files_seeds(const fs::path& folder) {
  write_ledger(folder / "ledger/one");
  put_seed(folder / "idx/one", "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01pqrs"s);
  put_seed(
      folder / "npy/little",
      "\x93NUMPY\x01\0\x40\0{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }     \n"s + std::string(8, '\1'));
  put_seed(folder / "npy/big",
           "\x93NUMPY\x02\0\x40\0\0\0{'descr': '>u2', 'fortran_order': False, 'shape': (3,), }      \n"s +
               std::string(6, '\1'));
  put_seed(folder / "cifar/one", std::string(3073, '\1'));
  put_seed(folder / "cifar/names", "airplane\nautomobile\n");
  put_seed(folder / "vocabulary/lines", "t i\nx y</w>\n\xc4\xa0 a</w>\n");
}

}  // namespace sextant::fuzz

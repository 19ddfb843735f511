#include "sample/writer.h"

#include "internal/checkpoint/file.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

BatchWriter::~BatchWriter() {
  if (under_way_.valid()) under_way_.wait();  // whoever unwinds has an error of his own to tell
}

void BatchWriter::write(std::vector<int64_t> samples, Batch batch) {
  finish();
  under_way_ = std::async(std::launch::async, [this, samples = std::move(samples), batch = std::move(batch)] {
    checkpoint::check_unchanged();
    store_.put(samples, batch.images, batch.records, batch.traces);
    // Writing to a file that was removed is no error, and all that is drawn from then on would be lost.
    if (!std::filesystem::exists(folder_.partial())) {
      throw DataError(folder_.partial().string() +
                      ": No such file or directory: it was removed while the run was drawing into it; start it again");
    }
    folder_.replace_former();
  });
}

void BatchWriter::finish() {
  if (under_way_.valid()) under_way_.get();
}

}  // namespace sextant::commands

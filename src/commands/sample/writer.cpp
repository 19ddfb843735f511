#include "sample/writer.h"

namespace sextant::commands {

BatchWriter::~BatchWriter() {
  if (under_way_.valid()) under_way_.wait();  // whoever unwinds has an error of his own to tell
}

void BatchWriter::write(std::vector<int64_t> samples, Batch batch) {
  finish();
  under_way_ = std::async(std::launch::async, [this, samples = std::move(samples), batch = std::move(batch)] {
    store_.put(samples, batch.images, batch.records, batch.traces);
    folder_.replace_former();
  });
}

void BatchWriter::finish() {
  if (under_way_.valid()) under_way_.get();
}

}  // namespace sextant::commands

#include "common/run_options.h"

namespace sextant::commands {

std::vector<Option> run_options(RunConfig& run, const std::string& arithmetic) {
  return {
      {"--device", &run.device, Anything{}, "cpu, cuda, cuda:INDEX, or auto: a GPU if there is one", "NAME"},
      choice("--precision", &run.precision, {{"fp32", at::kFloat}, {"bf16", at::kBFloat16}, {"fp16", at::kHalf}},
             arithmetic),
      threads_option(run),
      quiet_option(run),
  };
}

Option threads_option(RunConfig& run) {
  return {"--threads", &run.threads, Range{0, 4096}, "CPU threads; 0 takes every core", ""};
}

Option quiet_option(RunConfig& run) {
  return {"--quiet", &run.quiet, Anything{}, "No progress, only notes and errors", ""};
}

Option out_option(RunConfig& run, const std::string& what) {
  return {"--out", &run.out, Anything{}, "Folder for " + what, "DIR"};
}

Option overwrite_option(RunConfig& run, const std::string& help) {
  return {"--overwrite", &run.overwrite, Anything{}, help, ""};
}

std::vector<Option> appended(std::vector<Option> rows, const std::vector<Option>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

}  // namespace sextant::commands

#include "common/run_options.h"

namespace sextant::commands {
namespace {

Words<Precision> precision_words() {
  return {
      {"fp32", Precision::kFp32}, {"tf32", Precision::kTf32}, {"bf16", Precision::kBf16}, {"fp16", Precision::kFp16}};
}

}  // namespace

std::vector<Option> run_options(RunConfig& run, const std::string& arithmetic) {
  return {
      {"--device", &run.device, Anything{}, "cpu, cuda, cuda:INDEX, or auto: a GPU if there is one", "NAME"},
      choice("--precision", &run.precision, precision_words(),
             arithmetic + "; tf32, on a GPU, is fp32 with the factors of products rounded to 10 bits"),
      {"--deterministic", &run.deterministic, Anything{},
       "On a GPU, the same bits in every run with the same batches, at some speed; a CPU's always are", ""},
      threads_option(run),
      quiet_option(run),
  };
}

Option precision_option(const std::string& flag, std::optional<Precision>* precision, const std::string& help) {
  Words<std::optional<Precision>> words = {{"same", std::nullopt}};
  for (const auto& [word, known] : precision_words()) words.emplace_back(word, known);
  return choice(flag, precision, words, help);
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

#include "common/run_options.h"

#include "internal/runtime/precision_words.h"

namespace sextant::commands {
namespace {

/// Those that networks compute in: all but float64.
Words<Precision> offered_precisions() {
  Words<Precision> words = precision_words();
  std::erase_if(words, [](const auto& word) { return word.second == Precision::kFp64; });
  return words;
}

}  // namespace

std::vector<Option> run_options(RunConfig& run, const std::string& arithmetic) {
  return {
      {"--device",
       Choice{[&run] { return device_word(run.device); },
              [&run](const std::string& text) { run.device = parse_device_choice(text); }},
       Anything{}, "cpu, cuda, cuda:INDEX, or auto: a GPU if there is one", "NAME"},
      choice("--precision", &run.precision, offered_precisions(),
             arithmetic + "; tf32, on a GPU, is fp32 with the factors of products rounded to 10 bits"),
      {"--deterministic", &run.deterministic, Anything{},
       "On a GPU, the same bits in every run with the same batches, at some speed; a CPU's always are", ""},
      threads_option(run),
      quiet_option(run),
  };
}

Option precision_option(const std::string& flag, std::optional<Precision>* precision, const std::string& help) {
  Words<std::optional<Precision>> words = {{"same", std::nullopt}};
  for (const auto& [word, known] : offered_precisions()) words.emplace_back(word, known);
  return choice(flag, precision, words, help);
}

Option threads_option(RunConfig& run) {
  return {"--threads", &run.threads, kThreads, "CPU threads, at most OMP_THREAD_LIMIT; 0 takes every core", ""};
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

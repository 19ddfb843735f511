#include <cstdio>

#include "internal/commands/report.h"
#include "internal/runtime/files.h"
#include "internal/runtime/json_file.h"
#include "internal/runtime/text.h"
#include "report/collect.h"
#include "report/html.h"
#include "report/sweep_section.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/runtime/device.h"
#include "sextant/runtime/error.h"

namespace sextant::commands {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string title_of(const ShownFolder& shown) {
  const std::string title = shown.record.value("/config/sweep/title"_json_pointer, std::string());
  if (!title.empty()) return title;
  return shown.name.empty() ? fs::absolute(shown.folder).lexically_normal().filename().string() : shown.name;
}

/// Whether the grid of a folder shows images, whose pixels are to be seen when they are enlarged, and no points.
bool shows_pixels(const fs::path& folder) {
  const fs::path samples = folder / "samples.npz";
  try {
    return !fs::exists(samples) || checkpoint::NpzReader(samples).shape("arr_0").size() == 4;
  } catch (const Error&) {
    return true;  // what is wrong with the samples is no affair of the page
  }
}

std::string figure(const Picture& picture, const std::string& whose) {
  const std::string caption = whose.empty() ? picture.caption : whose + ": " + picture.caption;
  const bool pixels = picture.file.stem() == "grid" && shows_pixels(picture.file.parent_path());
  return "<figure class=\"card\"><button type=\"button\" aria-label=\"Enlarge: " + escaped(caption) + "\"><img" +
         (pixels ? " class=\"pixels\"" : "") + " src=\"" + embedded_file(picture.file) + "\" alt=\"" +
         escaped(caption) + "\"></button><figcaption>" + (whose.empty() ? "" : "<b>" + escaped(whose) + "</b> ") +
         escaped(picture.caption) + "</figcaption></figure>\n";
}

/// `text` as one word of a shell.
std::string shell_word(const std::string& text) {
  const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+,:=@%";
  if (text.find_first_not_of(plain) == std::string::npos) return text;
  return "'" + replaced(text, "'", "'\\''") + "'";
}

/// The words that make a run again.
std::string command_of(const ShownFolder& shown) {
  const std::string record = shell_word((shown.folder / shown.file).string());
  if (shown.command() == "sweep") return "sextant sweep " + record;
  return "sextant " + shown.command() + " --recipe " + record;
}

std::string settings_html(const ShownFolder& shown, const std::string& whose) {
  std::string html =
      "<details><summary><b>" + escaped(whose) + "</b> settings, and the command that repeats it</summary><div>";
  if (shown.record.contains("config")) {
    html += "<div class=\"command\"><code>" + escaped(command_of(shown)) +
            "</code><button type=\"button\">copy</button></div>";
  }
  json kept = json::object();
  for (const char* part : {"config", "versions", "timings", "weights"}) {
    if (shown.record.contains(part)) kept[part] = shown.record[part];
  }
  return html + "<pre>" + escaped(kept.dump(2)) + "</pre></div></details>\n";
}

/// "95 %": the level of a sweep's intervals.
std::string level_of(const ShownFolder& shown) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g %%", 100 * shown.record.value("/config/evaluate/level"_json_pointer, 0.95));
  return text;
}

/// What a section says under its heading.
std::string facts_of(const ShownFolder& shown) {
  if (shown.command() != "sweep") return "";
  const json results = shown.record.value("results", json::array());
  bool difference = false, seeds = false;
  for (const json& line : results) {
    seeds = seeds || line.value("seeds", json::array()).size() > 1;
    for (const json& numbers : line.value("metrics", json::object()))
      difference = difference || numbers.contains("difference");
  }
  std::string text;
  const json runs = shown.record.value("runs", json::object());
  if (!shown.record.value("complete", true)) {
    text += "<b>Unfinished</b>: " +
            (runs.empty() ? ""
                          : std::to_string(runs.at("finished").get<int64_t>()) + " of " +
                                std::to_string(runs.at("count").get<int64_t>()) + " runs are there; ") +
            "the command below goes on. ";
  }
  if (seeds) text += "Mean ± standard deviation over seeds. ";
  if (difference) {
    text += "Differences are from the baseline on the same seeds and noise, with their " + level_of(shown) +
            " interval; coloured where it leaves out zero. ";
  }
  text += "Bold is the best of a column.";
  return "<p class=\"note\">" + text + "</p>\n";
}

bool below(const ShownFolder& run, const ShownFolder& sweep) {
  return sweep.name.empty() || run.name.starts_with(sweep.name + "/");
}

class Page {
 public:
  explicit Page(std::vector<ShownFolder> shown) : shown_(std::move(shown)), used_(shown_.size()) {}

  std::string html(const std::string& title) {
    std::string body;
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      if (!used_[i]) body += read_entries(shown_[i].folder / shown_[i].file, [&] { return section(i); });
    }
    std::string links;
    if (links_.size() > 1) {
      links = "<nav aria-label=\"Contents\">";
      for (std::size_t i = 0; i < links_.size(); ++i) {
        links += "<a href=\"#s" + std::to_string(i) + "\">" + escaped(links_[i]) + "</a>";
      }
      links += "</nav>\n";
    }
    return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\">"
           "<title>" +
           escaped(title) + "</title><style>" + kReportStyle + "</style></head><body>\n<header><div><h1>" +
           escaped(title) + "<small>a report of sextant " + version() +
           "</small></h1><button type=\"button\" id=\"theme\">light / dark</button></div></header>\n<main>\n" + links +
           body +
           "<footer>Made by <code>sextant report</code>. Everything is in this file; nothing is loaded.</footer>\n"
           "</main>\n<dialog aria-label=\"Enlarged picture\"><img src=\"data:,\" alt=\"\"><p></p></dialog>\n<script>" +
           kReportScript + "</script></body></html>\n";
  }

  ReportResult counts;

 private:
  std::string figures(const ShownFolder& shown, const std::string& whose) {
    std::string html;
    for (const Picture& picture : shown.pictures) html += figure(picture, whose);
    counts.pictures += static_cast<int64_t>(shown.pictures.size());
    return html;
  }

  std::string section(std::size_t at) {
    const ShownFolder& shown = shown_[at];
    used_[at] = true;
    std::string html = "<section id=\"s" + std::to_string(links_.size()) + "\"><h2>" + escaped(title_of(shown)) +
                       "</h2>\n" + facts_of(shown);
    links_.push_back(title_of(shown));
    if (shown.command() != "sweep") {
      ++counts.runs;
      const std::string pictures = figures(shown, "");
      if (!pictures.empty()) html += "<div class=\"pictures few\">\n" + pictures + "</div>\n";
      return html + settings_html(shown, shown.command()) + "</section>\n";
    }
    ++counts.sweeps;
    html += results_html(shown.record);
    for (const json& failure : shown.record.value("failures", json::array())) {
      html += "<p class=\"failed\"><b>" + escaped(failure.value("cell", std::string())) +
              "</b> failed: " + escaped(failure.value("why", std::string())) + "</p>\n";
    }
    const std::string own = figures(shown, "");
    if (!own.empty()) html += "<h3>Images</h3>\n<div class=\"pictures few\">\n" + own + "</div>\n";
    std::string pictures, settings = settings_html(shown, "the whole sweep");
    for (std::size_t i = 0; i < shown_.size(); ++i) {
      if (used_[i] || shown_[i].command() == "sweep" || !below(shown_[i], shown)) continue;
      used_[i] = true;
      ++counts.runs;
      const std::string name = shown.name.empty() ? shown_[i].name : shown_[i].name.substr(shown.name.size() + 1);
      pictures += figures(shown_[i], name);
      settings += settings_html(shown_[i], name);
    }
    if (!pictures.empty()) html += "<h3>Each run</h3>\n<div class=\"pictures\">\n" + pictures + "</div>\n";
    return html + "<h3>How to repeat it</h3>\n" + settings + "</section>\n";
  }

  std::vector<ShownFolder> shown_;
  std::vector<bool> used_;
  std::vector<std::string> links_;
};

}  // namespace

std::vector<OptionGroup> report_options(ReportConfig& config) {
  return {{"report",
           "The page",
           {
               {"--out", &config.out, Anything{}, "The HTML file; left out report.html in the folder", "FILE"},
               {"--title", &config.title, Anything{}, "Heading of the page", "TEXT"},
           }}};
}

ReportResult run_report(const fs::path& folder, const ReportConfig& config) {
  if (!fs::is_directory(folder)) throw UsageError("there is no folder " + folder.string());
  std::vector<ShownFolder> shown = collected(folder);
  if (shown.empty()) {
    throw UsageError(folder.string() +
                     " holds no run.json of a sweep, a run or a trace, here or below: nothing to show");
  }
  const std::string title = !config.title.empty()
                                ? config.title
                                : read_entries(shown[0].folder / shown[0].file, [&] { return title_of(shown[0]); });
  const std::string heading = config.title.empty() && shown[0].name != "" && shown.size() > 1
                                  ? fs::absolute(folder).lexically_normal().filename().string()
                                  : title;
  Page page(std::move(shown));
  const std::string html = page.html(heading);
  page.counts.file = config.out.empty() ? folder / "report.html" : fs::path(config.out);
  write_atomically(page.counts.file, html);
  return page.counts;
}

}  // namespace sextant::commands

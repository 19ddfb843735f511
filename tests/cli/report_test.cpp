// `sextant report`: the page says what the records say, and works in a browser.
#include <array>
#include <cstdlib>

#include "cli/program.h"
#include "internal/runtime/files.h"
#include "internal/runtime/text.h"
#include "sextant/checkpoint/checkpoint.h"
#include "sextant/report/drawing.h"

namespace sextant::cli::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json line(const std::string& row, double fid, bool best) {
  return {{"row", row},
          {"column", ""},
          {"seeds", {1, 2}},
          {"images", 100},
          {"seconds_per_image", 0.01},
          {"gradient_norm", 1},
          {"baseline", false},
          {"metrics", {{"fid", {{"mean", fid}, {"spread", 0.5}, {"paper", 5.28}, {"best", best}}}}}};
}

/// A sweep of three rows with a grid each, a run that failed, and a trace.
void write_results(const fs::path& folder) {
  json results = {line("plain", 30.5, false), line("<js> & \"more\"", 9.25, true), line("tilted", 100.125, false)};
  results[0]["baseline"] = true;
  results[1]["metrics"]["fid"]["difference"] = {{"value", -21.25}, {"low", -25.5}, {"high", -17.0}};
  results[2]["metrics"]["fid"]["difference"] = {{"value", 69.625}, {"low", -3.5}, {"high", 142.75}};
  const json record = {{"command", "sweep"},
                       {"config", {{"sweep", {{"title", "Three rows"}}}}},
                       {"versions", {{"sextant", "0.1.0"}}},
                       {"failures", {{{"cell", "lost"}, {"why", "there is no weights.pt"}}}},
                       {"results", results}};
  fs::create_directories(folder / "plain/seed-1");
  fs::create_directories(folder / "trace");
  write_atomically(folder / "run.json", record.dump());
  const Tensor picture = at::arange(64 * 160 * 3).remainder(251).reshape({64, 160, 3}).to(at::kByte);
  report::write_png(folder / "overview.png", picture);
  report::write_png(folder / "plain/seed-1/grid.png", picture);
  write_atomically(folder / "plain/seed-1/run.json", R"({"command": "sample", "config": {"sample": {"seed": 1}}})");
  write_atomically(folder / "trace/trace.json", R"({"command": "trace", "config": {"sample": {"count": 8}}})");
  write_atomically(folder / "trace/confidence.svg",
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"90\" height=\"60\"><path d=\"M0 0L90 60\" "
                   "stroke=\"black\"/></svg>");
  report::write_png(folder / "trace/confidence.png", picture);
}

TEST(Report, SaysWhatTheRecordsSayInOneFile) {
  const TemporaryFolder folder;
  write_results(folder.path());
  const Outcome outcome = sextant({"report", folder.path().string()});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("1 sweep, 2 runs, 3 pictures"), std::string::npos) << outcome.out;
  const std::string page = read_file(folder / "report.html");
  for (const char* text :
       {"<title>Three rows</title>", "30.50 <small>± 0.50</small>", "&lt;js&gt; &amp; &quot;more&quot;",
        "−21.25 <small>[−25.50, −17.00]</small>", "class=\"sure good\"", "class=\"best\"", "5.28",
        "there is no weights.pt", "tr class=\"baseline\"", "sextant sample --recipe ", "sextant sweep ",
        "sextant trace --recipe ", "trace/trace.json</code>", "data:image/svg+xml;base64,", "data:image/png;base64,"}) {
    EXPECT_NE(page.find(text), std::string::npos) << text;
  }
  for (const char* text : {"http://", "https://", "<js>", "@import"}) {
    EXPECT_EQ(page.find(text), std::string::npos) << "nothing is loaded and nothing is unescaped: " << text;
  }
}

TEST(Report, ShowsPixelsOfImagesAndSmoothsPoints) {
  const TemporaryFolder folder;
  write_results(folder.path());
  const auto page = [&] {
    EXPECT_EQ(sextant({"report", folder.path().string()}).exit_code, 0);
    return read_file(folder / "report.html");
  };
  const fs::path samples = folder / "plain/seed-1/samples.npz";
  const std::string pixels = "<img class=\"pixels\"";
  EXPECT_NE(page().find(pixels), std::string::npos) << "samples may be gone";
  checkpoint::save_npz(samples, {{"arr_0", at::zeros({2, 8, 8, 1}, at::kByte)}});
  EXPECT_NE(page().find(pixels), std::string::npos);
  checkpoint::save_npz(samples, {{"arr_0", at::zeros({2, 2})}});
  EXPECT_EQ(page().find(pixels), std::string::npos);
  write_atomically(samples, "no archive");
  EXPECT_NE(page().find(pixels), std::string::npos);
}

TEST(Report, NamesTheLevelOfItsIntervals) {
  const TemporaryFolder folder;
  write_results(folder.path());
  json record = json::parse(read_file(folder / "run.json"));
  for (const auto& [level, words] :
       {std::pair(0.9, "with their 90 % interval"), {0.9999, "with their 99.99 % interval"}}) {
    record["config"]["evaluate"]["level"] = level;
    write_atomically(folder / "run.json", record.dump());
    ASSERT_EQ(sextant({"report", folder.path().string()}).exit_code, 0);
    EXPECT_NE(read_file(folder / "report.html").find(words), std::string::npos) << words;
  }
}

TEST(Report, ItsCommandsAreTheShellsWordForWord) {
  const TemporaryFolder folder;
  write_results(folder.path());
  const fs::path row = folder / "Heun's | `strong`, [1] #2 *";
  fs::create_directories(row);
  write_atomically(row / "run.json", R"({"command": "sample", "config": {"sample": {"seed": 1}}})");
  ASSERT_EQ(sextant({"report", folder.path().string()}).exit_code, 0);
  const std::string page = read_file(folder / "report.html");
  const std::size_t from = page.find("sextant sample --recipe '") + std::string("sextant sample --recipe ").size();
  const std::string word = page.substr(from, page.find("</code>", from) - from);
  write_atomically(folder / "echo.sh", "printf %s " + word + " >'" + (folder / "echoed").string() + "'\n");
  ASSERT_EQ(std::system(("sh '" + (folder / "echo.sh").string() + "'").c_str()), 0) << word;
  EXPECT_EQ(read_file(folder / "echoed"), (row / "run.json").string());
}

TEST(Report, SaysThatASweepIsUnfinished) {
  const TemporaryFolder folder;
  write_results(folder.path());
  const auto page = [&] {
    EXPECT_EQ(sextant({"report", folder.path().string()}).exit_code, 0);
    return read_file(folder / "report.html");
  };
  EXPECT_EQ(page().find("Unfinished"), std::string::npos);
  json record = json::parse(read_file(folder / "run.json"));
  record["complete"] = false;
  record["runs"] = {{"finished", 5}, {"count", 6}};
  write_atomically(folder / "run.json", record.dump());
  EXPECT_NE(page().find("<b>Unfinished</b>: 5 of 6 runs are there; the command below goes on."), std::string::npos);
}

TEST(Report, RefusesAFolderWithoutRecords) {
  const TemporaryFolder folder;
  const Outcome empty = sextant({"report", folder.path().string()});
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_NE(empty.err.find("holds no run.json of a sweep, a run or a trace"), std::string::npos) << empty.err;
  EXPECT_EQ(sextant({"report", folder / "nowhere"}).exit_code, 2);
}

/// Runs headless Chromium; its stdout.
std::string chromium(const std::string& arguments, const fs::path& page) {
  const std::string command =
      "timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars "
      "--user-data-dir='" +
      (page.parent_path() / "profile").string() + "' " + arguments + " 'file://" + page.string() + "' 2>/dev/null";
  std::string text;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> block{};
  while (const size_t got = fread(block.data(), 1, block.size(), pipe)) text.append(block.data(), got);
  pclose(pipe);
  return text;
}

/// Width and height of a PNG.
std::pair<uint32_t, uint32_t> size_of_png(const fs::path& file) {
  const std::string bytes = read_file(file);
  const auto number = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
  };
  return {number(16), number(20)};
}

TEST(Report, SortsAndEnlargesInABrowser) {
  if (std::system("command -v chromium >/dev/null") != 0) {
    GTEST_SKIP() << "chromium is not installed, so the page was not opened: scripts/install-dependencies.sh chromium";
  }
  const TemporaryFolder folder;
  write_results(folder.path());
  ASSERT_EQ(sextant({"report", folder.path().string()}).exit_code, 0);
  // The page's own handlers are used as a reader uses them, by clicks; what then stands there is written down.
  const std::string clicks = R"js(<script>addEventListener("load", () => {
    const rows = () => [...document.querySelectorAll("tbody tr")].map(r => r.cells[1].dataset.value).join(" ");
    const said = [rows()];
    const head = document.querySelectorAll("thead button")[1];
    head.click(); said.push(rows() + " " + head.parentElement.getAttribute("aria-sort"));
    head.click(); said.push(rows() + " " + head.parentElement.getAttribute("aria-sort"));
    const dialog = document.querySelector("dialog");
    said.push("open " + dialog.open);
    document.querySelector("figure button").click();
    said.push("open " + dialog.open + " " + (dialog.querySelector("img").src === document.querySelector("figure img").src));
    dialog.click(); said.push("open " + dialog.open);
    document.documentElement.dataset.theme = "light"; const light = getComputedStyle(document.body).backgroundColor;
    document.querySelector("#theme").click(); const dark = getComputedStyle(document.body).backgroundColor;
    said.push("themes differ " + (light !== dark));
    said.push("overflow " + (document.documentElement.scrollWidth > innerWidth));
    document.body.dataset.said = said.join("; ");
  })</script></body>)js";
  write_atomically(folder / "clicked.html", replaced(read_file(folder / "report.html"), "</body>", clicks));
  for (const char* width : {"1280", "390"}) {
    const std::string dom =
        chromium("--window-size=" + std::string(width) + ",1000 --dump-dom", folder / "clicked.html");
    EXPECT_NE(dom.find("30.5 9.25 100.125; 9.25 30.5 100.125 ascending; "
                       "100.125 30.5 9.25 descending; open false; open true true; open false; "
                       "themes differ true; overflow false"),
              std::string::npos)
        << width << dom.substr(dom.find("data-said"), 400);
    const fs::path shot = folder / (std::string(width) + ".png");
    chromium("--window-size=" + std::string(width) + ",1000 --screenshot='" + shot.string() + "'",
             folder / "report.html");
    ASSERT_TRUE(fs::exists(shot));
    EXPECT_EQ(size_of_png(shot), std::pair(static_cast<uint32_t>(std::stoul(width)), uint32_t{1000}));
    EXPECT_GT(fs::file_size(shot), 10'000) << "an empty page is smaller";
  }
}

}  // namespace
}  // namespace sextant::cli::testing

#include "sextant/report/drawing.h"

#include "internal/runtime/files.h"
#include "paper.h"
#include "pen.h"
#include "sextant/runtime/error.h"
#include "style.h"

namespace sextant::report {
namespace {

/// Where the characters of UTF-8 text begin, and its end.
std::vector<std::size_t> character_starts(const std::string& text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) != 0x80) starts.push_back(i);
  }
  starts.push_back(text.size());
  return starts;
}

/// A grey picture is a third as large with one channel.
Tensor without_needless_colour(const Tensor& picture) {
  const Tensor grey = picture.narrow(2, 0, 1);
  return picture.eq(grey).all().item<bool>() ? grey : picture;
}

}  // namespace

std::string fitted(const std::string& words, const Letters& letters, double room) {
  if (text_width(words, letters) <= room) return words;
  const std::vector<std::size_t> starts = character_starts(words);
  const std::size_t all = starts.size() - 1;
  const auto shortened = [&](std::size_t characters) {
    const std::size_t behind = characters / 2;
    return words.substr(0, starts[characters - behind]) + "…" + words.substr(starts[all - behind]);
  };
  std::size_t fits = 0, too_many = all;
  while (fits + 1 < too_many) {
    const std::size_t middle = (fits + too_many) / 2;
    (text_width(shortened(middle), letters) <= room ? fits : too_many) = middle;
  }
  return shortened(fits);
}

Stroke curve_stroke(std::size_t index) { return curve_stroke(index, index); }

Stroke curve_stroke(std::size_t colour, std::size_t dashes) {
  static constexpr Colour kColours[] = {rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0xcc79a7),
                                        rgb(0xe69f00), rgb(0x56b4e9), rgb(0x444444)};
  static constexpr Dash kDashes[] = {Dash::kSolid, Dash::kDashed, Dash::kDashDotted, Dash::kDotted};
  return {kColours[colour % std::size(kColours)], 1.8, kDashes[dashes % std::size(kDashes)]};
}

void write_drawing(const std::filesystem::path& path, const Drawing& drawing) {
  const std::string extension = path.extension().string();
  if (extension == ".png") return write_png(path, without_needless_colour(rasterized(drawing)));
  if (extension == ".svg") return write_atomically(path, svg_document(drawing));
  if (extension == ".pdf") return write_atomically(path, pdf_document(drawing));
  throw UsageError("cannot draw " + path.string() + ": the extension must be .svg, .pdf or .png");
}

void write_svg_and_png(const std::filesystem::path& stem, const Drawing& drawing) {
  for (const char* extension : {".svg", ".png"}) write_drawing(stem.string() + extension, drawing);
}

}  // namespace sextant::report

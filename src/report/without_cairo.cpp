// Takes the place of cairo.cpp in a build without cairo.
#include "paper.h"
#include "pen.h"
#include "sextant/runtime/error.h"

namespace sextant::report {
namespace {

[[noreturn]] void refuse() { throw Error("cannot draw: sextant was built without cairo"); }

}  // namespace

bool can_draw() { return false; }
double text_width(const std::string&, const Letters&) { refuse(); }
Tensor rasterized(const Drawing&) { refuse(); }
std::string svg_document(const Drawing&) { refuse(); }
std::string pdf_document(const Drawing&) { refuse(); }

}  // namespace sextant::report

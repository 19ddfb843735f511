// Pictures of points.
#pragma once

#include "sextant/report/drawing.h"
#include "sextant/runtime/tensor.h"

namespace sextant::commands {

/// The first two numbers of points [N, d], a colour a class of labels [N]; of one number, the class beside it. With
/// `arrows` [N, d], an arrow at each point, the longest a tenth of the picture. Without a legend it is narrower.
report::Drawing draw_points(const Tensor& points, const Tensor& labels, const Tensor& arrows = {},
                            const std::string& title = "", bool legend = true);

/// Captions of a montage of such pictures, as high as the words in them.
inline constexpr double kLettersBesidePoints = 30;

}  // namespace sextant::commands

// A folder whose run grows: more images of the same settings are asked for than it holds.
#pragma once

#include "drawing/store.h"
#include "sample/folder.h"

namespace sextant::commands {

/// Puts the images of the folder's former, smaller run into the store, so that they are not drawn again; nothing where
/// there is none. No more is known of a former image than the run's means, which stand for it in the new ones.
void keep_former_images(const SampleFolder& folder, SampleStore& store, int64_t trace_steps);

}  // namespace sextant::commands

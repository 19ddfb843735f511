// Groups of a checkpoint's tensors that may be a network's weights, see models/models.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sextant/checkpoint/checkpoint.h"

namespace sextant::models {

struct Group {
  std::string name;                        ///< "state_dict.model"; "" is the whole file
  checkpoint::StateDict tensors;           ///< names without it and without wrappers
  std::vector<std::string> wrappers = {};  ///< those that were dropped from the names
  std::vector<std::string> beside = {};    ///< names of further groups that stand among the weights
  bool average = false;
  std::string completed_by = {};  ///< the group that running statistics are of, where it lacks its own
};

/// Whether a group's name says that it is a moving average.
bool names_average(const std::string& group);
/// Whether it says that it is an optimiser's state.
bool names_optimizer(const std::string& group);

/// Hears tensors; says whether they are all that a network needs, or all but running statistics where it accepts that.
using FitTest = std::function<bool(const checkpoint::StateDict&)>;

/// The outermost groups of at least `fewest` tensors that fit, breadth first; an optimiser's state is passed over.
std::vector<Group> find_groups(const checkpoint::Checkpoint& file, std::size_t fewest, const FitTest& fits);

/// The group called `name`, however its tensors fit; no tensors where there is none.
Group group_named(const checkpoint::Checkpoint& file, const std::string& name);

/// Names of the file's groups at the top, for messages.
std::vector<std::string> top_names(const checkpoint::Checkpoint& file);

}  // namespace sextant::models

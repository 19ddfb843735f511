#include "internal/distributed/group.h"

#include <numeric>

#include "connection.h"
#include "process.h"

namespace sextant::distributed {
namespace {

/// Lines as bytes, each ended by a line break.
Tensor as_bytes(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  const Tensor bytes = at::empty({static_cast<int64_t>(all.size())}, at::kByte);
  std::copy(all.begin(), all.end(), bytes.data_ptr<uint8_t>());
  return bytes;
}

std::vector<std::string> as_lines(const Tensor& bytes) {
  std::vector<std::string> lines;
  std::string line;
  for (int64_t i = 0; i < bytes.numel(); ++i) {
    const char c = static_cast<char>(bytes.data_ptr<uint8_t>()[i]);
    if (c != '\n') {
      line += c;
    } else {
      lines.push_back(std::move(line));
      line.clear();
    }
  }
  return lines;
}

}  // namespace

Group::Group() = default;

Group::Group(const World& world, const Environment& environment) : Group(world, environment, nccl()) {}

Group::Group(const World& world, const Environment& environment, const DeviceBackend& cards)
    : world_(world), environment_(environment) {
  if (!alone()) connection_ = std::make_unique<Connection>(world, environment, cards);
}

Group::~Group() {
  if (connection_) connection_->leave(std::uncaught_exceptions() > 0);
}

void Group::at(const std::string& where) {
  if (connection_) connection_->say(where);
}

void Group::run(const std::function<void()>& work) const {
  const auto named = [this](const Error& error) {
    return "rank " + std::to_string(rank()) + " of " + std::to_string(size()) + " on " + host() + ": " + error.what();
  };
  if (alone()) return work();
  try {
    work();
  } catch (const LostProcess&) {
    throw;
  } catch (const UsageError&) {
    throw;
  } catch (const NumericError& error) {
    throw NumericError(named(error));
  } catch (const Error& error) {
    throw Error(named(error));
  }
}

Group::Sums Group::sums_of(at::Device device) {
  const auto by_gloo = [this](const Tensor& x) { return begin_sum(x); };
  if (!connection_) return {device, by_gloo, ""};
  const DeviceBackend& cards = connection_->cards;
  const Choice mine = choose(device, environment_, cards);
  const int64_t able = sum(mine.on_device ? 1 : 0);
  if (able < size()) return {at::kCPU, by_gloo, able > 0 ? too_few(able, size(), cards.name) : mine.note};
  DeviceGroup group;
  connection_->carry_out([&] { group = connection_->open(device); });
  return {
      device,
      [this, group](const Tensor& x) {
        DeviceSum under_way;
        connection_->carry_out([&] { under_way = group.begin(x); });
        return [this, under_way] {
          connection_->carry_out([&] { await(under_way, connection_->timeout(), [this] { connection_->look(); }); });
        };
      },
      ""};
}

void Group::sum(const Tensor& x) { begin_sum(x)(); }

std::function<void()> Group::begin_sum(const Tensor& x) {
  if (!connection_) return [] {};
  std::function<void()> wait;
  connection_->carry_out([&] { wait = connection_->begin_sum(x); });
  return [this, wait] { connection_->carry_out(wait); };
}

std::function<void(const Tensor& x)> Group::sums_apart() {
  if (!connection_) return [](const Tensor&) {};
  sum(1);  // who meets has come: one that is gone is noticed here, not when the time is over
  std::function<void(const Tensor&)> add;
  connection_->carry_out([&] { add = connection_->open_apart(environment_); });
  return [this, add](const Tensor& x) { connection_->carry_out([&] { add(x); }); };
}

int64_t Group::sum(int64_t number) {
  const Tensor total = at::full({1}, number, at::kLong);
  sum(total);
  return total.item<int64_t>();
}

Tensor Group::gather(const Tensor& rows) {
  if (!connection_) return rows;
  // The shapes first: [rows, dtype, numbers of a row, its dimensions...] of each process.
  constexpr int64_t kDimensions = 8;
  std::vector<int64_t> mine(kDimensions + 3, 0);
  if (rows.defined()) {
    mine[0] = rows.size(0);
    mine[1] = static_cast<int64_t>(rows.scalar_type());
    mine[2] = rows.dim();
    for (int64_t i = 1; i < rows.dim(); ++i) mine[static_cast<std::size_t>(i + 2)] = rows.size(i);
  }
  std::vector<Tensor> shapes;
  connection_->carry_out([&] { shapes = connection_->gather(at::tensor(mine, at::kLong)); });
  int64_t most = 0;
  Tensor told;  // of a process that has something
  for (const Tensor& shape : shapes) {
    most = std::max(most, shape[0].item<int64_t>());
    if (shape[2].item<int64_t>() > 0 && (!told.defined() || shape[0].item<int64_t>() > 0)) told = shape;
  }
  if (!told.defined()) return rows;
  const auto dtype = static_cast<at::ScalarType>(told[1].item<int64_t>());
  std::vector<int64_t> sizes = {most};
  for (int64_t i = 1; i < told[2].item<int64_t>(); ++i) sizes.push_back(told[i + 2].item<int64_t>());
  Tensor filled = at::zeros(sizes, dtype);
  if (rows.defined()) filled.narrow(0, 0, rows.size(0)).copy_(rows);
  std::vector<Tensor> all;
  if (most > 0) connection_->carry_out([&] { all = connection_->gather(filled); });
  std::vector<Tensor> parts = {filled.narrow(0, 0, 0)};
  for (std::size_t r = 0; r < all.size(); ++r) parts.push_back(all[r].narrow(0, 0, shapes[r][0].item<int64_t>()));
  return at::cat(parts);
}

std::vector<std::string> Group::gather(const std::vector<std::string>& lines) {
  return connection_ ? as_lines(gather(as_bytes(lines))) : lines;
}

std::unique_ptr<Group> join_group() {
  const Environment environment = process_environment();
  const World world = world_of(environment);
  return world.size == 1 ? std::make_unique<Group>() : std::make_unique<Group>(world, environment);
}

}  // namespace sextant::distributed

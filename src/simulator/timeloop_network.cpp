#include "timeloop_network.hpp"

#include <algorithm>

namespace atl::timeloop {
namespace {

// How groups of one size share a delivery.
struct Share {
  Count multicast, scatter, twice_hops;
};

struct Served {
  std::vector<Share> shares;
  Count groups = 0;
  Count from_neighbours = 0;  // children
};

class Mesh {
 public:
  Mesh(const Layer& layer, Operand operand, const std::vector<Loop>& loops, Count mesh_x, Count mesh_y)
      : starts_(1) {
    Count along_x = 1, along_y = 1;
    for (const Loop& loop : loops) {
      (loop.along_x ? along_x : along_y) *= loop.bound;
      spread(project(layer, operand, loop.dim, loop.step), loop.bound);
    }
    columns_ = static_cast<std::size_t>(std::max(mesh_x, along_x));
    rows_ = std::max(mesh_y, along_y);
    low_.assign(columns_, -1);
    high_.assign(columns_, -1);
    sort_by_start();
  }

  std::size_t size() const { return starts_.size(); }

  Served all() const { return serve(std::vector<bool>(size(), false)); }

  /// The same where a neighbour had the words already.
  Served without_neighbours(const Point& shift) const {
    std::vector<bool> served(size(), false);
    for (std::size_t i = 0; i < size(); ++i) {
      const std::size_t x = i % columns_;
      served[i] = (x > 0 && has(i, i - 1, shift)) || (x + 1 < columns_ && has(i, i + 1, shift)) ||
                  (i >= columns_ && has(i, i - columns_, shift)) || has(i, i + columns_, shift);
    }
    return serve(served);
  }

 private:
  void spread(const Point& step, Count bound) {
    std::vector<Point> next;
    next.reserve(starts_.size() * static_cast<std::size_t>(bound));
    for (const Point& start : starts_)
      for (Count k = 0; k < bound; ++k) {
        next.push_back(start);
        for (std::size_t a = 0; a < axes; ++a) next.back()[a] += k * step[a];
      }
    starts_ = std::move(next);
  }

  void sort_by_start() {
    for (std::size_t i = 0; i < size(); ++i) by_start_.push_back(i);
    std::sort(by_start_.begin(), by_start_.end(), [&](std::size_t a, std::size_t b) {
      return starts_[a] != starts_[b] ? starts_[a] < starts_[b] : a < b;
    });
  }

  bool has(std::size_t i, std::size_t neighbour, const Point& shift) const {
    if (neighbour >= size()) return false;
    for (std::size_t a = 0; a < axes; ++a)
      if (starts_[neighbour][a] - starts_[i][a] != shift[a]) return false;
    return true;
  }

  Served serve(const std::vector<bool>& by_neighbour) const {
    Served result;
    std::vector<std::size_t> group;
    for (std::size_t n = 0; n < size(); ++n) {
      const std::size_t i = by_start_[n];
      if (by_neighbour[i]) {
        ++result.from_neighbours;
      } else {
        group.push_back(i);
      }
      const bool last = n + 1 == size() || starts_[by_start_[n + 1]] != starts_[i];
      if (!last || group.empty()) continue;
      const auto members = static_cast<Count>(group.size());
      auto share = std::find_if(result.shares.begin(), result.shares.end(),
                                [&](const Share& s) { return s.multicast == members; });
      if (share == result.shares.end()) share = result.shares.insert(share, {members, 0, 0});
      ++share->scatter;
      share->twice_hops += twice_hops(group);
      ++result.groups;
      group.clear();
    }
    return result;
  }

  // Members stand in ascending order, so those of a column do, too.
  Count twice_hops(const std::vector<std::size_t>& members) const {
    Count furthest = 0, up_and_down = 0;
    const Count middle = rows_ - 1;  // twice the row of the injection
    for (const std::size_t i : members) {
      const std::size_t x = i % columns_;
      const auto y = static_cast<Count>(i / columns_);
      if (low_[x] < 0) low_[x] = y;
      high_[x] = y;
      furthest = std::max(furthest, static_cast<Count>(x));
    }
    for (const std::size_t i : members) {
      const std::size_t x = i % columns_;
      if (low_[x] < 0) continue;
      up_and_down += std::max<Count>(0, middle - 2 * low_[x]) + std::max<Count>(0, 2 * high_[x] - middle);
      low_[x] = -1;  // for the next group; columns may be many, and members few
    }
    return 2 * furthest + up_and_down;
  }

  std::vector<Point> starts_;          // of the children's tiles, by number
  std::vector<std::size_t> by_start_;  // numbers, equal starts together
  std::size_t columns_ = 1;
  Count rows_ = 1;
  mutable std::vector<Count> low_, high_;
};

void enter(const Served& served, Count words, Traffic& into) {
  for (const Share& share : served.shares) {
    auto record = std::find_if(into.records.begin(), into.records.end(), [&](const Record& r) {
      return r.multicast == share.multicast && r.scatter == share.scatter;
    });
    if (record == into.records.end())
      record = into.records.insert(record, {share.multicast, share.scatter, 0, 0});
    record->accesses = plus(record->accesses, times(share.scatter, words));
    record->twice_hops = plus(record->twice_hops, times(share.twice_hops, words));
  }
}

Traffic single_child(const std::vector<Event>& events) {
  Traffic result;
  Record record;
  for (const Event& event : events) record.accesses = plus(record.accesses, times(event.words, event.weight));
  result.records.push_back(record);
  return result;
}

}  // namespace

Count Traffic::accesses() const {
  Count sum = 0;
  for (const Record& record : records) sum += record.accesses;
  return sum;
}

Count Traffic::delivered() const {
  Count sum = 0;
  for (const Record& record : records) sum = plus(sum, times(record.accesses, record.multicast));
  return sum;
}

Count Traffic::twice_hops() const {
  Count sum = 0;
  for (const Record& record : records) sum = plus(sum, record.twice_hops);
  return sum;
}

Traffic traffic(const Layer& layer, Operand operand, const std::vector<Loop>& loops, Count mesh_x,
                Count mesh_y, const std::vector<Event>& events, bool link_transfers) {
  if (loops.empty()) return single_child(events);
  const Mesh mesh(layer, operand, loops, mesh_x, mesh_y);
  const Served all = mesh.all();
  Traffic result;
  result.fanout = static_cast<Count>(mesh.size());
  result.groups = all.groups;
  for (const Event& event : events) {
    const Count words = times(event.words, event.weight);
    Served served = all;
    if (link_transfers && event.shifted) {
      served = mesh.without_neighbours(event.shift);
      if (served.groups >= all.groups) served = all;
    }
    result.link_transfers = plus(result.link_transfers, times(served.from_neighbours, words));
    enter(served, words, result);
  }
  std::sort(result.records.begin(), result.records.end(), [](const Record& a, const Record& b) {
    return a.multicast != b.multicast ? a.multicast < b.multicast : a.scatter < b.scatter;
  });
  return result;
}

}  // namespace atl::timeloop

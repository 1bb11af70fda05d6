#include "loopnest_batch.hpp"

#include <algorithm>

#include "loopnest_pack.hpp"

namespace atl::loopnest {
namespace {

template <int N>
class GroupCounter {
 public:
  using Real = typename Lanes<N>::Real;

  static void run(const RowGroup& group, RowsLeft& left) {
    GroupCounter counter(group);
    std::array<std::uint32_t, most_rows> again;  // divide, but stood beside rows that do not
    std::size_t size = 0;
    const std::size_t rows = group.rows.size();
    for (std::size_t first = 0; first < rows; first += N) {
      const std::size_t next = std::min(rows, first + N), last = std::min(rows, next + N);
      counter.fetch(group.rows.subspan(next, last - next));
      counter.take(group.rows.subspan(first, next - first), left, again.data(), size);
    }
    for (std::size_t first = 0; first < size; first += N)
      counter.take({again.data() + first, std::min<std::size_t>(N, size - first)}, left, nullptr, size);
  }

 private:
  explicit GroupCounter(const RowGroup& group) : group_(group), program_(*group.program) {
    columns_.fill(Real{});
    if (group.batch->hardware.size() != 1) return;
    for (std::size_t lane = 0; lane < N; ++lane)
      fill_hardware<N>(program_, group.batch->hardware[0], lane, hardware_);
  }

  // What the next pack will read comes into the cache while this one is counted.
  void fetch(std::span<const std::uint32_t> rows) const {
    for (const std::uint32_t row : rows) {
      const auto* start = reinterpret_cast<const char*>(&group_.batch->mappings[row]);
      const std::size_t bytes = offsetof(Mapping, level) + program_.structure.levels * sizeof(LevelMapping);
      for (std::size_t line = 0; line < bytes; line += 64) __builtin_prefetch(start + line);
    }
  }

  // A pack of up to N rows; missing ones are filled with the last. Nothing is counted where a row does
  // not divide: the others come `again`.
  void take(std::span<const std::uint32_t> rows, RowsLeft& left, std::uint32_t* again, std::size_t& size) {
    const std::size_t width = program_.structure.schema.width();
    for (std::size_t lane = 0; lane < N; ++lane) {
      const std::uint32_t row = rows[std::min(lane, rows.size() - 1)];
      state_.mapping[lane] = &group_.batch->mappings[row];
      state_.costs[lane] = group_.costs.data() + row * width;
    }
    const std::uint32_t rest = PackKernel<N>::read(program_, state_);
    if (rest != 0) {
      for (std::size_t lane = 0; lane < rows.size(); ++lane)
        (rest >> lane & 1 ? left.row[left.size++] : again[size++]) = rows[lane];
      return;
    }
    if (group_.batch->hardware.size() != 1)
      for (std::size_t lane = 0; lane < N; ++lane)
        fill_hardware<N>(program_, group_.batch->hardware[rows[std::min(lane, rows.size() - 1)]], lane,
                         hardware_);
    PackKernel<N>::count(program_, hardware_, state_, columns_.data());
  }

  const RowGroup& group_;
  const Program& program_;
  PackHardware<N> hardware_;
  PackState<N> state_;
  std::array<Real, cost::headline_count + max_levels * operand_count * 4> columns_;
};

bool has_512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}

}  // namespace

std::span<const BatchVersion> batch_versions() {
  static const std::array<BatchVersion, 3> versions = {
      {{"avx512", 8, has_512(), GroupCounter<8>::run},
       {"avx2", 4, __builtin_cpu_supports("avx2") != 0, GroupCounter<4>::run},
       {"sse2", 2, true, GroupCounter<2>::run}}};
  return versions;
}

const BatchVersion& best_version() {
  for (const BatchVersion& version : batch_versions())
    if (version.runs_here) return version;
  return batch_versions().back();
}

}  // namespace atl::loopnest

#include "loopnest_batch.hpp"

#include <algorithm>

#include "loopnest_kernel.hpp"

namespace atl::loopnest {
namespace {

template <int N>
class GroupCounter {
 public:
  using Real = typename Lanes<N>::Real;

  [[gnu::always_inline]] static void run(const RowGroup& group, RowsLeft& left) {
    GroupCounter counter(group);
    std::array<std::uint32_t, most_rows> again;  // divide, but stood beside rows that do not
    std::size_t size = 0;
    for (std::size_t first = 0; first < group.rows.size(); first += N)
      counter.take(group.rows.subspan(first, std::min<std::size_t>(N, group.rows.size() - first)), left,
                   again.data(), size);
    for (std::size_t first = 0; first < size; first += N)
      counter.take({again.data() + first, std::min<std::size_t>(N, size - first)}, left, nullptr, size);
  }

 private:
  [[gnu::always_inline]] explicit GroupCounter(const RowGroup& group)
      : group_(group), program_(*group.program) {
    columns_.fill(Real{});
    if (group.batch->hardware.size() != 1) return;
    for (std::size_t lane = 0; lane < N; ++lane)
      fill_hardware<N>(program_, group.batch->hardware[0], lane, hardware_);
  }

  // A pack of up to N rows; missing ones are filled with the last. Nothing is counted where a row does
  // not divide: the others come `again`.
  [[gnu::always_inline]] void take(std::span<const std::uint32_t> rows, RowsLeft& left, std::uint32_t* again,
                                   std::size_t& size) {
    const std::size_t width = program_.structure.schema.width();
    for (std::size_t lane = 0; lane < N; ++lane) {
      const std::uint32_t row = rows[std::min(lane, rows.size() - 1)];
      state_.mapping[lane] = &group_.batch->mappings[row];
      state_.costs[lane] = group_.costs.data() + row * width;
    }
    const std::uint32_t rest = Kernel<N>::read(program_, state_);
    if (rest != 0) {
      for (std::size_t lane = 0; lane < rows.size(); ++lane)
        (rest >> lane & 1 ? left.row[left.size++] : again[size++]) = rows[lane];
      return;
    }
    if (group_.batch->hardware.size() != 1)
      for (std::size_t lane = 0; lane < N; ++lane)
        fill_hardware<N>(program_, group_.batch->hardware[rows[std::min(lane, rows.size() - 1)]], lane,
                         hardware_);
    Kernel<N>::count(program_, hardware_, state_, columns_.data());
    store_rows<N>(columns_.data(), width, state_.costs.data());
  }

  const RowGroup& group_;
  const Program& program_;
  PackHardware<N> hardware_;
  PackState<N> state_;
  std::array<Real, cost::headline_count + max_levels * operand_count * 4> columns_;
};

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] void count_512(const RowGroup& group, RowsLeft& left) {
  GroupCounter<8>::run(group, left);
}

[[gnu::target("avx2")]] void count_256(const RowGroup& group, RowsLeft& left) {
  GroupCounter<4>::run(group, left);
}

void count_128(const RowGroup& group, RowsLeft& left) {
  GroupCounter<2>::run(group, left);
}

bool has_512() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}

}  // namespace

std::span<const BatchVersion> batch_versions() {
  static const std::array<BatchVersion, 3> versions = {
      {{"avx512", 8, has_512(), count_512},
       {"avx2", 4, __builtin_cpu_supports("avx2") != 0, count_256},
       {"sse2", 2, true, count_128}}};
  return versions;
}

const BatchVersion& best_version() {
  for (const BatchVersion& version : batch_versions())
    if (version.runs_here) return version;
  return batch_versions().back();
}

}  // namespace atl::loopnest

// A generation must not allocate once its buffers are warm: every allocation of this program is counted.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "toy.hpp"

namespace {

std::atomic<std::uint64_t>& allocations() {
  static std::atomic<std::uint64_t> count{0};
  return count;
}

}  // namespace

// Not inlined: GCC would see one half of a pair only and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations().fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace atl {
namespace {

TEST(Allocations, AGenerationAllocatesNothingOnceWarm) {
  const GenomeSchema schema = toy::mixed();
  PolicyContext context;
  context.schema = &schema;
  context.cost_width = 7;
  context.size = 60;
  context.generations = 100;
  for (const char* yaml :
       {"standard", "random_search", "{selection: {tournament: {replacement: false}}, survival: plus}",
        "{selection: roulette, crossover: two_point, survival: comma}",
        "{selection: universal, crossover: one_point, survival: {steady_state: {replace: worst}}}",
        "{selection: rank, survival: {steady_state: {replace: oldest}}, mutation: {rate: one_fifth}}",
        "{selection: truncation, survival: {ageing: {max_age: 2}}, mutation: {rate: self_adaptive, genes: "
        "self_adaptive}}"}) {
    const auto policy = toy::factory(yaml).make(context);
    Population offspring;
    std::uint64_t before = 0, judged = 0;
    for (std::uint32_t g = 0; g < 40; ++g) {
      if (g == 20) before = allocations().load();
      policy->ask(g, offspring);
      for (std::size_t slot = 0; slot < offspring.size(); ++slot) {
        toy::mixed_target(offspring, slot);
        offspring.id[slot] = individual_id(0, g, 0, slot);
        ++judged;
      }
      policy->tell(g, offspring);
    }
    EXPECT_EQ(allocations().load() - before, 0U) << yaml;
    EXPECT_GE(judged, 40U * 60);
  }
}

}  // namespace
}  // namespace atl

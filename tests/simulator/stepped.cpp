// An execution with a clock, cycle by cycle, against the formula of `cycles`: ports move so many bits a
// cycle, tiles are fetched one step ahead, or where a level has a single buffer between two steps.
#include <gtest/gtest.h>

#include <iostream>

#include "../../src/simulator/reference_steps.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

// Bits that wait at the ports of each level, evenly spread over its used instances.
struct Work {
  std::array<double, max_levels> reading{}, writing{};
};

class Machine {
 public:
  explicit Machine(const Case& one)
      : accelerator_(one.accelerator),
        hardware_(hardware_row(one.accelerator)),
        moved_(reference_steps(one.accelerator, one.layer, one.mapping)),
        levels_(one.accelerator.levels.size()) {}

  /// Cycles of all steps and of the stalls between them, without first load and last store.
  void run() {
    const std::size_t steps = moved_.step.size() - 1;
    for (std::size_t t = 0; t < steps; ++t) {
      Work work;
      for (std::size_t o = 0; o < operand_count; ++o) {
        use(work, t, o);
        for (std::size_t l = 1; l < levels_; ++l) {
          drain(work, t, l, o);
          if (t + 1 < steps && accelerator_.levels[l].buffering != Buffering::single) fill(work, t + 1, l, o);
        }
      }
      const double busy = serve(work);
      waited = waited || busy > 1;
      cycles += std::max(1.0, busy);
      if (t + 1 < steps) stall(t + 1);
    }
    // The last store overwrites; what is added to has to be read before.
    Work work;
    for (std::size_t l = 1; l < levels_; ++l)
      read(work, moved_.parent[l][index(Operand::O)], index(Operand::O),
           at(steps, l, index(Operand::O)).sent);
    const double busy = serve(work);
    waited = waited || busy > 0;
    cycles += busy;
  }

  double cycles = 0, stalls = 0;
  double phases = 0;       // in which a single buffer was filled
  bool waited = false;     // for a port, with all units ready
  double port_cycles = 0;  // of all ports, one after the other

 private:
  const StepTransfer& at(std::size_t t, std::size_t l, std::size_t o) const {
    return moved_.step[t].transfer[l][o];
  }
  void read(Work& work, std::size_t l, std::size_t o, double words) const {
    work.reading[l] += words * hardware_.word_bits[l][o] / moved_.used[l];
  }
  void write(Work& work, std::size_t l, std::size_t o, double words) const {
    (accelerator_.levels[l].shared_port ? work.reading : work.writing)[l] +=
        words * hardware_.word_bits[l][o] / moved_.used[l];
  }
  void use(Work& work, std::size_t t, std::size_t o) const {
    const std::size_t parent = moved_.parent[levels_][o];
    read(work, parent, o, at(t, levels_, o).sent);
    write(work, parent, o, at(t, levels_, o).updated);
  }
  void drain(Work& work, std::size_t t, std::size_t l, std::size_t o) const {
    if (at(t, l, o).drained == 0) return;
    read(work, l, o, at(t, l, o).drained);
    write(work, moved_.parent[l][o], o, at(t, l, o).updated);
  }
  void fill(Work& work, std::size_t t, std::size_t l, std::size_t o) const {
    const StepTransfer& words = at(t, l, o);
    if (words.sent == 0 && words.filled == 0) return;
    read(work, moved_.parent[l][o], o, words.sent);
    write(work, l, o, words.filled);
  }

  // One level after the other; nothing else happens.
  void stall(std::size_t t) {
    for (std::size_t l = 1; l < levels_; ++l) {
      if (accelerator_.levels[l].buffering != Buffering::single) continue;
      Work work;
      for (std::size_t o = 0; o < operand_count; ++o) fill(work, t, l, o);
      const double busy = serve(work);
      stalls += busy;
      phases += busy > 0 ? 1 : 0;
    }
  }

  // Every cycle each port moves what it can.
  double serve(Work work) {
    double busy = 0;
    for (bool left = true; left; ++busy) {
      left = false;
      for (std::size_t l = 0; l < levels_; ++l) {
        if (work.reading[l] > 0 || work.writing[l] > 0) left = true;
        move(work.reading[l], hardware_.read_bandwidth[l]);
        move(work.writing[l], hardware_.write_bandwidth[l]);
      }
    }
    return busy - 1;
  }
  void move(double& bits, double bandwidth) {
    if (bits <= 0) return;
    port_cycles += std::min(1.0, bits / bandwidth);
    bits -= bandwidth;
    if (bits < 1e-9) bits = 0;
  }

  const Accelerator& accelerator_;
  HardwareRow hardware_;
  ReferenceSteps moved_;
  std::size_t levels_;
};

TEST(Stepped, CyclesLieWithinTheStatedBounds) {
  int waiting = 0, stalling = 0, free_running = 0;
  double slowest = 0;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    Case one = i % 2 == 0 ? random_case(500000 + i, 200) : random_clipped_case(500000 + i, 200);
    for (StorageLevel& level : one.accelerator.levels) {
      if (i % 3 != 0) break;
      level.read_bandwidth *= 64;  // so that some never wait
      level.write_bandwidth *= 64;
    }
    if (!one.accelerator.zero_read_elision) continue;
    const auto formula = make_simulator("loopnest", one.accelerator);
    const std::vector<double> costs = evaluate(*formula, one);
    Machine machine(one);
    machine.run();
    const ReferenceSteps moved = reference_steps(one.accelerator, one.layer, one.mapping);
    const double taken = machine.cycles + machine.stalls + moved.ends;
    const auto steps = static_cast<double>(moved.step.size() - 1);
    ASSERT_GE(taken, costs[cost::cycles]) << i;
    ASSERT_LE(taken, 2 * steps + machine.port_cycles + machine.phases + moved.ends) << i;
    const bool free = !machine.waited && machine.phases == 0;
    ASSERT_TRUE(!free || taken == costs[cost::cycles])
        << i << ": " << taken << " against " << costs[cost::cycles];
    waiting += machine.waited ? 1 : 0;
    stalling += machine.phases > 0 ? 1 : 0;
    free_running += free ? 1 : 0;
    slowest = std::max(slowest, taken / costs[cost::cycles]);
  }
  std::cout << free_running << " without waiting, " << waiting << " that wait for a port, " << stalling
            << " with stalls; at most " << slowest << " times the formula\n";
  EXPECT_GT(free_running, 50);
  EXPECT_GT(waiting, 500);
  EXPECT_GT(stalling, 500);
}

}  // namespace
}  // namespace atl::test
